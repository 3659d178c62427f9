//! `molarena-chem` against `RDKit` 2026.09.1, row by row, on the golden files.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;

use molarena_chem::{
    DESCRIPTOR_NAMES, Graphs, Molecule, Morgan, descriptor_matrix, morgan_matrix, parse_all,
};
use molarena_tests::{data_dir, golden_dir};
use ndarray::{Array1, Array2};
use ndarray_npy::{NpzReader, ReadableElement};

const GOLDEN_SETS: [&str; 2] = ["chembl2k", "biogen3k"];
const DATA_SETS: [&str; 4] = ["chembl2k", "broad6k", "toxcast", "biogen3k"];

/// Counts differences and keeps the first few for the message.
struct Differences {
    what: String,
    compared: usize,
    found: usize,
    first: Vec<String>,
}

impl Differences {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), compared: 0, found: 0, first: Vec::new() }
    }

    fn compare<T: PartialEq + std::fmt::Debug + ?Sized>(&mut self, smiles: &str, ours: &T, golden: &T) {
        self.compared += 1;
        if ours != golden {
            self.found += 1;
            if self.first.len() < 5 {
                self.first.push(format!("{smiles}\n    ours   {ours:?}\n    golden {golden:?}"));
            }
        }
    }

    /// Fails on any difference, or if the number of comparisons is not the expected one.
    fn finish(self, expected: usize) {
        println!("{}: {} differences in {}", self.what, self.found, self.compared);
        assert_eq!(self.found, 0, "{}\n{}", self.what, self.first.join("\n"));
        assert_eq!(self.compared, expected, "{}: not every row was compared", self.what);
    }
}

type Row = HashMap<String, String>;

fn table(path: &Path) -> Vec<Row> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(fs_err::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.unwrap()).collect()
}

fn column(rows: &[Row], name: &str) -> Vec<String> {
    rows.iter().map(|row| row[name].clone()).collect()
}

fn molecules(smiles: &[String]) -> Vec<Molecule> {
    parse_all(smiles).into_iter().map(|result| result.unwrap_or_else(|error| panic!("{error}"))).collect()
}

/// The golden table of a dataset and its molecules. It must hold only rows that `RDKit` reads.
fn golden_set(golden: &Path, set: &str) -> (Vec<Row>, Vec<Molecule>) {
    let rows = table(&golden.join(format!("chem/{set}_smiles.csv.gz")));
    assert!(rows.len() > 2_000, "{set}: only {} rows", rows.len());
    assert!(rows.iter().all(|row| row["ok"] == "1"), "{set}");
    let molecules = molecules(&column(&rows, "smiles"));
    (rows, molecules)
}

fn archive(golden: &Path, name: &str) -> NpzReader<fs_err::File> {
    NpzReader::new(fs_err::File::open(golden.join("chem").join(name)).unwrap()).unwrap()
}

fn vector<T: ReadableElement + Clone>(archive: &mut NpzReader<fs_err::File>, name: &str) -> Vec<T> {
    let values: Array1<T> = archive.by_name(name).unwrap();
    values.to_vec()
}

fn matrix<T: ReadableElement + Clone>(archive: &mut NpzReader<fs_err::File>, name: &str) -> Vec<Vec<T>> {
    let values: Array2<T> = archive.by_name(name).unwrap();
    values.rows().into_iter().map(|row| row.to_vec()).collect()
}

