//! Made-up datasets for the unit tests.

use std::path::Path;

use crate::hash::sha256_hex;
use crate::manifest::Manifest;

/// A manifest of a classification dataset with tasks `t1` and `t2`, two rows, and `assays` as its table.
pub(crate) fn manifest_text(id: &str, assays: impl AsRef<[u8]>) -> String {
    let sha256 = sha256_hex(assays.as_ref());
    format!(
        r#"
schema = "molarena.dataset/1"
id = "{id}"
title = "Made up"
description = "for tests"
licence = "none"

[table]
smiles = "smiles"
rows = 2

[tasks]
type = "classification"
count = 2
columns = ["t1", "t2"]

[protocol]
split = "scaffold"
metric = "roc_auc"

[[files]]
path = "{id}/assays.csv"
role = "assays"
sha256 = "{sha256}"
"#
    )
}

/// Writes `assays` into a data folder and returns its manifest, changed by `edit`.
pub(crate) fn made_up(
    data_dir: &Path,
    assays: impl AsRef<[u8]>,
    edit: impl FnOnce(&mut Manifest),
) -> Manifest {
    let mut manifest = Manifest::parse(&manifest_text("made-up", &assays), "made-up/dataset.toml").unwrap();
    edit(&mut manifest);
    fs_err::create_dir_all(data_dir.join("made-up")).unwrap();
    fs_err::write(manifest.assays().locate(data_dir), assays).unwrap();
    manifest
}
