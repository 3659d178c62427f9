//! A graph of an ONNX file, as ONNX Runtime runs it.

use molarena_sdk::{Error, Result};
use ort::{
    session::{Session, SessionInputValue, builder::GraphOptimizationLevel},
    value::{Outlet, Tensor as Value, TensorElementType, ValueType},
};

use crate::{runtime, scatter};

/// An array for an input of a graph, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Its dimensions; none for a scalar.
    pub shape: Vec<usize>,
    /// Its values.
    pub values: Values,
}

/// The values of a [`Tensor`].
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Numbers.
    Floats(Vec<f32>),
    /// Integers.
    Integers(Vec<i64>),
}

/// A graph that can be run.
#[derive(Debug)]
pub struct Network {
    session: Session,
    threads: usize,
}

impl Network {
    /// Reads an ONNX file's bytes, for runs on `threads` threads.
    ///
    /// # Errors
    /// ONNX Runtime cannot be opened, or it does not read the file.
    pub fn new(bytes: &[u8], threads: usize) -> Result<Self> {
        let environment = runtime::environment()?;
        let faster = scatter::by_rows(bytes);
        let bytes = faster.as_deref().unwrap_or(bytes);
        let session = || -> ort::Result<Session> {
            Session::builder(environment)?
                .with_optimization_level(GraphOptimizationLevel::Level3)?
                .with_intra_threads(threads)?
                .with_inter_threads(1)?
                .commit_from_memory(bytes)
        };
        let session =
            session().map_err(|error| Error::data(format!("the ONNX file cannot be used: {error}")))?;
        Ok(Self { session, threads })
    }

    /// The number of threads that it runs on.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Names of its inputs.
    pub fn inputs(&self) -> Vec<&str> {
        self.session.inputs().iter().map(Outlet::name).collect()
    }

    /// Names of its outputs.
    pub fn outputs(&self) -> Vec<&str> {
        self.session.outputs().iter().map(Outlet::name).collect()
    }

    /// The last dimension of an output, if the file says it.
    pub fn width(&self, output: &str) -> Option<usize> {
        let output = self.session.outputs().iter().find(|known| known.name() == output)?;
        match output.dtype() {
            ValueType::Tensor { shape, .. } => shape.last().and_then(|&width| usize::try_from(width).ok()),
            _ => None,
        }
    }

    /// Runs the graph on its inputs by name and gives one of its outputs: its shape and its values.
    ///
    /// # Errors
    /// An input is unknown or missing, or its numbers are of another type; the output is none of numbers; the graph refuses
    /// the inputs.
    pub fn run(&mut self, inputs: Vec<(&str, Tensor)>, output: &str) -> Result<(Vec<usize>, Vec<f32>)> {
        let mut values: Vec<(String, SessionInputValue<'_>)> = Vec::with_capacity(inputs.len());
        for (name, tensor) in inputs {
            let input = self.session.inputs().iter().find(|input| input.name() == name);
            let Some(input) = input else {
                return Err(Error::invalid_config(format!(
                    "the graph has no input `{name}`; it has: {}",
                    self.inputs().join(", ")
                )));
            };
            let ValueType::Tensor { ty, .. } = input.dtype() else {
                return Err(Error::data(format!("input `{name}` of the graph is no array")));
            };
            values.push((name.to_owned(), value(name, tensor, *ty)?));
        }
        let failed = |error: ort::Error| Error::data(format!("the graph cannot be run: {error}"));
        let outputs = self.session.run(values).map_err(failed)?;
        let found = outputs
            .get(output)
            .ok_or_else(|| Error::invalid_config(format!("the graph has no output `{output}`")))?;
        let of_doubles = || -> ort::Result<(Vec<usize>, Vec<f32>)> {
            let (shape, values) = found.try_extract_tensor::<f64>()?;
            Ok((dimensions(shape), values.iter().map(|&value| value as f32).collect()))
        };
        let of_floats = || -> ort::Result<(Vec<usize>, Vec<f32>)> {
            let (shape, values) = found.try_extract_tensor::<f32>()?;
            Ok((dimensions(shape), values.to_vec()))
        };
        of_floats().or_else(|_| of_doubles()).map_err(|error| {
            Error::data(format!(
                "output `{output}` of the graph is no array of 32 or 64 bit numbers: {error}"
            ))
        })
    }
}

fn dimensions(shape: &[i64]) -> Vec<usize> {
    shape.iter().map(|&size| usize::try_from(size).unwrap_or(0)).collect()
}

/// A tensor in the element type that an input declares.
fn value(name: &str, tensor: Tensor, wanted: TensorElementType) -> Result<SessionInputValue<'static>> {
    let shape: Vec<i64> = tensor.shape.iter().map(|&size| size as i64).collect();
    let made = match (tensor.values, wanted) {
        (Values::Floats(values), TensorElementType::Float32) => of(shape, values),
        (Values::Floats(values), TensorElementType::Float64) => of(shape, values.into_iter().map(f64::from)),
        (Values::Integers(values), TensorElementType::Int64) => of(shape, values),
        (Values::Integers(values), TensorElementType::Int32) => {
            of(shape, values.into_iter().map(|value| value as i32))
        }
        (Values::Integers(values), TensorElementType::Float32) => {
            of(shape, values.into_iter().map(|value| value as f32))
        }
        (Values::Integers(values), TensorElementType::Float64) => {
            of(shape, values.into_iter().map(|value| value as f64))
        }
        (Values::Integers(values), TensorElementType::Bool) => {
            of(shape, values.into_iter().map(|value| value != 0))
        }
        (_, wanted) => {
            return Err(Error::invalid_config(format!(
                "input `{name}` of the graph is of {wanted}, which this cannot be given"
            )));
        }
    };
    made.map_err(|error| Error::data(format!("input `{name}`: {error}")))
}

fn of<T>(shape: Vec<i64>, values: impl IntoIterator<Item = T>) -> ort::Result<SessionInputValue<'static>>
where
    T: ort::value::PrimitiveTensorElementType + std::fmt::Debug + Clone + 'static,
{
    let values: Vec<T> = values.into_iter().collect();
    Ok(Value::from_array((shape, values))?.into())
}
