//! Files of `torch.save` before `PyTorch` 1.6 (2020), whatever they hold: a pickle, and after it the numbers that it refers to.

use std::{
    collections::HashMap,
    io::{Cursor, Read},
};

use candle_core::{
    DType, Device, Tensor,
    pickle::{Object, Stack, TensorInfo},
};

/// The pickle of the number that opens such a file.
const MAGIC: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";

/// Why a file could not be read.
type Fault = String;

/// A file that was read.
pub(crate) struct TorchFile {
    /// What was saved.
    pub root: Object,
    numbers: HashMap<String, Vec<f32>>,
}

impl TorchFile {
    /// Reads a whole file.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let Some(rest) = bytes.strip_prefix(MAGIC) else {
            return Err("it is no file of torch.save from before PyTorch 1.6".into());
        };
        let mut rest = Cursor::new(rest);
        let protocol = pickle(&mut rest)?;
        if protocol != Object::Int(1001) {
            return Err(format!("its protocol is {protocol:?}, must be 1001"));
        }
        let _system = pickle(&mut rest)?;
        let root = pickle(&mut rest)?;
        let Object::List(keys) = pickle(&mut rest)? else {
            return Err("it does not list its arrays".into());
        };
        let mut numbers = HashMap::new();
        for key in keys {
            let key = key.unicode().map_err(|key| format!("an array is called {key:?}"))?;
            let mut count = [0; 8];
            let array = rest.read_exact(&mut count).ok().and_then(|()| {
                let bytes = usize::try_from(i64::from_le_bytes(count)).ok()?.checked_mul(4)?;
                let left = rest.get_ref().get(usize::try_from(rest.position()).ok()?..)?;
                let array = left.get(..bytes)?;
                rest.set_position(rest.position() + bytes as u64);
                Some(array.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number)).collect())
            });
            let array = array.ok_or_else(|| format!("it ends before its array `{key}` does"))?;
            numbers.insert(key, array);
        }
        Ok(Self { root, numbers })
    }

    /// The tensors of a state dict by name.
    pub(crate) fn state(&self, state: &Object) -> Result<HashMap<String, Tensor>, Fault> {
        let Object::Dict(items) = state else { return Err("a state dict is none".into()) };
        let mut tensors = HashMap::new();
        for (name, value) in items {
            // Versions of the modules stand beside the tensors.
            let info = value.clone().into_tensor_info(name.clone(), "".as_ref());
            if let Some(info) = info.map_err(|error| error.to_string())? {
                tensors.insert(info.name.clone(), self.tensor(&info)?);
            }
        }
        Ok(tensors)
    }

    fn tensor(&self, info: &TensorInfo) -> Result<Tensor, Fault> {
        let fault = |reason: &str| format!("its tensor `{}` {reason}", info.name);
        if info.dtype != DType::F32 {
            return Err(fault(&format!("is of type {:?}, must be 32-bit floats", info.dtype)));
        }
        let array = self.numbers.get(info.path.trim_start_matches('/'));
        let array = array.ok_or_else(|| fault("refers to an array that the file does not have"))?;
        let (shape, strides) = (info.layout.dims(), info.layout.stride());
        // Candle gives the place of the first number in bytes.
        let start = info.layout.start_offset() / size_of::<f32>();
        let mut places = vec![start];
        for (&length, &stride) in shape.iter().zip(strides) {
            places =
                places.iter().flat_map(|first| (0..length).map(move |step| first + step * stride)).collect();
        }
        let values: Option<Vec<f32>> = places.iter().map(|&place| array.get(place).copied()).collect();
        let values = values.ok_or_else(|| fault("goes beyond its array"))?;
        Tensor::from_vec(values, shape, &Device::Cpu).map_err(|error| fault(&error.to_string()))
    }
}

fn pickle(bytes: &mut Cursor<&[u8]>) -> Result<Object, Fault> {
    let mut stack = Stack::empty();
    stack
        .read_loop(bytes)
        .and_then(|()| stack.finalize())
        .map_err(|error| format!("its pickle is damaged: {error}"))
}
