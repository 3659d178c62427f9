//! An encoder of a library, or of a program.

use molarena_abi as abi;
use molarena_sdk::{Call, Corpus, Inputs, Matrix};

use super::{Backend, LoadError, call, check_shape, filled, instance, loaded, need};

/// An encoder of a library.
#[derive(Debug)]
pub(super) struct TableEncoder {
    factory: abi::MolarenaEncoderFactory,
    handle: abi::MolarenaHandle,
}

instance!(TableEncoder, abi::MolarenaEncoderFactory);

impl TableEncoder {
    /// Pretrains on a context graph.
    pub(super) fn fit(&mut self, corpus: &Corpus<'_>, context: &Call<'_>) -> Result<(), LoadError> {
        let fit = need(self.factory.fit, "fit")?;
        corpus.with_abi(|corpus| {
            context.with_abi(|context| {
                // SAFETY: the handle came from this factory; everything lent lives until the function returns.
                call(|error| unsafe { fit(self.handle, corpus, context, error) })
            })
        })
    }

    /// Encodes n molecules to `f32[n, width]`.
    pub(super) fn encode(&mut self, molecules: &Inputs<'_>, context: &Call<'_>) -> Result<Matrix, LoadError> {
        let shape = need(self.factory.output_shape, "output_shape")?;
        let encode = need(self.factory.encode, "encode")?;
        let mut dims = [0u64; 2];
        // SAFETY: as in `fit`.
        call(|error| unsafe { shape(self.handle, molecules.rows as u64, dims.as_mut_ptr(), error) })?;
        let width = dims[1] as usize;
        let lent = molecules.to_abi();
        let vectors = context.with_abi(|context| {
            // SAFETY: as in `fit`.
            filled(molecules.rows, width, |output, error| unsafe {
                encode(self.handle, &raw const lent, output, context, error)
            })
        })?;
        // An encoder without training may have no width; what it says of that comes first.
        check_shape(molecules.rows, width.max(1), dims[0], dims[1])?;
        Ok(vectors)
    }
}

/// An encoder of a plugin.
#[derive(Debug)]
pub struct LoadedEncoder(pub(super) Backend<TableEncoder>);

loaded!(LoadedEncoder);

impl LoadedEncoder {
    /// Pretrains on a context graph.
    pub fn fit(&mut self, corpus: &Corpus<'_>, context: &Call<'_>) -> Result<(), LoadError> {
        match &mut self.0 {
            Backend::Table(table) => table.fit(corpus, context),
            Backend::Process(instance) => instance.fit_encoder(corpus, context),
        }
    }

    /// Encodes n molecules to `f32[n, width]`.
    pub fn encode(&mut self, molecules: &Inputs<'_>, context: &Call<'_>) -> Result<Matrix, LoadError> {
        match &mut self.0 {
            Backend::Table(table) => table.encode(molecules, context),
            Backend::Process(instance) => instance.encode(molecules, context),
        }
    }
}
