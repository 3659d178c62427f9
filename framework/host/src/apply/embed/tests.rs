use std::io::Read;

use super::*;

struct Silent;

impl Observer for Silent {
    fn event(&self, _event: &Event<'_>) {}
}

struct Interrupts<'a>(&'a AtomicBool);

impl Observer for Interrupts<'_> {
    fn event(&self, _event: &Event<'_>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn run(features: &str, name: &str, input: &str, unpacked: bool) -> (tempfile::TempDir, Result<Embedded>) {
    let folder = tempfile::tempdir().unwrap();
    let (source, output) = (folder.path().join("in.csv"), folder.path().join(name));
    fs_err::write(&source, input).unwrap();
    let embedding = Embedding {
        input: &source,
        smiles: None,
        features: &parse_features(features).unwrap(),
        encoder: None,
        output: &output,
        format: OutputFormat::of(&output).unwrap(),
        unpacked,
    };
    let result = embed(&embedding, &AtomicBool::new(false), &Silent);
    (folder, result)
}

const INPUT: &str = "smiles\nCCO\nxx\nc1ccccc1C\n";

#[test]
fn packed_bits_are_those_of_the_fingerprint() {
    let (folder, result) = run("morgan:bits=128", "out.npy", INPUT, false);
    let done = result.unwrap();
    assert_eq!((done.rows, done.failed, done.partial), (3, 1, None));
    let bytes = fs_err::read(folder.path().join("out.npy")).unwrap();
    let array: ndarray::Array2<u8> = ndarray_npy::ReadNpyExt::read_npy(bytes.as_slice()).unwrap();
    assert_eq!(array.dim(), (3, 16));
    let spec = molarena_chem::Morgan::new(2, 128, false).unwrap();
    for (row, smiles) in [(0, "CCO"), (2, "c1ccccc1C")] {
        let words = molarena_chem::Molecule::parse(smiles).unwrap().morgan(&spec);
        let expected: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(array.row(row).to_vec(), expected);
    }
    assert!(array.row(1).iter().all(|&byte| byte == 0));
    let failures = fs_err::read_to_string(failures_path(&folder.path().join("out.npy"))).unwrap();
    assert!(failures.starts_with("row,smiles,reason\n2,xx,"), "{failures}");
    let (unpacked, _) = run("morgan:bits=128", "out.npy", INPUT, true);
    let bytes = fs_err::read(unpacked.path().join("out.npy")).unwrap();
    let bits: ndarray::Array2<u8> = ndarray_npy::ReadNpyExt::read_npy(bytes.as_slice()).unwrap();
    assert_eq!(bits.dim(), (3, 128));
    for ((row, bit), value) in bits.indexed_iter() {
        assert_eq!(
            *value,
            array[(row, bit / 8)] >> (bit % 8) & 1,
            "as numpy.packbits(bitorder='little') packs"
        );
    }
}

#[test]
fn numbers_are_missing_where_a_row_cannot_be_read() {
    let (folder, result) = run("morgan-counts:columns=64+descriptors", "out.npy", INPUT, false);
    let columns = 64 + molarena_chem::DESCRIPTOR_NAMES.len();
    assert_eq!(result.unwrap().layout.unwrap().columns, columns);
    let mut bytes = Vec::new();
    fs_err::File::open(folder.path().join("out.npy")).unwrap().read_to_end(&mut bytes).unwrap();
    let array: ndarray::Array2<f32> = ndarray_npy::ReadNpyExt::read_npy(bytes.as_slice()).unwrap();
    assert_eq!(array.dim(), (3, columns));
    assert!(array.row(1).iter().all(|value| value.is_nan()));
    assert!(array.row(0).iter().all(|value| value.is_finite()));
}

#[test]
fn csv_names_descriptors_and_leaves_missing_cells_empty() {
    let (folder, result) = run("descriptors", "out.csv", INPUT, false);
    result.unwrap();
    let mut reader = csv::Reader::from_path(folder.path().join("out.csv")).unwrap();
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(header[2..], *molarena_chem::DESCRIPTOR_NAMES);
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!((&records[2][0], &records[2][1]), ("3", "c1ccccc1C"));
    assert!(records[1].iter().skip(2).all(str::is_empty));
    let weight = header.iter().position(|name| name == "MolWt").unwrap();
    assert!((records[0][weight].parse::<f64>().unwrap() - 46.069).abs() < 0.001);
    let (folder, _) = run("morgan:bits=64", "out.csv", INPUT, false);
    let text = fs_err::read_to_string(folder.path().join("out.csv")).unwrap();
    assert!(text.starts_with("row,smiles,fingerprint\n1,CCO,") && text.contains("\n2,xx,\n"), "{text}");
}

