//! The encoder `chemnet`.

use molarena_sdk::{Call, Component, Determinism, Encoder, Error, Info, InputKind, Inputs, Matrix, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    network::{Network, ROWS, WIDTH},
    symbols::{LENGTH, symbols},
};

/// Configuration of [`ChemNet`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChemNetConfig {
    /// Whether a SMILES of more than 349 symbols is cut off; if not, it is refused.
    #[serde(default)]
    pub truncate: bool,
}

/// `ChemNet` as released with `fcd-torch`; its weights are that package's file.
///
/// It was trained on canonical SMILES without stereo. Without weights they are random and derive from the call's seed: the control.
#[derive(Debug)]
pub struct ChemNet {
    config: ChemNetConfig,
    loaded: Option<(Vec<u8>, Network)>,
}

impl Component for ChemNet {
    type Config = ChemNetConfig;
    const INFO: Info = Info {
        id: "chemnet",
        summary: "convolutions and LSTM over SMILES, trained on bioactivity (Preuer et al. 2018)",
        inputs: &[InputKind::Smiles],
        devices: &["cpu"],
        determinism: Determinism::Tolerance,
        corpora: &[],
    };

    fn new(config: ChemNetConfig) -> Result<Self> {
        Ok(Self { config, loaded: None })
    }
}

impl Encoder for ChemNet {
    fn width(&self) -> usize {
        WIDTH
    }

    fn encode(&mut self, molecules: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        let smiles = molecules.smiles()?;
        let random = match self.loaded {
            Some(_) => None,
            None => {
                Some(Network::random(crate::random::uniform(call.seed)).map_err(|error| internal(&error))?)
            }
        };
        let network = self.loaded.as_ref().map(|(_, network)| network).or(random.as_ref());
        let network = network.expect("one of the two is there");
        let mut values = Vec::with_capacity(molecules.rows * WIDTH);
        crate::with_threads(call, || {
            let mut from = 0;
            while from < molecules.rows {
                call.check()?;
                let to = molecules.rows.min(from + ROWS);
                let read = (from..to).map(|row| {
                    let (symbols, fits) = symbols(smiles.get(row));
                    if fits || self.config.truncate {
                        return Ok(symbols);
                    }
                    let most = LENGTH - 1;
                    Err(Error::invalid_argument(format!(
                        "molecule {row} has more than {most} symbols, which is the context of ChemNet: set `truncate = true` \
                         to cut it off"
                    )))
                });
                let read: Vec<_> = read.collect::<Result<_>>()?;
                values.extend(network.forward(&read).map_err(|error| internal(&error))?);
                from = to;
                call.progress(from as f64 / molecules.rows as f64, "molecules encoded");
            }
            Ok(())
        })??;
        Matrix::new(molecules.rows, WIDTH, values)
    }

    fn save(&self) -> Result<Vec<u8>> {
        let loaded = self.loaded.as_ref();
        loaded
            .map(|(bytes, _)| bytes.clone())
            .ok_or_else(|| Error::invalid_argument("`save` needs `load` first"))
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        let network = Network::read(state)
            .map_err(|reason| Error::data(format!("the file is not that of ChemNet: {reason}")))?;
        self.loaded = Some((state.to_vec(), network));
        Ok(())
    }
}

fn internal(error: &candle_core::Error) -> Error {
    Error::internal(error.to_string())
}
