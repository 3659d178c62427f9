//! Pretraining by masked language modelling (Devlin et al. 2019, arXiv 1810.04805; masks are drawn anew in each epoch as in Liu et al.
//! 2019): of 15 % of a molecule's tokens, 80 % are masked, 10 % replaced by others and 10 % kept, and the network says what they were.

use burn::tensor::{Int, Tensor, TensorData, activation::log_softmax};
use molarena_nn::{
    Arrays, Parameters, Pass, Random,
    training::{Schedule, Task, Training, train},
};
use molarena_sdk::{Call, Corpus, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokenizers::Tokenizer;

use super::{
    roberta::{Roberta, Tokens, is_symbol},
    vocabulary::{MASK, SPECIAL, tokenizer},
};

/// Purposes of random streams.
const HELD_OUT: u64 = 40;
const VALIDATION: u64 = 41;
const RANDOM_WEIGHTS: u64 = 10;

/// Share of all steps in which the learning rate rises.
const WARM_UP: f64 = 0.1;

/// Shape and training of the `RoBERTa` that is pretrained on a corpus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pretraining {
    /// Number of layers, at least 1.
    #[schemars(range(min = 1))]
    pub layers: usize,
    /// Columns of a hidden state: a multiple of `heads`.
    #[schemars(range(min = 1))]
    pub width: usize,
    /// Heads of the attention, at least 1.
    #[schemars(range(min = 1))]
    pub heads: usize,
    /// Most tokens of a molecule, at least 3; of longer ones pretraining sees the start.
    #[schemars(range(min = 3))]
    pub context: usize,
    /// Probability in [0, 1) that training drops a value.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub dropout: f64,
    /// Share in (0, 1) of a molecule's tokens that the network says.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub masked: f64,
    /// Number of passes over the molecules. With 0 the weights stay random: the control that pretraining has to beat.
    pub epochs: usize,
    /// Number of molecules in a batch, at least 2.
    #[schemars(range(min = 2))]
    pub batch_size: usize,
    /// Largest learning rate of Adam, above 0; it rises in the first tenth of the steps and then falls to a tenth.
    pub learning_rate: f64,
    /// Share of the molecules held out to choose the epoch, in [0, 1).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub valid_share: f64,
}

impl Default for Pretraining {
    fn default() -> Self {
        Self {
            layers: 3,
            width: 128,
            heads: 4,
            context: 128,
            dropout: 0.1,
            masked: 0.15,
            epochs: 2,
            batch_size: 64,
            learning_rate: 1e-3,
            valid_share: 0.02,
        }
    }
}

impl Pretraining {
    /// Checks what a schema cannot. The error names the parameter.
    pub(super) fn check(&self) -> Result<()> {
        let wrong = |name: &str, value: &dyn std::fmt::Display, wanted: &str| {
            Err(Error::invalid_config(format!("`pretraining.{name}` is {value}, must be {wanted}")))
        };
        let least = [
            ("layers", self.layers, 1),
            ("heads", self.heads, 1),
            ("width", self.width, 1),
            ("context", self.context, 3),
            ("batch_size", self.batch_size, 2),
        ];
        if let Some((name, value, least)) = least.into_iter().find(|(_, value, least)| value < least) {
            return wrong(name, &value, &format!("at least {least}"));
        }
        if !self.width.is_multiple_of(self.heads) {
            return wrong("width", &self.width, &format!("a multiple of `heads`, {}", self.heads));
        }
        for (name, value) in [("dropout", self.dropout), ("valid_share", self.valid_share)] {
            if !(0.0..1.0).contains(&value) {
                return wrong(name, &value, "in [0, 1)");
            }
        }
        if !(self.masked > 0.0 && self.masked < 1.0) {
            return wrong("masked", &self.masked, "in (0, 1)");
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return wrong("learning_rate", &self.learning_rate, "above 0");
        }
        Ok(())
    }

