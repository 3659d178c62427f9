//! An encoder of a library, or of a program.

use molarena_abi as abi;
use molarena_sdk::{Call, Corpus, Inputs, Matrix, raw};

use super::{
    Backend, LoadError, LoadedBaseline, TableBaseline, call, check_shape, filled, instance, loaded, made,
    need,
};

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

impl TableEncoder {
    /// A model that starts from this encoder's state.
    pub(super) fn finetune(&self, config: &str) -> Result<TableBaseline, LoadError> {
        let id = abi::ENCODER_FINETUNE;
        let get = need(self.factory.get_extension, id)?;
        // SAFETY: the id says which table comes back; it lives as long as the process.
        let table = unsafe { abi::read_sized(get(raw::text(id)).cast::<abi::MolarenaFineTune>()) };
        let table = need(table, id)?;
        let create = need(table.create, "create")?;
        // SAFETY: the handle came from this factory; the text lives until the function returns.
        let handle = made(|place, error| unsafe { create(self.handle, raw::text(config), place, error) })?;
        Ok(TableBaseline::of_model(&table, handle))
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

    /// A model that trains this encoder end to end with a head, from its present state; it outlives the encoder. `config`
    /// is a JSON text. An encoder that does not offer it gives the status `MOLARENA_ERROR_UNSUPPORTED`.
    pub fn finetune(&self, config: &str) -> Result<LoadedBaseline, LoadError> {
        Ok(LoadedBaseline(match &self.0 {
            Backend::Table(table) => Backend::Table(table.finetune(config)?),
            Backend::Process(instance) => Backend::Process(instance.finetune(config)?),
        }))
    }
}
