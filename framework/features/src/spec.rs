//! Which features to compute, as named in method files.

use molarena_chem::{Molecule, Morgan};
use molarena_sdk::InputKind;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::features::{Features, OwnedSmiles};

/// The features to compute for each molecule, as in a method file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FeatureSpec {
    /// Morgan fingerprint bits (Rogers and Hahn 2010), equal to those of `RDKit`'s generator.
    Morgan {
        /// Radius in bonds.
        #[serde(default = "default_radius")]
        radius: u32,
        /// Number of bits, a multiple of 64.
        #[serde(default = "default_bits")]
        bits: usize,
        /// Whether atoms carry their chirality.
        #[serde(default)]
        chirality: bool,
    },
    /// Counts of Morgan environments, equal to `RDKit`'s count fingerprint: `f32[n, columns]`.
    MorganCounts {
        /// Radius in bonds.
        #[serde(default = "default_radius")]
        radius: u32,
        /// Number of columns, a multiple of 64.
        #[serde(default = "default_columns")]
        columns: usize,
        /// Whether atoms carry their chirality.
        #[serde(default)]
        chirality: bool,
        /// Larger counts are set to this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_count: Option<u32>,
    },
    /// The public MACCS keys ([`molarena_chem::maccs_keys`]) as 0 and 1: `f32[n, 166]`.
    Maccs {},
    /// Physicochemical descriptors under `RDKit`'s names ([`molarena_chem::DESCRIPTOR_NAMES`]), not scaled.
    Descriptors {},
    /// Bits (as 0 and 1), counts, descriptors and measured vectors side by side.
    Concatenated {
        /// The parts, in the order of the columns.
        parts: Vec<FeatureSpec>,
    },
    /// Vectors from a companion file of the dataset: an `.npz` whose array `data` is `f32[rows of the table, d]`.
    Companion {
        /// File name, as in the dataset's manifest, without folders.
        file: String,
    },
    /// The profile of each molecule in a space of a context graph, found by the molecule's identity: the mean of its profiles
    /// there, each column scaled to [0, 1] over the space. Molecules without a profile are absent
    /// ([`Features::absent`]).
    Profile {
        /// Id of the context graph.
        context: String,
        /// Name of the space.
        space: String,
    },
    /// One column: the mean number of cells behind the profiles of each molecule in a space of a context graph, a floor that
    /// profiles must beat (Seal et al. 2026, 10.1038/s41467-026-68725-5). Molecules without a number are absent.
    CellCount {
        /// Id of the context graph.
        context: String,
        /// Name of the space.
        space: String,
    },
    /// Molecular graphs with the Open Graph Benchmark's atom and bond features.
    Graphs {},
    /// The molecules' SMILES.
    Smiles {
        /// How they are written.
        #[serde(default, skip_serializing_if = "SmilesForm::is_default")]
        form: SmilesForm,
    },
}

/// How the SMILES of a molecule is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmilesForm {
    /// As in the dataset.
    #[default]
    Written,
    /// `RDKit`'s canonical SMILES.
    Canonical,
    /// `RDKit`'s canonical SMILES without stereo and isotopes.
    CanonicalWithoutStereo,
}