    fn network(&self, vocabulary: usize) -> Roberta {
        let Self { layers, width, heads, context, dropout, .. } = *self;
        Roberta { layers, width, heads, vocabulary, context, dropout }
    }

    fn training(&self) -> Training {
        Training {
            learning_rate: self.learning_rate,
            schedule: Schedule::WarmUp(WARM_UP),
            weight_decay: 0.0,
            batch_size: self.batch_size,
            epochs: self.epochs,
            patience: 0,
        }
    }
}

/// A pretrained network, its tokenizer and its weights.
pub(super) struct Pretrained {
    pub(super) network: Roberta,
    pub(super) tokenizer: Tokenizer,
    pub(super) weights: Arrays,
}

impl Pretrained {
    /// The tar archive of its folder, as [`Folder`](super::folder::Folder) reads it.
    pub(super) fn archive(&self) -> Result<Vec<u8>> {
        let internal = |error: String| Error::internal(format!("archive of the pretrained model: {error}"));
        let config = serde_json::to_vec_pretty(&self.network.config()).expect("plain data");
        let tokenizer = self.tokenizer.to_string(true).map_err(|error| internal(error.to_string()))?;
        let files = [
            ("config.json", config),
            ("tokenizer.json", tokenizer.into_bytes()),
            ("model.safetensors", self.weights.to_safetensors()?),
        ];
        let mut archive = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            let written = archive.append_data(&mut header, name, bytes.as_slice());
            written.map_err(|error| internal(error.to_string()))?;
        }
        archive.into_inner().map_err(|error| internal(error.to_string()))
    }
}

/// Trains on the SMILES of a corpus.
pub(super) fn pretrain(params: &Pretraining, corpus: &Corpus<'_>, call: &Call<'_>) -> Result<Pretrained> {
    let smiles = corpus.molecules.smiles()?;
    let tokenizer = tokenizer(&smiles)?;
    let mut molecules = Vec::with_capacity(corpus.molecules.rows);
    for (row, smiles) in smiles.iter().enumerate() {
        let encoded = tokenizer
            .encode(smiles, true)
            .map_err(|error| Error::data(format!("corpus: molecule {row}: {error}")))?;
        molecules.push(encoded.get_ids().iter().take(params.context).map(|&token| token as i32).collect());
    }
    let network = params.network(tokenizer.get_vocab_size(true));
    let slots = network.slots();
    let rows = molecules.len();
    let held_out = (rows as f64 * params.valid_share).round() as usize;
    if rows < held_out + 2 {
        return Err(Error::data(format!(
            "corpus: {rows} molecules, of which {held_out} are held out; training needs at least 2"
        )));
    }
    if params.epochs == 0 {
        let weights = slots.random(&mut Random::of(call.seed, 0, RANDOM_WEIGHTS));
        return Ok(Pretrained { network, tokenizer, weights });
    }
    let mut order = Random::of(call.seed, 0, HELD_OUT).order(rows);
    let mut train_rows = order.split_off(held_out);
    train_rows.sort_unstable();
    let mut task = MaskedLanguage {
        params,
        network: network.clone(),
        molecules,
        train_rows,
        valid_rows: order,
        random: Random::of(call.seed, 0, VALIDATION),
        seed: call.seed,
    };
    let config = serde_json::to_string(params).expect("plain data");
    let identity = format!("seed {}, {rows} molecules, {} tokens, {config}", call.seed, network.vocabulary);
    let weights = train(&mut task, &slots, &params.training(), &identity, call)?;
    Ok(Pretrained { network, tokenizer, weights })
}

/// A batch whose tokens are to be said.
struct Masked {
    tokens: Tokens,
    /// Places among all of the batch.
    places: Vec<i32>,
    /// The tokens that stood there.
    targets: Vec<i32>,
}

struct MaskedLanguage<'a> {
    params: &'a Pretraining,
    network: Roberta,
    /// The tokens of each molecule.
    molecules: Vec<Vec<i32>>,
    train_rows: Vec<usize>,
    valid_rows: Vec<usize>,
    /// The masks of an epoch.
    random: Random,
    seed: u64,
}

