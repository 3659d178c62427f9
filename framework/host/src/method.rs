//! Method files: how a row of a board is composed.

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use molarena_metrics::Scoring;
use serde::{Deserialize, Serialize};

use crate::{Error, FeatureSpec, Result};

/// Schema name of a method file.
pub const METHOD_SCHEMA: &str = "molarena.method/1";

static BUILTIN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../leaderboards/methods");

/// A method: features or an encoder, a baseline on top, and how it is scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Method {
    /// [`METHOD_SCHEMA`].
    pub schema: String,
    /// Name of the row.
    pub name: String,
    /// One sentence.
    #[serde(default)]
    pub summary: String,
    /// What is computed of each molecule.
    pub features: FeatureSpec,
    /// Turns the features into vectors for the baseline.
    pub encoder: Option<ComponentSpec>,
    /// The predictor.
    pub baseline: ComponentSpec,
    /// How the predictions are scored.
    #[serde(default)]
    pub protocol: MethodProtocol,
}

/// A component of a plugin and its configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentSpec {
    /// `plugin/component`, such as `baselines/rf`.
    pub component: String,
    /// Configuration, checked against the component's JSON Schema.
    #[serde(default = "empty_object")]
    pub config: serde_json::Value,
}

impl ComponentSpec {
    /// Plugin id and component id.
    pub fn split(&self) -> Option<(&str, &str)> {
        self.component.split_once('/').filter(|(plugin, id)| !plugin.is_empty() && !id.is_empty())
    }
}

fn empty_object() -> serde_json::Value {
    serde_json::json!({})
}

/// Departures from the dataset's protocol, for named rows only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MethodProtocol {
    /// `hard` scores 0/1 predictions, as the paper did for its forests and Gaussian processes.
    pub scoring: Scoring,
    /// Shuffles the training and validation labels of each task: the score must be chance.
    pub shuffle_labels: bool,
}

impl Method {
    /// Reads a method from TOML; `origin` is named in errors.
    pub fn parse(text: &str, origin: &Path) -> Result<Self> {
        let document = |message: String| Error::Document { path: origin.to_owned(), message };
        let method: Self = toml::from_str(text).map_err(|error| document(error.to_string()))?;
        if method.schema != METHOD_SCHEMA {
            return Err(document(format!("schema is `{}`, expected `{METHOD_SCHEMA}`", method.schema)));
        }
        if method.name.is_empty()
            || !method.name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+".contains(c))
        {
            return Err(document(format!("name `{}` must be of letters, digits and -_.+", method.name)));
        }
        for spec in method.encoder.iter().chain([&method.baseline]) {
            if spec.split().is_none() {
                return Err(document(format!("component `{}` must be `plugin/component`", spec.component)));
            }
            if !spec.config.is_object() {
                return Err(document(format!("config of `{}` must be a table", spec.component)));
            }
        }
        method.features.check().map_err(document)?;
        Ok(method)
    }

    /// The same method with shuffled training labels, under another name.
    #[must_use]
    pub fn with_shuffled_labels(mut self) -> Self {
        if !self.protocol.shuffle_labels {
            self.protocol.shuffle_labels = true;
            self.name.push_str("+shuffled");
        }
        self
    }
}

/// The methods that can be named: the built-in ones and those of a folder, which win.
#[derive(Clone, Debug)]
pub struct Methods(Vec<Method>);

impl Methods {
    /// The built-in methods, and the `.toml` files of `folder`.
    pub fn load(folder: Option<&Path>) -> Result<Self> {
        let mut methods = Vec::new();
        for file in BUILTIN.files().filter(|file| is_toml(file.path())) {
            let text = file.contents_utf8().expect("built-in methods are text");
            methods.push(Method::parse(text, &Path::new("leaderboards/methods").join(file.path()))?);
        }
        let mut this = Self(methods);
        if let Some(folder) = folder {
            let entries = fs_err::read_dir(folder).map_err(|error| Error::Request(error.to_string()))?;
            let mut paths: Vec<PathBuf> =
                entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
            paths.retain(|path| is_toml(path));
            paths.sort();
            for path in paths {
                this.insert(Method::parse(&fs_err::read_to_string(&path)?, &path)?);
            }
        }
        this.0.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(this)
    }

    fn insert(&mut self, method: Method) {
        self.0.retain(|known| known.name != method.name);
        self.0.push(method);
    }

    /// The method called `name`, or the one in the file `name` if that ends in `.toml`. Relative paths start at `base`.
    pub fn get(&self, name: &str, base: &Path) -> Result<Method> {
        if is_toml(Path::new(name)) {
            let path = base.join(name);
            // The message names the file.
            let text = fs_err::read_to_string(&path).map_err(|error| Error::Request(error.to_string()))?;
            return Method::parse(&text, &path);
        }
        self.0.iter().find(|method| method.name == name).cloned().ok_or_else(|| Error::UnknownMethod {
            name: name.into(),
            known: self.0.iter().map(|method| method.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// All methods by name.
    pub fn iter(&self) -> impl Iterator<Item = &Method> {
        self.0.iter()
    }
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}