impl SmilesForm {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

const fn default_radius() -> u32 {
    2
}

const fn default_bits() -> usize {
    2048
}

const fn default_columns() -> usize {
    4096
}

impl FeatureSpec {
    /// Checks the values; `Err` says what is wrong.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::Morgan { .. } | Self::MorganCounts { .. } => self.morgan().map_or(Ok(()), |spec| {
                let zero = matches!(self, Self::MorganCounts { max_count: Some(0), .. });
                if zero {
                    return Err("features: max_count must be at least 1".into());
                }
                spec.check().map_err(|error| format!("features: {error}"))
            }),
            Self::Concatenated { parts } => {
                if parts.is_empty() {
                    return Err("features: parts is empty".into());
                }
                parts.iter().try_for_each(|part| match part {
                    Self::Concatenated { .. } | Self::Graphs {} | Self::Smiles { .. } => {
                        Err("features: parts may be morgan, morgan-counts, maccs, descriptors, companion, profile and cell-count"
                            .into())
                    }
                    part => part.check(),
                })
            }
            Self::Companion { file } if file.is_empty() || file.contains('/') => {
                Err("features: file must be the name of a companion file, without folders".into())
            }
            Self::Companion { .. }
            | Self::Profile { .. }
            | Self::CellCount { .. }
            | Self::Maccs {}
            | Self::Descriptors {}
            | Self::Graphs {}
            | Self::Smiles { .. } => Ok(()),
        }
    }

    /// The kind of input that components get from these features.
    pub fn input(&self) -> InputKind {
        match self {
            Self::Morgan { .. } => InputKind::Bits,
            Self::MorganCounts { .. }
            | Self::Maccs {}
            | Self::Descriptors {}
            | Self::Concatenated { .. }
            | Self::Companion { .. }
            | Self::Profile { .. }
            | Self::CellCount { .. } => InputKind::Dense,
            Self::Graphs {} => InputKind::Graphs,
            Self::Smiles { .. } => InputKind::Smiles,
        }
    }

    fn morgan(&self) -> Option<Morgan> {
        match *self {
            Self::Morgan { radius, bits: n_bits, chirality }
            | Self::MorganCounts { radius, columns: n_bits, chirality, .. } => {
                Some(Morgan { radius, n_bits, chirality })
            }
            _ => None,
        }
    }

    /// The parts that are measured, not computed from the molecule: companion vectors, profiles and cell counts.
    pub fn measured(&self) -> Vec<&Self> {
        match self {
            Self::Companion { .. } | Self::Profile { .. } | Self::CellCount { .. } => vec![self],
            Self::Concatenated { parts } => parts.iter().flat_map(Self::measured).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether some molecules may be absent: those without a profile or a cell count.
    pub fn may_be_absent(&self) -> bool {
        self.measured().iter().any(|part| !matches!(part, Self::Companion { .. }))
    }

    /// The spec as records keep it: each measured part gets the sha256 of what it is read from, by `sha256_of`.
    ///
    /// # Errors
    /// Errors of `sha256_of`.
    pub fn described<E>(&self, sha256_of: &dyn Fn(&Self) -> Result<String, E>) -> Result<Value, E> {
        let mut value = serde_json::to_value(self).expect("plain data");
        match self {
            Self::Companion { .. } | Self::Profile { .. } | Self::CellCount { .. } => {
                value["sha256"] = sha256_of(self)?.into();
            }
            Self::Concatenated { parts } => {
                let parts = parts.iter().map(|part| part.described(sha256_of));
                value["parts"] = json!(parts.collect::<Result<Vec<_>, E>>()?);
            }
            _ => {}
        }
        Ok(value)
    }

    /// Computes the features of all molecules, in parallel. `read` reads a [measured](Self::measured) part, which has one
    /// vector per molecule.
    ///
    /// # Errors
    /// Errors of `read`.
    pub fn compute<E>(
        &self,
        smiles: &[String],
        molecules: &[Molecule],
        read: &dyn Fn(&Self) -> Result<Features, E>,
    ) -> Result<Features, E> {
        let rows = molecules.len();
        Ok(match self {
            Self::Morgan { bits, .. } => {
                let spec = self.morgan().expect("it is one");
                Features::Bits {
                    n_bits: *bits,
                    words: molarena_chem::morgan_matrix(molecules, &spec).words,
                    rows,
                }
            }
            Self::MorganCounts { columns, max_count, .. } => {
                let spec = self.morgan().expect("it is one");
                let values = molarena_chem::morgan_count_matrix(molecules, &spec, *max_count);
                Features::Dense { columns: *columns, values, rows }
            }
            Self::Maccs {} => {
                let values = molarena_chem::maccs_matrix(molecules);
                Features::Dense { columns: molarena_chem::MACCS_KEYS, values, rows }
            }
            Self::Descriptors {} => {
                let columns = molarena_chem::DESCRIPTOR_NAMES.len();
                Features::Dense { columns, values: molarena_chem::descriptor_matrix(molecules), rows }
            }
            Self::Concatenated { parts } => {
                let parts = parts.iter().map(|part| part.compute(smiles, molecules, read));
                Features::beside(&parts.collect::<Result<Vec<_>, E>>()?.iter().collect::<Vec<_>>())
            }
            Self::Companion { .. } | Self::Profile { .. } | Self::CellCount { .. } => read(self)?,
            Self::Graphs {} => Features::Graphs(molarena_chem::Graphs::new(molecules).into()),
            Self::Smiles { form } => Features::Smiles(match form {
                SmilesForm::Written => OwnedSmiles::new(smiles),
                SmilesForm::Canonical | SmilesForm::CanonicalWithoutStereo => {
                    let stereo = *form == SmilesForm::Canonical;
                    let written: Vec<String> =
                        molecules.par_iter().map(|molecule| molecule.canonical_smiles(stereo)).collect();
                    OwnedSmiles::new(written)
                }
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(toml: &str) -> Result<FeatureSpec, String> {
        let spec: FeatureSpec = toml::from_str(toml).map_err(|error| error.to_string())?;
        spec.check().map(|()| spec)
    }

    fn compute(spec: &FeatureSpec) -> Features {
        let smiles: Vec<String> = ["CCO", "c1ccccc1C", "CC(=O)OCC"].map(String::from).into();
        let molecules: Vec<Molecule> = smiles.iter().map(|smiles| Molecule::parse(smiles).unwrap()).collect();
        let read = |_: &FeatureSpec| {
            Ok::<_, String>(Features::Dense { columns: 1, values: vec![7.0, 8.0, 9.0], rows: 3 })
        };
        spec.compute(&smiles, &molecules, &read).unwrap()
    }

    #[test]
    fn parts_stand_side_by_side() {
        let all = spec(
            "kind = 'concatenated'\nparts = [{ kind = 'morgan', bits = 128 }, { kind = 'morgan-counts', columns = 64, \
             max_count = 2 }, { kind = 'maccs' }, { kind = 'descriptors' }, { kind = 'companion', file = 'x.npz' }]",
        )
        .unwrap();
        let Features::Dense { columns, values, rows: 3 } = compute(&all) else { panic!("dense") };
        assert_eq!(columns, 128 + 64 + molarena_chem::MACCS_KEYS + molarena_chem::DESCRIPTOR_NAMES.len() + 1);
        let FeatureSpec::Concatenated { parts } = &all else { panic!("concatenated") };
        let Features::Bits { words, .. } = compute(&parts[0]) else { panic!("bits") };
        let Features::Dense { values: counts, .. } = compute(&parts[1]) else { panic!("dense") };
        for row in 0..3 {
            let row_values = &values[row * columns..(row + 1) * columns];
            let on: u32 = words[row * 2..row * 2 + 2].iter().map(|word| word.count_ones()).sum();
            assert_eq!(row_values[..128].iter().sum::<f32>(), on as f32);
            assert_eq!(row_values[128..192], counts[row * 64..(row + 1) * 64]);
            assert_eq!(row_values[columns - 1], 7.0 + row as f32);
        }
        assert_eq!(counts.iter().copied().fold(0.0, f32::max), 2.0);
        assert_eq!(all.input(), InputKind::Dense);
        assert_eq!(all.measured(), [&FeatureSpec::Companion { file: "x.npz".into() }]);
        assert!(!all.may_be_absent());
    }

    #[test]
    fn smiles_are_written_as_asked() {
        let smiles = ["OCC", "C[C@H](O)F"].map(String::from);
        let molecules: Vec<Molecule> = smiles.iter().map(|smiles| Molecule::parse(smiles).unwrap()).collect();
        let read = |_: &FeatureSpec| Err(String::new());
        for (form, expected) in [
            ("", ["OCC", "C[C@H](O)F"]),
            ("form = 'written'", ["OCC", "C[C@H](O)F"]),
            ("form = 'canonical'", ["CCO", "C[C@H](O)F"]),
            ("form = 'canonical-without-stereo'", ["CCO", "CC(O)F"]),
        ] {
            let spec = spec(&format!("kind = 'smiles'\n{form}")).unwrap();
            let found = spec.compute(&smiles, &molecules, &read).unwrap();
            assert_eq!(found, Features::Smiles(OwnedSmiles::new(expected)), "{form}");
        }
        let default = spec("kind = 'smiles'\nform = 'written'").unwrap();
        assert_eq!(serde_json::to_value(default).unwrap(), json!({ "kind": "smiles" }));
        assert!(spec("kind = 'smiles'\nform = 'short'").is_err());
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        for (toml, part) in [
            ("kind = 'concatenated'\nparts = []", "parts is empty"),
            ("kind = 'concatenated'\nparts = [{ kind = 'graphs' }]", "parts may be"),
            ("kind = 'morgan-counts'\nmax_count = 0", "max_count"),
            ("kind = 'companion'\nfile = '../x.npz'", "without folders"),
            ("kind = 'morgan'\nbits = 100", "features: "),
            ("kind = 'morgan-counts'\nbits = 128", "bits"),
        ] {
            let error = spec(toml).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn records_name_the_bytes_of_what_is_measured() {
        let spec = spec(
            "kind = 'concatenated'\nparts = [{ kind = 'companion', file = 'x.npz' }, { kind = 'descriptors' }, \
             { kind = 'profile', context = 'c', space = 's' }]",
        )
        .unwrap();
        let sha256_of = |part: &FeatureSpec| match part {
            FeatureSpec::Companion { file } => Ok::<_, String>(format!("sha of {file}")),
            FeatureSpec::Profile { context, .. } => Ok(format!("sha of {context}")),
            other => Err(format!("{other:?} is computed")),
        };
        let described = spec.described(&sha256_of).unwrap();
        assert_eq!(described["parts"][0]["sha256"], "sha of x.npz");
        assert_eq!(described["parts"][1], json!({ "kind": "descriptors" }));
        assert_eq!(described["parts"][2]["sha256"], "sha of c");
        assert!(spec.may_be_absent());
    }
}