impl MaskedLanguage<'_> {
    fn masked(&self, rows: &[usize], random: &mut Random) -> Masked {
        let molecules: Vec<&[i32]> = rows.iter().map(|&row| self.molecules[row].as_slice()).collect();
        let mut tokens = Tokens::new(&molecules);
        let symbols: Vec<usize> =
            (0..tokens.numbers.len()).filter(|&place| is_symbol(tokens.numbers[place])).collect();
        let mut places: Vec<usize> =
            symbols.iter().copied().filter(|_| random.unit() < self.params.masked).collect();
        if places.is_empty() {
            // Whatever is drawn, a batch has something to say.
            places.extend(symbols.get(random.below(symbols.len().max(1))).or(Some(&0)));
        }
        let targets = places.iter().map(|&place| tokens.numbers[place]).collect();
        let known = self.network.vocabulary - SPECIAL.len();
        for &place in &places {
            let drawn = random.unit();
            if drawn < 0.8 {
                tokens.numbers[place] = MASK;
            } else if drawn < 0.9 && known > 0 {
                tokens.numbers[place] = (SPECIAL.len() + random.below(known)) as i32;
            }
        }
        Masked { tokens, places: places.into_iter().map(|place| place as i32).collect(), targets }
    }

    /// The mean cross-entropy of the tokens to be said and the share of those whose most likely one is right, `f32[1]` each.
    fn loss_of(&self, pass: &mut Pass<'_>, masked: Masked) -> [Tensor<1>; 2] {
        let hidden = self.network.hidden(pass, &masked.tokens);
        let logits = Roberta::logits(pass, hidden, masked.places);
        let count = masked.targets.len();
        let targets = TensorData::new(masked.targets, [count, 1]);
        let targets = Tensor::<2, Int>::from_data(targets, pass.device());
        let right = logits.clone().argmax(1).equal(targets.clone()).float().mean();
        [-log_softmax(logits, 1).gather(1, targets).mean(), right]
    }
}

