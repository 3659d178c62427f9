//! Named arrays, as in checkpoints: reads `PyTorch` files, and reads and writes safetensors.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    io::Write,
    path::Path,
};

use molarena_sdk::{Error, Result};
use pytorch_reader::{DType, PytorchReader};
use safetensors::{Dtype, SafeTensors, View};
use serde::{Deserialize, Serialize};

/// An array of `f32`, row-major.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Array {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Array {
    /// An array with this shape.
    ///
    /// # Panics
    ///
    /// If the number of values does not fit the shape.
    pub fn new(shape: &[usize], values: Vec<f32>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "shape {shape:?}");
        Self { shape: shape.to_vec(), values }
    }

    /// Extents, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// All values.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All values.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }
}

/// Arrays by name, with notes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Arrays {
    /// The arrays.
    pub arrays: BTreeMap<String, Array>,
    /// The notes: text by key.
    pub notes: BTreeMap<String, String>,
}

impl Arrays {
    /// Reads a file written by `torch.save`: a dictionary of tensors. Counters, which are
    /// whole numbers, are left out.
    pub fn from_pytorch(path: &Path) -> Result<Self> {
        let fault = |message: String| Error::data(format!("{}: {message}", path.display()));
        let reader = PytorchReader::new(path).map_err(|error| fault(error.to_string()))?;
        let mut this = Self::default();
        for (name, tensor) in reader.tensors() {
            let bytes = tensor.read().map_err(|error| fault(error.to_string()))?;
            let values = match tensor.dtype() {
                DType::F32 => floats(&bytes),
                DType::I64 if tensor.shape().iter().product::<usize>() == 1 => continue,
                other => {
                    return Err(fault(format!(
                        "tensor `{name}` is of type {other:?}, must be 32-bit floats"
                    )));
                }
            };
            this.arrays.insert(name.clone(), Array::new(tensor.shape(), values));
        }
        Ok(this)
    }

    /// Reads the bytes of such a file, through a temporary one, because the reader needs a file.
    pub fn from_pytorch_bytes(bytes: &[u8]) -> Result<Self> {
        let failed = |error: std::io::Error| Error::io(format!("temporary file for a PyTorch file: {error}"));
        let mut file = tempfile::NamedTempFile::new().map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        Self::from_pytorch(file.path()).map_err(|error| {
            Error::data(error.message.replace(&file.path().display().to_string(), "the PyTorch file"))
        })
    }

    /// Reads safetensors.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self> {
        let fault = |message: String| Error::data(format!("weights are no safetensors: {message}"));
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| fault(error.to_string()))?;
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| fault(error.to_string()))?;
        let mut this = Self::default();
        for (name, tensor) in tensors.tensors() {
            if tensor.dtype() != Dtype::F32 {
                return Err(fault(format!("tensor `{name}` is {:?}, must be F32", tensor.dtype())));
            }
            this.arrays.insert(name, Array::new(tensor.shape(), floats(tensor.data())));
        }
        this.notes =
            metadata.metadata().iter().flatten().map(|(key, text)| (key.clone(), text.clone())).collect();
        Ok(this)
    }

    /// The arrays and notes as safetensors. With at most one note, equal arrays give equal bytes.
    pub fn to_safetensors(&self) -> Result<Vec<u8>> {
        let notes: HashMap<String, String> = self.notes.clone().into_iter().collect();
        safetensors::serialize(&self.arrays, Some(notes))
            .map_err(|error| Error::internal(format!("weights could not be written: {error}")))
    }

    /// Takes out the array `name`, which must have this shape.
    pub fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let Some(array) = self.arrays.remove(name) else {
            return Err(Error::data(format!("weights have no tensor `{name}`, of shape {shape:?}")));
        };
        if array.shape == shape {
            Ok(array.values)
        } else {
            Err(Error::data(format!("tensor `{name}` has the shape {:?}, must have {shape:?}", array.shape)))
        }
    }
}

impl View for &Array {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>().into()
    }

    fn data_len(&self) -> usize {
        self.values.len() * size_of::<f32>()
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Arrays {
        let mut arrays = Arrays::default();
        arrays
            .arrays
            .insert("b.weight".into(), Array::new(&[2, 3], vec![1.0, 2.0, -0.0, f32::MIN, 5.0, 6.5]));
        arrays.arrays.insert("a".into(), Array::new(&[0], vec![]));
        arrays.notes.insert("config".into(), "{\"width\": 3}".into());
        arrays
    }

    #[test]
    fn safetensors_hold_what_was_given() {
        let bytes = example().to_safetensors().unwrap();
        assert_eq!(Arrays::from_safetensors(&bytes).unwrap(), example());
        assert_eq!(example().to_safetensors().unwrap(), bytes);
        let error = Arrays::from_safetensors(&bytes[..bytes.len() - 1]).unwrap_err();
        assert!(error.to_string().starts_with("weights are no safetensors"), "{error}");
    }

    #[test]
    fn an_array_that_is_absent_or_misshapen_is_named() {
        let message = |name, shape: &[usize]| example().take(name, shape).unwrap_err().to_string();
        assert_eq!(message("c", &[4]), "weights have no tensor `c`, of shape [4]");
        assert_eq!(message("b.weight", &[3, 2]), "tensor `b.weight` has the shape [2, 3], must have [3, 2]");
        assert_eq!(example().take("b.weight", &[2, 3]).unwrap()[4], 5.0);
    }

    #[test]
    fn a_file_that_torch_did_not_write_is_named() {
        let error = Arrays::from_pytorch(Path::new("/nowhere/x.pt")).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/x.pt: "), "{error}");
    }
}
