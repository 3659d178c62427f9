//! Stores the corpus's fingerprints and profiles; encodes a molecule as its fingerprint.

use std::collections::HashMap;

use molarena_sdk::{
    Call, Component, Corpus, Determinism, Encoder, Error, Info, InputKind, Inputs, Matrix, NodeKind,
    Profiles, Result,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HEADER, Model, Space, trained};

/// Configuration of [`ProfileEncoder`]; it has no options.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProfileEncoderConfig {}

/// Learns the mean profile of each molecule of the corpus in each space. A molecule's vector is its fingerprint as 0
/// and 1, which the decoder compares with those of the corpus.
#[derive(Debug)]
pub struct ProfileEncoder {
    model: Option<Model>,
}

impl Component for ProfileEncoder {
    type Config = ProfileEncoderConfig;
    const INFO: Info = Info {
        id: "profile-knn",
        summary: "fingerprints, for a decoder that knows the profiles of similar molecules",
        inputs: &[InputKind::Bits],
        devices: &["cpu"],
        determinism: Determinism::Bitwise,
        corpora: &[],
    };
    const USES_SEED: bool = false;

    fn new(_: ProfileEncoderConfig) -> Result<Self> {
        Ok(Self { model: None })
    }
}

impl Encoder for ProfileEncoder {
    fn fit(&mut self, corpus: &Corpus<'_>, call: &Call<'_>) -> Result<()> {
        let bits = corpus.molecules.bits()?;
        let row_of_node: HashMap<u64, usize> =
            corpus.molecule_nodes.iter().enumerate().map(|(row, &node)| (node, row)).collect();
        let mut spaces = Vec::new();
        for profiles in &corpus.spaces {
            call.check()?;
            if profiles.kind != NodeKind::Gene {
                spaces.push(mean_profiles(profiles, &owners(corpus, &row_of_node, profiles)));
            }
        }
        self.model = Some(Model { n_bits: bits.n_bits, rows: bits.rows, words: bits.words.to_vec(), spaces });
        Ok(())
    }

    fn width(&self) -> usize {
        self.model.as_ref().map_or(0, |model| model.n_bits)
    }

    fn encode(&mut self, molecules: &Inputs<'_>, _: &Call<'_>) -> Result<Matrix> {
        let (model, bits) = (trained(self.model.as_ref(), "encode")?, molecules.bits()?);
        if bits.n_bits != model.n_bits {
            return Err(Error::invalid_argument(format!(
                "the corpus has fingerprints of {} bits, these molecules of {}",
                model.n_bits, bits.n_bits
            )));
        }
        let bit = |row: usize, bit: usize| (bits.row(row)[bit / 64] >> (bit % 64) & 1) as f32;
        let values = (0..bits.rows).flat_map(|row| (0..bits.n_bits).map(move |column| bit(row, column)));
        Matrix::new(bits.rows, bits.n_bits, values.collect())
    }

    fn save(&self) -> Result<Vec<u8>> {
        HEADER.save(trained(self.model.as_ref(), "save")?)
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        self.model = Some(HEADER.load(state)?);
        Ok(())
    }
}

/// For each row of a space the molecule that an edge joins to its node, if there is one.
fn owners(
    corpus: &Corpus<'_>,
    row_of_node: &HashMap<u64, usize>,
    profiles: &Profiles<'_>,
) -> Vec<Option<usize>> {
    let place: HashMap<u64, usize> =
        profiles.nodes.iter().enumerate().map(|(row, &node)| (node, row)).collect();
    let mut owners = vec![None; profiles.nodes.len()];
    for (&source, &target) in corpus.edge_sources.iter().zip(corpus.edge_targets) {
        for (molecule, profile) in [(source, target), (target, source)] {
            if let (Some(&molecule), Some(&profile)) = (row_of_node.get(&molecule), place.get(&profile)) {
                owners[profile] = Some(molecule);
            }
        }
    }
    owners
}

/// The mean of each molecule's profiles, for each column over the profiles that have a value.
fn mean_profiles(profiles: &Profiles<'_>, owners: &[Option<usize>]) -> Space {
    let mut rows_of: std::collections::BTreeMap<usize, Vec<usize>> = std::collections::BTreeMap::new();
    for (row, owner) in owners.iter().enumerate() {
        if let Some(molecule) = owner {
            rows_of.entry(*molecule).or_default().push(row);
        }
    }
    let columns = profiles.values.columns;
    let mut means = Vec::with_capacity(rows_of.len() * columns);
    for rows in rows_of.values() {
        for column in 0..columns {
            let known =
                rows.iter().map(|&row| profiles.values.row(row)[column]).filter(|value| !value.is_nan());
            let (sum, count) =
                known.fold((0.0f64, 0usize), |(sum, count), value| (sum + f64::from(value), count + 1));
            means.push(if count == 0 { f32::NAN } else { (sum / count as f64) as f32 });
        }
    }
    let molecules = rows_of.into_keys().collect();
    Space { name: profiles.space.to_owned(), columns, molecules, profiles: means }
}