#[test]
fn parquet_is_read_back_as_an_input() {
    for features in ["morgan:bits=64", "descriptors"] {
        let (folder, result) = run(features, "out.parquet", INPUT, false);
        result.unwrap();
        let mut input = SmilesInput::open(&folder.path().join("out.parquet"), None).unwrap();
        assert_eq!(input.next_chunk(10).unwrap(), ["CCO", "xx", "c1ccccc1C"]);
    }
}

#[test]
fn chunks_follow_each_other() {
    let rows = CHUNK + 5;
    let input: String = (0..rows).map(|row| ["C\n", "CC\n", "CCO\n"][row % 3]).collect();
    let (folder, result) = run("morgan:bits=64", "out.npy", &format!("smiles\n{input}"), false);
    assert_eq!(result.unwrap().rows, rows as u64);
    let bytes = fs_err::read(folder.path().join("out.npy")).unwrap();
    let array: ndarray::Array2<u8> = ndarray_npy::ReadNpyExt::read_npy(bytes.as_slice()).unwrap();
    assert_eq!(array.nrows(), rows);
    assert_eq!(array.row(1), array.row(CHUNK + 3 - (CHUNK + 3 - 1) % 3));
}

#[test]
fn nothing_is_left_of_what_cannot_be() {
    for input in ["smiles\nxx\nyy\n", "smiles\n", "smiles,a\nC,1\nC\n"] {
        let (folder, result) = run("morgan", "out.npy", input, false);
        assert!(result.is_err(), "{input}");
        let left: Vec<_> =
            fs_err::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["in.csv"]);
    }
}

#[test]
fn an_interrupted_output_is_sound_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let (source, output) = (folder.path().join("in.smi"), folder.path().join("out.npy"));
    fs_err::write(&source, "CCO\n".repeat(10 * CHUNK)).unwrap();
    let interrupted = AtomicBool::new(false);
    let features = parse_features("morgan:bits=64").unwrap();
    let format = OutputFormat::Npy;
    let embedding = Embedding {
        input: &source,
        smiles: None,
        features: &features,
        encoder: None,
        output: &output,
        format,
        unpacked: false,
    };
    let done = embed(&embedding, &interrupted, &Interrupts(&interrupted)).unwrap();
    assert!(done.rows < 10 * CHUNK as u64, "{}", done.rows);
    let partial = done.partial.unwrap();
    assert!(partial.ends_with("out.npy.partial") && !output.exists());
    let bytes = fs_err::read(&partial).unwrap();
    let array: ndarray::Array2<u8> = ndarray_npy::ReadNpyExt::read_npy(bytes.as_slice()).unwrap();
    assert_eq!(array.nrows() as u64, done.rows);
}

#[test]
fn features_are_named_in_a_word() {
    let spec = |text| parse_features(text).unwrap();
    assert_eq!(spec("morgan"), FeatureSpec::Morgan { radius: 2, bits: 2048, chirality: false });
    assert_eq!(
        spec("morgan:radius=3,bits=1024,chirality=true"),
        FeatureSpec::Morgan { radius: 3, bits: 1024, chirality: true }
    );
    assert!(matches!(spec("morgan+descriptors"), FeatureSpec::Concatenated { parts } if parts.len() == 2));
    for (text, part) in [
        ("morgana", "unknown variant `morgana`"),
        ("morgan:bit=64", "unknown field `bit`"),
        ("morgan:bits=many", "invalid type"),
        ("morgan:bits=100", "100 bits"),
        ("morgan:2048", "`2048` is no setting"),
        ("morgan+graphs", "parts may be"),
    ] {
        let error = parse_features(text).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
    assert!(check_writable(&FeatureSpec::Graphs {}, false).is_err());
    assert!(check_writable(&FeatureSpec::Graphs {}, true).is_ok());
}
