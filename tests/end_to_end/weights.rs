//! Weights of an encoder that somebody else trained: files beside the method, or in the data folder.

use std::path::PathBuf;

use molarena_tests::{Output, TestArena, library, python::onnxruntime};

use crate::{chains, records, row};

/// A field of a protobuf message: its number, and bytes with a length.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut length = bytes.len();
    let mut made = vec![number << 3 | 2];
    while length > 127 {
        made.push((length & 127) as u8 | 128);
        length >>= 7;
    }
    made.push(length as u8);
    made.extend(bytes);
    made
}

fn number(number: u8, value: u8) -> Vec<u8> {
    vec![number << 3, value]
}

/// An ONNX file with one node: y `[n, 2]` = x `[n, columns]` W, as onnx.proto3 (opset 13) writes it.
fn product(columns: u8) -> Vec<u8> {
    let floating = 1;
    let dimension = |size: Vec<u8>| field(1, &size);
    let of = |name: &str, width: u8| {
        let shape = [dimension(field(2, b"n")), dimension(number(1, width))].concat();
        let tensor = [number(1, floating), field(2, &shape)].concat();
        [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
    };
    let weights: Vec<u8> =
        (0..u16::from(columns) * 2).flat_map(|index| (f32::from(index % 7) - 3.0).to_le_bytes()).collect();
    let initializer =
        [number(1, columns), number(1, 2), number(2, floating), field(8, b"W"), field(9, &weights)].concat();
    let node = [field(1, b"x"), field(1, b"W"), field(2, b"y"), field(4, b"MatMul")].concat();
    let graph = [
        field(1, &node),
        field(2, b"product"),
        field(5, &initializer),
        field(11, &of("x", columns)),
        field(12, &of("y", 2)),
    ]
    .concat();
    [number(1, 8), field(7, &graph), field(8, &number(2, 13))].concat()
}

fn method(arena: &TestArena, name: &str, weights: &str, encoder: &str) {
    let text = format!(
        "schema = \"molarena.method/1\"\nname = \"{name}\"\nfeatures = {{ kind = \"morgan-counts\", columns = 64 }}\n\
         baseline = {{ component = \"baselines/rf\", config = {{ n_trees = 10 }} }}\n\
         [encoder]\ncomponent = \"onnx/onnx\"\n{weights}config = {{ {encoder} }}\n"
    );
    arena.write(&format!("methods/{name}.toml"), text);
}

fn run(arena: &TestArena, runtime: &std::path::Path, methods: &[&str]) -> Output {
    let mut arguments = vec!["--dataset", "chains", "--seeds", "2"];
    arguments.extend(methods.iter().flat_map(|name| ["--method", name]));
    let arguments =
        arena.run_arguments(&[library("molarena_onnx"), library("molarena_baselines")], &arguments);
    let mut command = arena.command(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let output = command.env("LD_LIBRARY_PATH", runtime).output().expect("molarena starts");
    Output {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn an_onnx_file_is_a_row() {
    let Some(runtime) = onnxruntime() else { return };
    let arena = TestArena::new();
    chains(&arena);
    let bytes = product(64);
    let sha256 = molarena_data::sha256_hex(&bytes);
    fs_err::write(arena.path("methods/product.onnx"), &bytes).unwrap();
    fs_err::write(arena.path("data/product.onnx"), &bytes).unwrap();
    let weights =
        format!("weights = {{ file = \"product.onnx\", sha256 = \"{sha256}\", corpora = [\"chains\"] }}\n");
    method(&arena, "product", &weights, "inputs = { x = \"dense\" }");
    method(&arena, "without", "", "inputs = { x = \"dense\" }");
    method(&arena, "unfilled", &weights, "inputs = { z = \"dense\" }");
    let output = run(&arena, runtime, &["product", "without", "unfilled"]);
    assert_eq!(output.code, Some(10), "{}", output.stderr);
    assert!(row(&arena, "product")["mean"].is_f64());
    let message = |name: &str| row(&arena, name)["failures"][0]["message"].as_str().unwrap().to_owned();
    assert!(message("without").contains("no ONNX file is loaded"), "{}", message("without"));
    assert!(message("unfilled").contains("the graph wants an input `x`"), "{}", message("unfilled"));
    let records = records(&arena);
    let record = records.iter().find(|record| record["method"] == "product").unwrap();
    assert_eq!(record["composition"]["encoder"]["weights"]["sha256"], sha256);
    assert_eq!(
        (&record["confined"], &record["composition"]["pretraining"]),
        (&true.into(), &serde_json::Value::Null)
    );
    // The same bytes in the data folder are the same row; others are refused before anything runs.
    fs_err::remove_file(arena.path("methods/product.onnx")).unwrap();
    let again = run(&arena, runtime, &["product"]);
    assert!(again.stdout.contains("2 finished before"), "{}{}", again.stdout, again.stderr);
    fs_err::write(arena.path("data/product.onnx"), product(32)).unwrap();
    let other = run(&arena, runtime, &["product"]);
    assert!(other.stderr.contains("E-HOST-021") && other.stderr.contains(&sha256), "{}", other.stderr);
    fs_err::remove_file(arena.path("data/product.onnx")).unwrap();
    let missing = run(&arena, runtime, &["product"]);
    assert!(missing.stderr.contains("there is no such file, nor is there"), "{}", missing.stderr);
    assert_ne!(missing.code, Some(0));
}

#[test]
fn a_missing_runtime_says_how_to_get_it() {
    let arena = TestArena::new();
    chains(&arena);
    let bytes = product(64);
    fs_err::write(arena.path("methods/product.onnx"), &bytes).unwrap();
    let weights = format!(
        "weights = {{ file = \"product.onnx\", sha256 = \"{}\" }}\n",
        molarena_data::sha256_hex(&bytes)
    );
    method(&arena, "product", &weights, "inputs = { x = \"dense\" }");
    let nowhere = arena.path("methods");
    let output = run(&arena, &nowhere, &["product"]);
    if output.code == Some(0) {
        eprintln!("skipped: this system has ONNX Runtime");
        return;
    }
    let failure = row(&arena, "product")["failures"][0]["message"].as_str().unwrap().to_owned();
    assert!(failure.contains("pip install onnxruntime"), "{failure}");
}

#[test]
fn a_released_checkpoint_is_the_encoders_weights() {
    let golden = std::env::var_os("MOLARENA_GOLDEN").map(PathBuf::from);
    let Some(file) =
        golden.map(|golden| golden.join("infoalign/checkpoint-small.pt")).filter(|file| file.exists())
    else {
        assert!(std::env::var_os("MOLARENA_REQUIRE_DATA").is_none(), "set MOLARENA_GOLDEN");
        eprintln!("skipped: set MOLARENA_GOLDEN");
        return;
    };
    let arena = TestArena::new();
    chains(&arena);
    let bytes = fs_err::read(file).unwrap();
    fs_err::write(arena.path("methods/checkpoint.pt"), &bytes).unwrap();
    let text = |name: &str, weights: String| {
        format!(
            "schema = \"molarena.method/1\"\nname = \"{name}\"\nfeatures = {{ kind = \"graphs\" }}\n\
             baseline = {{ component = \"baselines/rf\", config = {{ n_trees = 10 }} }}\n\
             [encoder]\ncomponent = \"infoalign/infoalign\"\n{weights}config = {{ layers = 3, width = 48 }}\n"
        )
    };
    let sha256 = molarena_data::sha256_hex(&bytes);
    let weights = format!("weights = {{ file = \"checkpoint.pt\", sha256 = \"{sha256}\" }}\n");
    arena.write("methods/released.toml", text("released", weights));
    arena.write("methods/random.toml", text("random", String::new()));
    let arguments = ["--dataset", "chains", "--method", "released", "--method", "random", "--seeds", "1"];
    let output = arena.run(&[library("molarena_infoalign"), library("molarena_baselines")], &arguments);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_ne!(row(&arena, "released")["mean"], row(&arena, "random")["mean"]);

    let plugins = [library("molarena_infoalign"), library("molarena_baselines")];
    let plugins: Vec<&str> = plugins.iter().flat_map(|path| ["--plugin", path.to_str().unwrap()]).collect();
    let rest =
        ["--data-dir", "data", "--datasets-dir", "datasets", "--methods-dir", "methods", "--store", "store"];
    let named =
        [&["train", "--dataset", "chains", "--method", "released", "--output", "model"], &rest[..], &plugins]
            .concat();
    let trained = arena.molarena(&named);
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    assert_eq!(fs_err::read(arena.path("model/encoder-0.state")).unwrap(), bytes, "a model has its weights");

    // Only an encoder has weights.
    let wrong = text("wrong", String::new())
        .replace("config = { n_trees = 10 } }", "weights = { file = \"x\", sha256 = \"y\" } }");
    arena.write("methods/wrong.toml", wrong);
    let refused = arena.run(&[library("molarena_baselines")], &["--dataset", "chains", "--method", "wrong"]);
    assert!(refused.stderr.contains("only an `encoder` has `weights`"), "{}", refused.stderr);
}
