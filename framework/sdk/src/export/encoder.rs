//! The factory of encoders.

use molarena_abi as abi;

use super::{
    Entry, State, component_from_json, describe_component, destroy, finetune, load, parsed, save,
    with_instance, write_output, write_shape,
};
use crate::{
    Baseline, Call, Component, ComponentDescription, ComponentKind, Corpus, Encoder, Error, FineTune,
    FineTuneDescription, Inputs, Result,
};

/// An encoder behind the ABI: what it does by itself, and models that are fine-tuned from it.
pub trait ExportedEncoder {
    /// The encoder.
    fn encoder(&self) -> &dyn Encoder;
    /// The encoder, to use it.
    fn encoder_mut(&mut self) -> &mut dyn Encoder;
    /// A model that starts from its state, with a JSON configuration.
    fn finetune(&self, config: &str) -> Result<Box<dyn Baseline>>;
}

/// Makes a model that is fine-tuned from `C`.
type MakeModel<C> = fn(encoder: &C, config: &str) -> Result<Box<dyn Baseline>>;

/// An encoder and what makes a model from it, if it can be fine-tuned.
struct Exported<C> {
    encoder: C,
    finetune: Option<MakeModel<C>>,
}

impl<C: Component + Encoder> ExportedEncoder for Exported<C> {
    fn encoder(&self) -> &dyn Encoder {
        &self.encoder
    }

    fn encoder_mut(&mut self) -> &mut dyn Encoder {
        &mut self.encoder
    }

    fn finetune(&self, config: &str) -> Result<Box<dyn Baseline>> {
        let make = self.finetune.ok_or_else(|| {
            let id = C::INFO.id;
            Error::unsupported(format!("encoder `{id}` cannot be fine-tuned; put a baseline on its vectors"))
        })?;
        make(&self.encoder, config)
    }
}

impl State for dyn ExportedEncoder {
    fn save_state(&self) -> Result<Vec<u8>> {
        self.encoder().save()
    }

    fn load_state(&mut self, state: &[u8]) -> Result<()> {
        self.encoder_mut().load(state)
    }
}

/// One encoder of a plugin.
pub type EncoderEntry = Entry<dyn ExportedEncoder>;

impl EncoderEntry {
    /// The entry of component `C`.
    pub const fn of<C: Component + Encoder>() -> Self {
        Self::new::<C>(ComponentKind::Encoder, |config| {
            Ok(Box::new(Exported { encoder: component_from_json::<C>(config)?, finetune: None }))
        })
    }

    /// The entry of component `C`, which can be fine-tuned.
    pub const fn tunable<C: FineTune>() -> Self {
        let make = |config: &str| -> Result<Box<dyn ExportedEncoder>> {
            let finetune: MakeModel<C> = |encoder, config| {
                let config = parsed(config, || format!("fine-tuning of `{}`", C::INFO.id))?;
                Ok(Box::new(encoder.finetune(config)?))
            };
            Ok(Box::new(Exported { encoder: component_from_json::<C>(config)?, finetune: Some(finetune) }))
        };
        let entry = Self::new::<C>(ComponentKind::Encoder, make);
        Self { describe: describe_tunable::<C>, tunable: true, ..entry }
    }
}

fn describe_tunable<C: FineTune>(kind: ComponentKind) -> ComponentDescription {
    let config_schema = schemars::schema_for!(C::FineTuneConfig).into();
    ComponentDescription {
        finetune: Some(FineTuneDescription { config_schema }),
        ..describe_component::<C>(kind)
    }
}

/// The factory table; its `create` knows the plugin's components, `encoders`.
pub const fn encoder_factory(
    create: abi::MolarenaCreate,
    encoders: &[EncoderEntry],
) -> abi::MolarenaEncoderFactory {
    let (mut index, mut tunable) = (0, false);
    while index < encoders.len() {
        tunable |= encoders[index].tunable;
        index += 1;
    }
    abi::MolarenaEncoderFactory {
        struct_size: size_of::<abi::MolarenaEncoderFactory>() as u32,
        reserved: 0,
        create: Some(create),
        fit: Some(fit),
        output_shape: Some(output_shape),
        encode: Some(encode),
        save: Some(save::<dyn ExportedEncoder>),
        load: Some(load::<dyn ExportedEncoder>),
        destroy: Some(destroy::<dyn ExportedEncoder>),
        get_extension: if tunable { Some(finetune::get_extension) } else { None },
    }
}

unsafe extern "C" fn fit(
    handle: abi::MolarenaHandle,
    corpus: *const abi::MolarenaCorpus,
    call: *const abi::MolarenaCall,
    error: *mut abi::MolarenaError,
) -> i32 {
    // SAFETY: the caller follows the ABI, here and in the functions below.
    unsafe {
        with_instance::<dyn ExportedEncoder>(handle, error, |exported| {
            let corpus = Corpus::from_abi(corpus)?;
            Call::from_abi(call, |call| exported.encoder_mut().fit(&corpus, call))
        })
    }
}

unsafe extern "C" fn output_shape(
    handle: abi::MolarenaHandle,
    rows: u64,
    shape: *mut u64,
    error: *mut abi::MolarenaError,
) -> i32 {
    // SAFETY: as in `fit`.
    unsafe {
        with_instance::<dyn ExportedEncoder>(handle, error, |exported| {
            write_shape(shape, rows, exported.encoder().width())
        })
    }
}

unsafe extern "C" fn encode(
    handle: abi::MolarenaHandle,
    inputs: *const abi::MolarenaInputs,
    output: *mut abi::MolarenaOutput,
    call: *const abi::MolarenaCall,
    error: *mut abi::MolarenaError,
) -> i32 {
    // SAFETY: as in `fit`.
    unsafe {
        with_instance::<dyn ExportedEncoder>(handle, error, |exported| {
            let inputs = Inputs::from_abi(inputs)?;
            let vectors = Call::from_abi(call, |call| exported.encoder_mut().encode(&inputs, call))?;
            write_output(output, &vectors)
        })
    }
}
