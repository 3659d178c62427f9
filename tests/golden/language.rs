//! Vectors of small random transformers against those of `transformers` (`language.py`).

use std::collections::BTreeMap;

use molarena_features::{Features, OwnedSmiles};
use molarena_language::{Pooling, Transformer, TransformerConfig, Unknown};
use molarena_sdk::{Call, Component, Encoder, Matrix, Result};

const MODELS: [(&str, &[u8]); 5] = [
    ("roberta", include_bytes!("language/roberta.tar")),
    ("bert", include_bytes!("language/bert.tar")),
    ("gpt2", include_bytes!("language/gpt2.tar")),
    ("gpt_neo", include_bytes!("language/gpt_neo.tar")),
    ("t5", include_bytes!("language/t5.tar")),
];
const POOLINGS: [(&str, Pooling); 3] =
    [("mean", Pooling::Mean), ("first", Pooling::First), ("last", Pooling::Last)];

fn model(name: &str) -> &'static [u8] {
    MODELS.into_iter().find(|(known, _)| *known == name).unwrap().1
}

fn transformer(config: TransformerConfig, archive: &[u8]) -> Transformer {
    let mut transformer = Transformer::new(config).unwrap();
    transformer.load(archive).unwrap();
    transformer
}

fn encode(transformer: &mut Transformer, smiles: &[&str], seed: u64) -> Result<Matrix> {
    transformer.encode(&Features::Smiles(OwnedSmiles::new(smiles)).inputs(), &Call::new(seed, 2))
}

/// Molecules and their vectors by model and pooling.
type Vectors = BTreeMap<(String, String), Vec<(String, Vec<f32>)>>;

fn expected() -> Vectors {
    let mut found = Vectors::new();
    for row in csv::Reader::from_reader(&include_bytes!("language/vectors.csv")[..]).records() {
        let row = row.unwrap();
        let vector = row.iter().skip(3).map(|value| value.parse().unwrap()).collect();
        found.entry((row[0].to_owned(), row[1].to_owned())).or_default().push((row[2].to_owned(), vector));
    }
    found
}

fn largest_difference(one: &[f32], other: &[f32]) -> f32 {
    assert_eq!(one.len(), other.len());
    one.iter().zip(other).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max)
}

#[test]
fn vectors_equal_those_of_transformers() {
    let expected = expected();
    for (name, archive) in MODELS {
        for (text, pooling) in POOLINGS {
            let rows = &expected[&(name.to_owned(), text.to_owned())];
            assert_eq!(rows.len(), 12);
            let smiles: Vec<&str> = rows.iter().map(|(smiles, _)| smiles.as_str()).collect();
            let config = TransformerConfig { pooling, ..TransformerConfig::default() };
            let mut transformer = transformer(config, archive);
            let found = encode(&mut transformer, &smiles, 0).unwrap();
            assert_eq!(found.columns, transformer.width());
            let vectors: Vec<f32> = rows.iter().flat_map(|(_, vector)| vector.iter().copied()).collect();
            let largest = largest_difference(&found.values, &vectors);
            println!("{name} {text}: the largest difference is {largest}");
            assert!(largest < 1e-4, "{name} {text}: {largest}");
            // Neither company nor order changes anything.
            let backwards: Vec<&str> = smiles.iter().rev().copied().collect();
            let again = encode(&mut transformer, &backwards, 0).unwrap();
            let turned: Vec<f32> = again.values.chunks(again.columns).rev().flatten().copied().collect();
            assert!(largest_difference(&found.values, &turned) < 1e-5, "{name} {text}");
        }
    }
}

#[test]
fn random_weights_derive_from_the_seed() {
    for (name, archive) in MODELS {
        let random = |seed| {
            let config = TransformerConfig { random: true, ..TransformerConfig::default() };
            encode(&mut transformer(config, archive), &["CCO", "c1ccccc1"], seed).unwrap().values
        };
        let trained =
            encode(&mut transformer(TransformerConfig::default(), archive), &["CCO", "c1ccccc1"], 3);
        assert_eq!(random(3), random(3), "{name}");
        assert!(random(3) != random(4) && random(3) != trained.unwrap().values, "{name}");
        assert!(random(3).iter().all(|value| value.is_finite()), "{name}");
    }
}

#[test]
fn a_state_is_the_archive() {
    let bert = transformer(TransformerConfig::default(), model("bert"));
    assert_eq!(bert.save().unwrap(), model("bert"));
    let none = Transformer::new(TransformerConfig::default()).unwrap();
    assert!(none.save().unwrap_err().to_string().contains("needs `fit` or `load` first"));
}

