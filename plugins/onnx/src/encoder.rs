//! The encoder `onnx`.

use molarena_sdk::{Call, Component, Determinism, Encoder, Error, Info, InputKind, Inputs, Matrix, Result};

use crate::{
    config::{Given, OnnxConfig},
    inputs::tensor,
    network::Network,
    pool, random,
    vocabulary::Tokens,
};

/// Runs the graph of an ONNX file, which is its weights.
#[derive(Debug)]
pub struct Onnx {
    config: OnnxConfig,
    tokens: Option<Tokens>,
    loaded: Option<Loaded>,
}

/// A file that was loaded.
#[derive(Debug)]
struct Loaded {
    bytes: Vec<u8>,
    /// What is run instead, if the configuration wants random weights.
    random: Option<Vec<u8>>,
    network: Network,
    output: String,
    width: usize,
}

impl Component for Onnx {
    type Config = OnnxConfig;
    const INFO: Info = Info {
        id: "onnx",
        summary: "the output of an ONNX file, which is its weights",
        inputs: &[InputKind::Smiles, InputKind::Dense, InputKind::Bits, InputKind::Graphs],
        devices: &["cpu"],
        determinism: Determinism::Tolerance,
        corpora: &[],
    };
    const USES_SEED: bool = false;

    fn new(config: OnnxConfig) -> Result<Self> {
        config.check()?;
        let tokens = config.vocabulary.as_ref().map(Tokens::new).transpose()?;
        Ok(Self { config, tokens, loaded: None })
    }
}

impl Onnx {
    fn loaded(&mut self) -> Result<&mut Loaded> {
        self.loaded.as_mut().ok_or_else(|| {
            Error::invalid_argument(
                "no ONNX file is loaded: give the method encoder.weights = { file = \"model.onnx\", sha256 = \"...\" }",
            )
        })
    }

    /// Atoms and tokens of each molecule, as far as the inputs of the graph have them.
    fn counts(
        &self,
        molecules: &Inputs<'_>,
        rows: std::ops::Range<usize>,
    ) -> Result<[Option<Vec<usize>>; 2]> {
        let has = |wanted: &[Given]| self.config.inputs.values().any(|given| wanted.contains(given));
        let atoms = if has(&[Given::AtomFeatures, Given::GraphiumAtoms]) {
            let graphs = molecules.graphs()?;
            Some(rows.clone().map(|row| graphs.atom_range(row).len()).collect())
        } else {
            None
        };
        let tokens = match &self.tokens {
            Some(tokens) if has(&[Given::Tokens]) => {
                let smiles = molecules.smiles()?;
                let count = |row| Ok(tokens.row(smiles.get(row))?.1);
                Some(rows.map(count).collect::<Result<_>>()?)
            }
            _ => None,
        };
        Ok([atoms, tokens])
    }
}

impl Encoder for Onnx {
    fn width(&self) -> usize {
        self.loaded.as_ref().map_or(0, |loaded| loaded.width)
    }

    fn encode(&mut self, molecules: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        let threads = call.threads.max(1);
        let loaded = self.loaded()?;
        if loaded.network.threads() != threads {
            loaded.network = Network::new(loaded.random.as_ref().unwrap_or(&loaded.bytes), threads)?;
        }
        let (width, output) = (loaded.width, loaded.output.clone());
        let mut values = Vec::with_capacity(molecules.rows * width);
        let mut from = 0;
        while from < molecules.rows {
            call.check()?;
            let rows = from..molecules.rows.min(from + self.config.batch);
            let [atoms, tokens] = self.counts(molecules, rows.clone())?;
            let mut inputs = Vec::new();
            for (name, given) in &self.config.inputs {
                inputs.push((name.clone(), tensor(*given, molecules, rows.clone(), self.tokens.as_ref())?));
            }
            let inputs = inputs.iter().map(|(name, tensor)| (name.as_str(), tensor.clone())).collect();
            let pool = self.config.pool;
            let (shape, found) = self.loaded()?.network.run(inputs, &output)?;
            let vectors =
                pool::vectors(pool, &shape, &found, rows.len(), atoms.as_deref(), tokens.as_deref())?;
            if vectors.len() != rows.len() * width {
                return Err(Error::data(format!(
                    "the output `{output}` has {} columns, expected {width}: set `width`",
                    vectors.len() / rows.len()
                )));
            }
            values.extend(vectors);
            from = rows.end;
            call.progress(from as f64 / molecules.rows as f64, "molecules encoded");
        }
        Matrix::new(molecules.rows, width, values)
    }

    fn save(&self) -> Result<Vec<u8>> {
        let loaded = self.loaded.as_ref();
        let loaded = loaded.ok_or_else(|| Error::invalid_argument("no ONNX file is loaded"))?;
        Ok(loaded.bytes.clone())
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        let random = match self.config.random {
            Some(seed) => Some(random::weights(state, seed).ok_or_else(|| {
                Error::data("`random` is set, and the ONNX file has no matrix of weights to draw anew")
            })?),
            None => None,
        };
        let network = Network::new(random.as_deref().unwrap_or(state), 1)?;
        let known: Vec<String> = network.outputs().into_iter().map(str::to_owned).collect();
        let output = match &self.config.output {
            Some(named) if known.contains(named) => named.clone(),
            Some(named) => {
                let message = format!("`output` is `{named}`, and the graph has: {}", known.join(", "));
                return Err(Error::invalid_config(message));
            }
            None => known.first().cloned().ok_or_else(|| Error::data("the graph has no output"))?,
        };
        let wanted = network.inputs();
        if let Some(missing) = wanted.iter().find(|name| !self.config.inputs.contains_key(**name)) {
            return Err(Error::invalid_config(format!(
                "the graph wants an input `{missing}`, which `inputs` does not fill"
            )));
        }
        if let Some(unknown) = self.config.inputs.keys().find(|name| !wanted.contains(&name.as_str())) {
            return Err(Error::invalid_config(format!(
                "`inputs` fills `{unknown}`, and the graph has: {}",
                wanted.join(", ")
            )));
        }
        let width = match (network.width(&output), self.config.width) {
            (Some(width), None) => width,
            (Some(width), Some(named)) if width == named => width,
            (Some(width), Some(named)) => {
                let message = format!("`width` is {named}, and output `{output}` has {width} columns");
                return Err(Error::invalid_config(message));
            }
            (None, Some(named)) => named,
            (None, None) => {
                return Err(Error::invalid_config(format!(
                    "the file does not say how many columns output `{output}` has: set `width`"
                )));
            }
        };
        self.loaded = Some(Loaded { bytes: state.to_vec(), random, network, output, width });
        Ok(())
    }
}