impl Task for MaskedLanguage<'_> {
    fn parts(&self) -> Vec<String> {
        vec!["accuracy".to_owned()]
    }

    fn rows(&self) -> usize {
        self.train_rows.len()
    }

    fn start_epoch(&mut self, _: usize, random: &mut Random) -> Result<()> {
        self.random = random.clone();
        Ok(())
    }

    fn loss(
        &mut self,
        pass: &mut Pass<'_>,
        rows: &[usize],
        _: usize,
    ) -> Result<(Tensor<1>, Vec<Option<Tensor<1>>>)> {
        let rows: Vec<usize> = rows.iter().map(|&row| self.train_rows[row]).collect();
        let mut random = self.random.clone();
        let masked = self.masked(&rows, &mut random);
        self.random = random;
        let [loss, right] = self.loss_of(pass, masked);
        Ok((loss, vec![Some(right)]))
    }

    fn validate(&mut self, parameters: &mut Parameters, call: &Call<'_>) -> Result<Option<f64>> {
        if self.valid_rows.is_empty() {
            return Ok(None);
        }
        // The same masks in every epoch.
        let mut random = Random::of(self.seed, 0, VALIDATION);
        let mut sum = 0.0;
        for rows in self.valid_rows.chunks(self.params.batch_size) {
            call.check()?;
            let masked = self.masked(rows, &mut random);
            let [loss, _] = self.loss_of(&mut Pass::evaluate(parameters), masked);
            sum += f64::from(loss.into_scalar::<f32>()) * rows.len() as f64;
        }
        Ok(Some(sum / self.valid_rows.len() as f64))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use molarena_features::{Features, OwnedSmiles};
    use molarena_sdk::{Component, Encoder, Inputs};

    use super::*;
    use crate::{
        Transformer, TransformerConfig,
        transformer::{folder::Folder, network::Network},
    };

    const SMILES: [&str; 6] =
        ["CCO", "CC(=O)Oc1ccccc1C(=O)O", "c1ccncc1", "CCN(CC)CC", "OC(=O)C1CC1", "Cc1ccccc1N"];

    fn small() -> Pretraining {
        let training = Pretraining {
            epochs: 30,
            batch_size: 16,
            learning_rate: 3e-3,
            valid_share: 0.1,
            ..Pretraining::default()
        };
        Pretraining { layers: 2, width: 16, heads: 2, context: 24, dropout: 0.0, ..training }
    }

    fn corpus<'a>(molecules: Inputs<'a>, nodes: &'a [u64], kinds: &'a [u8]) -> Corpus<'a> {
        let (edge_sources, edge_targets, edge_weights) = (&[][..], &[][..], &[][..]);
        let (node_kinds, molecule_nodes, spaces) = (kinds, nodes, Vec::new());
        Corpus { node_kinds, molecules, molecule_nodes, spaces, edge_sources, edge_targets, edge_weights }
    }

    fn pretrained(params: &Pretraining, folder: Option<&std::path::Path>) -> (Transformer, Vec<f32>) {
        let smiles: Vec<&str> = SMILES.iter().copied().cycle().take(120).collect();
        let lent = Features::Smiles(OwnedSmiles::new(&smiles));
        let (nodes, kinds): (Vec<u64>, Vec<u8>) = ((0..120).collect(), vec![0; 120]);
        let config = TransformerConfig { pretraining: params.clone(), ..TransformerConfig::default() };
        let mut transformer = Transformer::new(config).unwrap();
        let call = Call { folder, ..Call::new(1, 2) };
        transformer.fit(&corpus(lent.inputs(), &nodes, &kinds), &call).unwrap();
        let vectors = transformer
            .encode(&Features::Smiles(OwnedSmiles::new(SMILES)).inputs(), &Call::new(0, 1))
            .unwrap()
            .values;
        (transformer, vectors)
    }

    /// Of one weights, the network that is trained and the one that encodes give the same.
    #[test]
    fn the_trained_network_is_the_one_that_encodes() {
        let (transformer, _) = pretrained(&Pretraining { epochs: 1, ..small() }, None);
        let folder = Folder::read(&transformer.save().unwrap()).unwrap();
        let network = Network::load(&folder.config, folder.tensors.clone()).unwrap();
        assert_eq!((network.width, network.context), (16, Some(24)));
        let encode = |smiles: &str| folder.tokenizer.encode(smiles, true).unwrap().get_ids().to_vec();
        let tokens: Vec<Vec<u32>> = SMILES.iter().map(|smiles| encode(smiles)).collect();
        let whole: Vec<Vec<i32>> =
            tokens.iter().map(|tokens| tokens.iter().map(|&token| token as i32).collect()).collect();
        let trained = small().network(folder.tokenizer.get_vocab_size(true));
        let mut arrays = Arrays::default();
        for (name, tensor) in &folder.tensors {
            let values = tensor.flatten_all().unwrap().to_vec1().unwrap();
            arrays.arrays.insert(name.clone(), molarena_nn::Array::new(tensor.dims(), values));
        }
        let mut parameters = Parameters::take(&trained.slots(), &mut arrays, &Device::flex()).unwrap();
        assert_eq!(arrays.arrays.len(), 0);
        // All of them in one batch, the shorter ones filled up.
        let batch = Tokens::new(&whole.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let hidden: Vec<f32> =
            trained.hidden(&mut Pass::evaluate(&mut parameters), &batch).into_data().try_into_vec().unwrap();
        for (row, tokens) in tokens.iter().enumerate() {
            let input =
                candle_core::Tensor::from_vec(tokens.clone(), (1, tokens.len()), &candle_core::Device::Cpu)
                    .unwrap();
            let expected: Vec<f32> =
                network.forward(&input).unwrap().flatten_all().unwrap().to_vec1().unwrap();
            let found = &hidden[row * batch.length * 16..][..expected.len()];
            let largest =
                found.iter().zip(&expected).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
            assert!(largest < 1e-5, "molecule {row}: {largest}");
        }
    }

    #[test]
    fn masks_are_drawn_in_the_shares_of_the_paper() {
        let (length, rows) = (102, 200);
        let mut molecule = vec![0];
        molecule.extend(std::iter::repeat_n(7, length - 2));
        molecule.push(2);
        let params = Pretraining { context: length, ..small() };
        let task = MaskedLanguage {
            params: &params,
            network: params.network(105),
            molecules: vec![molecule; rows],
            train_rows: Vec::new(),
            valid_rows: Vec::new(),
            random: Random::of(0, 0, 0),
            seed: 0,
        };
        let masked = task.masked(&(0..rows).collect::<Vec<_>>(), &mut Random::of(3, 0, 0));
        let share = masked.places.len() as f64 / (rows * (length - 2)) as f64;
        assert!((share - 0.15).abs() < 0.01, "{share}");
        assert!(masked.targets.iter().all(|&target| target == 7), "no special token is to be said");
        let of = |wanted: &dyn Fn(i32) -> bool| {
            let count =
                masked.places.iter().filter(|&&place| wanted(masked.tokens.numbers[place as usize])).count();
            count as f64 / masked.places.len() as f64
        };
        let (masks, kept) = (of(&|token| token == MASK), of(&|token| token == 7));
        assert!((masks - 0.8).abs() < 0.03 && (kept - 0.101).abs() < 0.025, "{masks} {kept}");
        assert!(masked.tokens.numbers.iter().all(|&token| token != super::super::vocabulary::PADDING));
    }

    #[test]
    fn pretraining_learns_and_is_equal_for_equal_seeds() {
        let folder = tempfile::tempdir().unwrap();
        let (transformer, vectors) = pretrained(&small(), Some(folder.path()));
        let log = fs_err::read_to_string(folder.path().join("training.csv")).unwrap();
        let losses: Vec<f64> =
            log.lines().skip(1).map(|line| line.split(',').rev().nth(1).unwrap().parse().unwrap()).collect();
        assert_eq!(losses.len(), 30);
        // To guess by frequency alone costs 2.1 nats.
        assert!(losses[0] > 2.0 && losses[29] < 1.0, "{losses:?}");
        let (again, same) = pretrained(&small(), None);
        assert_eq!(transformer.save().unwrap(), again.save().unwrap());
        assert_eq!(vectors, same);
        let mut read = Transformer::new(TransformerConfig::default()).unwrap();
        read.load(&transformer.save().unwrap()).unwrap();
        assert_eq!(
            read.encode(&Features::Smiles(OwnedSmiles::new(SMILES)).inputs(), &Call::new(0, 1))
                .unwrap()
                .values,
            vectors
        );
        // The control: the same network, not trained.
        let (_, random) = pretrained(&Pretraining { epochs: 0, ..small() }, None);
        assert_eq!(random.len(), vectors.len());
        assert_ne!(random, vectors);
    }

    #[test]
    fn errors_name_the_parameter() {
        for (pretraining, message) in [
            (Pretraining { layers: 0, ..small() }, "`pretraining.layers` is 0, must be at least 1"),
            (
                Pretraining { width: 15, ..small() },
                "`pretraining.width` is 15, must be a multiple of `heads`, 2",
            ),
            (Pretraining { masked: 0.0, ..small() }, "`pretraining.masked` is 0, must be in (0, 1)"),
            (Pretraining { dropout: 1.0, ..small() }, "`pretraining.dropout` is 1, must be in [0, 1)"),
            (
                Pretraining { learning_rate: -1.0, ..small() },
                "`pretraining.learning_rate` is -1, must be above 0",
            ),
        ] {
            let error = Transformer::new(TransformerConfig { pretraining, ..TransformerConfig::default() })
                .unwrap_err();
            assert_eq!(error.to_string(), message);
        }
        assert!(serde_json::from_str::<TransformerConfig>(r#"{"pretraining": {"depth": 3}}"#).is_err());
    }
}
