//! Parquet of every codec and type, and the index columns of pandas. `make.py` wrote the files.

use super::{reads, refuses};

fn parquet(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/commands/tables");
    fs_err::read(format!("{folder}/{name}.parquet")).unwrap()
}

#[track_caller]
fn reads_parquet(name: &str, more: &[&str], expected: &[&str]) -> String {
    reads("x.parquet", parquet(name), more, expected)
}

#[test]
fn every_codec_of_pandas_and_polars_is_read() {
    let pandas = ["None", "snappy", "gzip", "brotli", "zstd", "lz4"].map(|codec| format!("pandas-{codec}"));
    let polars =
        ["uncompressed", "snappy", "gzip", "brotli", "zstd", "lz4"].map(|codec| format!("polars-{codec}"));
    let others = ["fastparquet-brotli", "fastparquet-lz4_raw"].map(str::to_owned);
    for name in pandas.iter().chain(&polars).chain(&others) {
        let told = reads_parquet(name, &[], &["active", "value"]);
        assert!(told.contains("20 positive, 20 negative, 0 missing"), "{name}: {told}");
        assert!(told.contains("40 numbers from 0.5 to 6.5, 0 missing"), "{name}: {told}");
    }
}

#[test]
fn every_encoding_and_type_is_read_or_named() {
    for name in ["encodings-delta", "encodings-split", "encodings-dictionary"] {
        let told = reads_parquet(name, &[], &["active", "flag", "value", "number"]);
        assert_eq!(told.matches("20 positive, 20 negative, 0 missing").count(), 2, "{name}: {told}");
        assert!(told.contains("40 numbers from -5 to 112, 0 missing"), "{name}: {told}");
    }
    let told =
        reads_parquet("types-pandas", &[], &["flag", "nullable", "half", "unsigned", "decimal", "category"]);
    for message in [
        "task \"nullable\": regression (inferred), 32 numbers from 0 to 2, 8 missing",
        "task \"half\": regression (inferred), 40 numbers from 0.5 to 6.5",
        "numbers from 0 to 9.223372e18",
        "40 numbers from 0 to 9.75",
        "no task: column \"word\" is text",
        "no task: column \"when\" is a date or time",
        "no task: column \"day\" is a date or time",
        "no task: column \"clock\" is a date or time",
        "no task: column \"took\" is a duration",
        "no task: column \"month\" is a date or time",
        "no task: column \"list\" is a nested column",
        "no task: column \"bytes\" is bytes that are no text",
        "no task: column \"nothing\" has no labels",
    ] {
        assert!(told.contains(message), "{message:?} not in {told}");
    }
    let told = reads_parquet("types-polars", &[], &["flag", "unsigned", "float", "decimal"]);
    for name in ["when", "day", "clock"] {
        assert!(told.contains(&format!("no task: column \"{name}\" is a date or time")), "{name}: {told}");
    }
    for message in ["\"took\" is a duration", "\"list\" is a nested column", "\"struct\" is a nested column"]
    {
        assert!(told.contains(message), "{message:?} not in {told}");
    }
    for (name, what) in
        [("took", "is a duration"), ("when", "is a date or time"), ("list", "is a nested column")]
    {
        refuses(
            "x.parquet",
            parquet("types-polars"),
            &["--task", name],
            &[&format!("column \"{name}\" {what}")],
        );
    }
}

#[test]
fn the_index_that_pandas_writes_is_no_task() {
    for (name, column) in [
        ("index-filtered", "__index_level_0__"),
        ("index-named", "compound"),
        ("index-multi", "__index_level_1__"),
    ] {
        let told = reads_parquet(name, &[], &["y"]);
        assert!(
            told.contains(&format!("no task: column \"{column}\" is the index of the data frame")),
            "{told}"
        );
        assert!(reads_parquet(name, &["--task", column], &[column]).contains("regression"));
    }
    assert!(reads_parquet("index-dates", &[], &["y"]).contains("\"__index_level_0__\" is a date or time"));
    reads_parquet("index-smiles", &[], &["y"]);
}