fn bytes(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[test]
fn smiles_scaffolds_and_keys() {
    let Some(golden) = golden_dir() else { return };
    for set in GOLDEN_SETS {
        let (rows, molecules) = golden_set(&golden, set);
        let check = |name: &str, ours: &dyn Fn(&Molecule) -> String| {
            let mut differences = Differences::new(format!("{set} {name}"));
            for (row, molecule) in rows.iter().zip(&molecules) {
                differences.compare(&row["smiles"], &ours(molecule), &row[name]);
            }
            differences.finish(rows.len());
        };
        check("canonical_smiles", &|molecule| molecule.canonical_smiles(true));
        check("canonical_smiles_nostereo", &|molecule| molecule.canonical_smiles(false));
        check("scaffold", &|molecule| molecule.scaffold(false));
        check("scaffold_chiral", &|molecule| molecule.scaffold(true));
        check("inchikey", &|molecule| molecule.inchikey().unwrap_or_default());
    }
}

#[test]
fn morgan_bits() {
    let Some(golden) = golden_dir() else { return };
    let specs = [
        ("r2_2048", Morgan::new(2, 2048, false)),
        ("r2_1024", Morgan::new(2, 1024, false)),
        ("r4_1024", Morgan::new(4, 1024, false)),
        ("r2_2048_chiral", Morgan::new(2, 2048, true)),
    ];
    for set in GOLDEN_SETS {
        let (rows, molecules) = golden_set(&golden, set);
        let mut archive = archive(&golden, &format!("{set}_morgan.npz"));
        for (name, spec) in specs {
            let expected: Vec<Vec<u8>> = matrix(&mut archive, name);
            let ours = morgan_matrix(&molecules, &spec.unwrap());
            assert_eq!((ours.rows, ours.n_bits / 8), (expected.len(), expected[0].len()), "{set} {name}");
            let mut differences = Differences::new(format!("{set} {name}"));
            for (index, expected) in expected.iter().enumerate() {
                differences.compare(&rows[index]["smiles"], &bytes(ours.row(index)), expected);
            }
            differences.finish(rows.len());
        }
    }
}

#[test]
fn graphs() {
    let Some(golden) = golden_dir() else { return };
    for set in GOLDEN_SETS {
        let (rows, molecules) = golden_set(&golden, set);
        let ours = Graphs::new(&molecules);
        let mut archive = archive(&golden, &format!("{set}_graph.npz"));
        let pointers = |values: Vec<i32>| values.into_iter().map(i64::from).collect::<Vec<_>>();
        assert_eq!(ours.atom_ptr, pointers(vector(&mut archive, "atom_ptr")), "{set}");
        assert_eq!(ours.bond_ptr, pointers(vector(&mut archive, "bond_ptr")), "{set}");
        let bond_index: Vec<Vec<i16>> = matrix(&mut archive, "bond_index");
        let bond_index =
            bond_index.into_iter().map(|pair| pair.into_iter().map(i64::from).collect()).collect();
        let widened =
            |rows: Vec<Vec<i8>>| rows.into_iter().map(|row| row.into_iter().map(i64::from).collect());
        let mut read = |name: &str| widened(matrix(&mut archive, name)).collect::<Vec<Vec<i64>>>();
        let (atoms, bonds) = (read("atom_feat"), read("bond_feat"));
        let hu_atoms = read("hu_atom");
        let check = |name: &str, pointer: &[i64], ours: Vec<Vec<i64>>, expected: Vec<Vec<i64>>| {
            assert_eq!(ours.len(), expected.len(), "{set} {name}");
            assert_eq!(ours.len() as i64, pointer[rows.len()], "{set} {name}");
            let mut differences = Differences::new(format!("{set} {name}"));
            for (row, range) in rows.iter().zip(pointer.windows(2)) {
                let range = range[0] as usize..range[1] as usize;
                differences.compare(&row["smiles"], &ours[range.clone()], &expected[range]);
            }
            differences.finish(rows.len());
        };
        check("atom_feat", &ours.atom_ptr, wide(&ours.atom_features), atoms);
        check("hu_atom", &ours.atom_ptr, wide(&ours.hu_atoms), hu_atoms);
        check("bond_index", &ours.bond_ptr, wide(&ours.bonds), bond_index);
        check("bond_feat", &ours.bond_ptr, wide(&ours.bond_features), bonds);
    }
}

/// Compares the mean and root mean square of every descriptor over a dataset with those of `RDKit`'s values (computed
/// by `framework/chem/tests/descriptors_vs_rdkit.py summary`).
#[test]
fn descriptors_on_average() {
    let Some(data) = data_dir() else { return };
    let molecules = molecules(&column(&table(&data.join("biogen3k/assays.csv.gz")), "smiles"));
    let matrix = descriptor_matrix(&molecules);
    let expected: Vec<(String, f64, f64)> =
        csv::Reader::from_reader(include_str!("biogen3k_descriptors.csv").as_bytes())
            .deserialize()
            .map(|row| row.unwrap())
            .collect();
    let mut differences = Differences::new("biogen3k descriptors");
    for (place, (name, mean, root_mean_square)) in expected.iter().enumerate() {
        let values = matrix.iter().skip(place).step_by(DESCRIPTOR_NAMES.len()).map(|value| f64::from(*value));
        let count = molecules.len() as f64;
        let ours = [
            values.clone().sum::<f64>() / count,
            (values.map(|value| value * value).sum::<f64>() / count).sqrt(),
        ];
        let near = [mean, root_mean_square].map(|value| (value, 1e-6 * root_mean_square.max(1e-6)));
        let agree = ours.iter().zip(near).all(|(ours, (golden, margin))| (ours - golden).abs() <= margin);
        differences.compare(
            &format!("{name} {ours:?} {mean} {root_mean_square}"),
            &(DESCRIPTOR_NAMES[place], agree),
            &(name.as_str(), true),
        );
    }
    differences.finish(DESCRIPTOR_NAMES.len());
}

fn wide<T: Copy + Into<i64>, const N: usize>(rows: &[[T; N]]) -> Vec<Vec<i64>> {
    rows.iter().map(|row| row.iter().map(|value| (*value).into()).collect()).collect()
}

#[test]
fn edge_cases() {
    let Some(golden) = golden_dir() else { return };
    let read = |name: &str| fs_err::read_to_string(golden.join("chem").join(name)).unwrap();
    let (smiles, expected) = (read("edge_cases.smi"), read("edge_cases_gold.tsv"));
    let spec = Morgan::new(2, 2048, false).unwrap();
    let mut differences = Differences::new("edge cases");
    for (smiles, expected) in smiles.lines().zip(expected.lines()) {
        let ours = Molecule::parse(smiles).map_or_else(
            |_| "0".to_owned(),
            |molecule| {
                let mut bits = String::new();
                for byte in bytes(&molecule.morgan(&spec)) {
                    write!(bits, "{byte:02x}").unwrap();
                }
                format!("1\t{bits}\t{}", molecule.canonical_smiles(true))
            },
        );
        differences.compare(smiles, ours.as_str(), expected);
    }
    differences.finish(79);
}

/// Every molecule of the data can be read, scaffolds form `RDKit`'s groups, and keys equal the published ones.
#[test]
fn data_sets() {
    let Some(data) = data_dir() else { return };
    let mut rows_seen = 0;
    let mut groups = 0;
    for set in DATA_SETS {
        let rows = table(&data.join(set).join("assays.csv.gz"));
        let molecules = molecules(&column(&rows, "smiles"));
        rows_seen += rows.len();
        groups += molecules.iter().map(|molecule| molecule.scaffold(false)).collect::<HashSet<_>>().len();
        for molecule in &molecules {
            let back = Molecule::parse(&molecule.canonical_smiles(true));
            assert!(back.is_ok(), "{}: {back:?}", molecule.smiles());
        }
        let scaffolds: Vec<String> = molecules.iter().map(|molecule| molecule.scaffold(true)).collect();
        let split = column(&table(&data.join(format!("splits/{set}.ogb.csv.gz"))), "split");
        let mut differences = Differences::new(format!("{set} split by scaffold"));
        for ((molecule, ours), golden) in molecules.iter().zip(ogb_split(&scaffolds)).zip(&split) {
            differences.compare(molecule.smiles(), ours, golden);
        }
        differences.finish(rows.len());
        published_keys(set, &rows, &molecules);
    }
    assert_eq!(rows_seen, 21_019);
    assert_eq!(groups, 9_161, "scaffolds without stereo, summed over the datasets");
}

/// Two datasets publish the first block of the `InChIKey`; an empty cell is an unknown one.
fn published_keys(set: &str, rows: &[Row], molecules: &[Molecule]) {
    let known = |row: &&Row| row.get("inchikey").is_some_and(|key| !key.is_empty());
    let mut differences = Differences::new(format!("{set} published identity"));
    for (row, molecule) in rows.iter().zip(molecules).filter(|(row, _)| known(row)) {
        differences.compare(molecule.smiles(), molecule.identity().as_str(), row["inchikey"].as_str());
    }
    let known = rows.iter().filter(known).count();
    assert_eq!(known > 0, rows[0].contains_key("inchikey"), "{set}");
    differences.finish(known);
}

/// The Open Graph Benchmark's split, which changes if the size of any scaffold group does.
fn ogb_split(scaffolds: &[String]) -> Vec<&'static str> {
    let mut groups: HashMap<&str, Vec<usize>> = HashMap::new();
    for (row, scaffold) in scaffolds.iter().enumerate() {
        groups.entry(scaffold).or_default().push(row);
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse((group.len(), group[0])));
    let (train, both) = (0.8 * scaffolds.len() as f64, 0.9 * scaffolds.len() as f64);
    let (mut in_train, mut in_valid) = (0, 0);
    let mut parts = vec!["test"; scaffolds.len()];
    for group in groups {
        let part = if (in_train + group.len()) as f64 <= train {
            in_train += group.len();
            "train"
        } else if (in_train + in_valid + group.len()) as f64 <= both {
            in_valid += group.len();
            "valid"
        } else {
            continue;
        };
        for row in group {
            parts[row] = part;
        }
    }
    parts
}
