//! A baseline of a library, or of a program.

use molarena_abi as abi;
use molarena_sdk::{Call, Inputs, Labels, Matrix, raw};

use super::{Backend, LoadError, call, expect_shape, filled, instance, loaded, need};

/// A baseline of a library.
#[derive(Debug)]
pub(super) struct TableBaseline {
    factory: abi::MolarenaBaselineFactory,
    handle: abi::MolarenaHandle,
}

instance!(TableBaseline, abi::MolarenaBaselineFactory);

impl TableBaseline {
    /// A model that was fine-tuned from an encoder: its table is that of a baseline, but for `create`.
    pub(super) fn of_model(table: &abi::MolarenaFineTune, handle: abi::MolarenaHandle) -> Self {
        let factory = abi::MolarenaBaselineFactory {
            struct_size: raw::size_of::<abi::MolarenaBaselineFactory>(),
            reserved: 0,
            create: None,
            fit: table.fit,
            output_shape: table.output_shape,
            predict: table.predict,
            save: table.save,
            load: table.load,
            destroy: table.destroy,
            get_extension: None,
        };
        Self { factory, handle }
    }

    /// Learns from the training molecules; the validation molecules are for model selection only.
    pub(super) fn fit(
        &mut self,
        train: &Inputs<'_>,
        train_labels: &Labels<'_>,
        valid: &Inputs<'_>,
        valid_labels: &Labels<'_>,
        context: &Call<'_>,
    ) -> Result<(), LoadError> {
        let fit = need(self.factory.fit, "fit")?;
        let (train, valid) = (train.to_abi(), valid.to_abi());
        let (train_labels, valid_labels) = (train_labels.to_abi(), valid_labels.to_abi());
        context.with_abi(|context| {
            // SAFETY: the handle came from this factory; everything lent lives until the function returns.
            call(|error| unsafe {
                fit(
                    self.handle,
                    &raw const train,
                    &raw const train_labels,
                    &raw const valid,
                    &raw const valid_labels,
                    context,
                    error,
                )
            })
        })
    }

    /// Predicts `f32[n, tasks]`; another shape is an error.
    pub(super) fn predict(
        &mut self,
        inputs: &Inputs<'_>,
        tasks: usize,
        context: &Call<'_>,
    ) -> Result<Matrix, LoadError> {
        let shape = need(self.factory.output_shape, "output_shape")?;
        let predict = need(self.factory.predict, "predict")?;
        // SAFETY: as in `fit`.
        expect_shape(inputs.rows, tasks, |dims, error| unsafe {
            shape(self.handle, inputs.rows as u64, dims, error)
        })?;
        let lent = inputs.to_abi();
        context.with_abi(|context| {
            // SAFETY: as in `fit`.
            filled(inputs.rows, tasks, |output, error| unsafe {
                predict(self.handle, &raw const lent, output, context, error)
            })
        })
    }
}

/// A baseline of a plugin, or a model that is fine-tuned from an encoder.
#[derive(Debug)]
pub struct LoadedBaseline(pub(super) Backend<TableBaseline>);

loaded!(LoadedBaseline);

impl LoadedBaseline {
    /// Learns from the training molecules; the validation molecules are for model selection only.
    pub fn fit(
        &mut self,
        train: &Inputs<'_>,
        train_labels: &Labels<'_>,
        valid: &Inputs<'_>,
        valid_labels: &Labels<'_>,
        context: &Call<'_>,
    ) -> Result<(), LoadError> {
        match &mut self.0 {
            Backend::Table(table) => table.fit(train, train_labels, valid, valid_labels, context),
            Backend::Process(instance) => {
                instance.fit_baseline([train, valid], [train_labels, valid_labels], context)
            }
        }
    }

    /// Predicts `f32[n, tasks]`; another shape is an error.
    pub fn predict(
        &mut self,
        inputs: &Inputs<'_>,
        tasks: usize,
        context: &Call<'_>,
    ) -> Result<Matrix, LoadError> {
        match &mut self.0 {
            Backend::Table(table) => table.predict(inputs, tasks, context),
            Backend::Process(instance) => instance.predict(inputs, tasks, context),
        }
    }
}