#[test]
fn molecules_that_do_not_fit_are_refused_or_cut_off() {
    let refused = |config: TransformerConfig, name: &str, smiles: &str| {
        encode(&mut transformer(config, model(name)), &["CCO", smiles], 0).unwrap_err().to_string()
    };
    let default = TransformerConfig::default;
    let unknown = refused(default(), "bert", "C[Pt]C");
    assert!(unknown.contains("molecule 1 has `[Pt]`") && unknown.contains("unknown = \"keep\""), "{unknown}");
    let kept = TransformerConfig { unknown: Unknown::Keep, ..default() };
    assert_eq!(encode(&mut transformer(kept, model("bert")), &["C[Pt]C"], 0).unwrap().rows, 1);
    // Two places of 64 are for the special tokens.
    let (fits, long) = ("C".repeat(62), "C".repeat(63));
    assert!(encode(&mut transformer(default(), model("bert")), &[&fits], 0).is_ok());
    let message = refused(default(), "bert", &long);
    assert!(message.contains("molecule 1 has 65 tokens, and the context of the model is 64"), "{message}");
    assert!(message.contains("truncate = true"), "{message}");
    let cut = TransformerConfig { truncate: true, ..default() };
    assert_eq!(encode(&mut transformer(cut, model("bert")), &[&long], 0).unwrap().rows, 1);
    // RoBERTa has places from 2 on: 64 of 66.
    let message = refused(default(), "roberta", &"CN".repeat(200));
    assert!(message.contains("the context of the model is 64"), "{message}");
    // T5 counts distances: nothing is too long.
    assert!(encode(&mut transformer(default(), model("t5")), &[&"C".repeat(300)], 0).is_ok());
    let nothing = encode(&mut Transformer::new(default()).unwrap(), &["C"], 0).unwrap_err().to_string();
    assert!(nothing.contains("has no weights"), "{nothing}");
}

/// An archive of the files of a model, changed.
fn archive(name: &str, change: impl Fn(&str, Vec<u8>) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for entry in tar::Archive::new(model(name)).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        let path = entry.path().unwrap().into_owned();
        let Some(bytes) = change(path.file_name().unwrap().to_str().unwrap(), bytes) else { continue };
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, path, &bytes[..]).unwrap();
    }
    builder.into_inner().unwrap()
}

#[test]
fn archives_that_do_not_fit_are_refused_with_the_reason() {
    let refused = |archive: &[u8]| {
        let mut transformer = Transformer::new(TransformerConfig::default()).unwrap();
        transformer.load(archive).unwrap_err().to_string()
    };
    let without = |file: &'static str| archive("gpt2", move |name, bytes| (name != file).then_some(bytes));
    let with = |file: &'static str, from: &'static str, to: &'static str| {
        archive("gpt2", move |name, bytes| {
            let text = String::from_utf8(bytes.clone()).unwrap_or_default();
            Some(if name == file { text.replace(from, to).into_bytes() } else { bytes })
        })
    };
    let more_tokens = archive("gpt2", |name, bytes| {
        if name != "tokenizer.json" {
            return Some(bytes);
        }
        let mut tokenizer: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let vocabulary = tokenizer["model"]["vocab"].as_object_mut().unwrap();
        for number in vocabulary.len()..110 {
            vocabulary.insert(format!("more {number}"), number.into());
        }
        Some(serde_json::to_vec(&tokenizer).unwrap())
    });
    for (archive, part) in [
        (b"PK\x03\x04".to_vec(), "it is no whole tar archive of config.json, "),
        (model("gpt2")[..700].to_vec(), "no whole tar archive"),
        (vec![0; 1024], "there is no config.json in the archive"),
        (model("gpt2")[..model("gpt2").len() - 1].to_vec(), "no whole tar archive"),
        (without("config.json"), "there is no config.json"),
        (without("tokenizer.json"), "there is no tokenizer.json"),
        (without("model.safetensors"), "neither model.safetensors nor pytorch_model.bin"),
        (with("config.json", "\"gpt2\"", "\"mamba\""), "model_type is `mamba`, must be one of bert, "),
        (
            with("config.json", "\"n_layer\": 2", "\"n_layer\": 3"),
            "the weights do not fit config.json (gpt2)",
        ),
        (
            with("config.json", "\"n_embd\": 16", "\"n_embd\": 32"),
            "the weights do not fit config.json (gpt2)",
        ),
        (with("config.json", "\"vocab_size\": 96", "\"vocab_size\": 20"), "shape mismatch for wte.weight"),
        (more_tokens, "the tokenizer does not fit: it has 110 tokens, and the model 96"),
        (with("config.json", "{", "{{"), "config.json: "),
        (with("tokenizer.json", "{", "["), "tokenizer.json: "),
    ] {
        let message = refused(&archive);
        assert!(message.contains(part), "{part}: {message}");
    }
}
