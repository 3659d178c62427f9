//! Method files: how a row of a board is composed.

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use molarena_metrics::Scoring;
use serde::{Deserialize, Serialize};

use crate::{Error, FeatureSpec, Result, Tune};

/// Schema name of a method file.
pub const METHOD_SCHEMA: &str = "molarena.method/1";

static BUILTIN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../leaderboards/methods");

/// A method: a recipe for predictions, and how they are scored.
#[derive(Clone, Debug, PartialEq)]
pub struct Method {
    /// Name of the row.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// What predicts.
    pub recipe: Recipe,
    /// How the predictions are scored.
    pub protocol: MethodProtocol,
}

/// What predicts.
#[derive(Clone, Debug, PartialEq)]
pub enum Recipe {
    /// One model.
    Model(Box<Model>),
    /// The mean of other methods' predictions.
    Ensemble(Ensemble),
}

/// Features or an encoder, and a baseline on top.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// What is computed of each molecule.
    pub features: FeatureSpec,
    /// Turns the features into vectors for the baseline.
    pub encoder: Option<ComponentSpec>,
    /// The predictor.
    pub baseline: ComponentSpec,
    /// Settings of the baseline that are chosen on the validation molecules.
    pub tune: Option<Tune>,
}

/// The mean of the predictions of other methods, made comparable as in [`crate::ensemble`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ensemble {
    /// Names of methods, or paths of method files from the folder of this file; no ensembles.
    pub members: Vec<String>,
}

/// A method file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MethodFile {
    schema: String,
    name: String,
    #[serde(default)]
    summary: String,
    features: Option<FeatureSpec>,
    encoder: Option<ComponentSpec>,
    baseline: Option<ComponentSpec>,
    tune: Option<Tune>,
    ensemble: Option<Ensemble>,
    #[serde(default)]
    protocol: MethodProtocol,
}

impl MethodFile {
    /// The recipe; `Err` says which keys do not go together.
    fn recipe(self) -> Result<Method, String> {
        let recipe = match (self.ensemble, self.features, self.baseline) {
            (None, Some(features), Some(baseline)) => {
                Recipe::Model(Box::new(Model { features, encoder: self.encoder, baseline, tune: self.tune }))
            }
            (Some(ensemble), None, None) if self.encoder.is_none() && self.tune.is_none() => {
                Recipe::Ensemble(ensemble)
            }
            (Some(_), ..) => {
                return Err("an `ensemble` has no features, encoder, baseline or tune of its own".into());
            }
            (None, None, _) => return Err("missing key `features` (or `ensemble`)".into()),
            (None, _, None) => return Err("missing key `baseline` (or `ensemble`)".into()),
        };
        Ok(Method { name: self.name, summary: self.summary, recipe, protocol: self.protocol })
    }
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
        let file: MethodFile = toml::from_str(text).map_err(|error| document(error.to_string()))?;
        if file.schema != METHOD_SCHEMA {
            return Err(document(format!("schema is `{}`, expected `{METHOD_SCHEMA}`", file.schema)));
        }
        let mut method = file.recipe().map_err(document)?;
        if method.name.is_empty()
            || !method.name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+".contains(c))
        {
            return Err(document(format!("name `{}` must be of letters, digits and -_.+", method.name)));
        }
        match &mut method.recipe {
            Recipe::Model(model) => model.check().map_err(document)?,
            Recipe::Ensemble(ensemble) => {
                ensemble.check().map_err(document)?;
                let folder = origin.parent().unwrap_or(Path::new(""));
                for member in ensemble.members.iter_mut().filter(|member| is_toml(Path::new(member))) {
                    *member = folder.join(&*member).to_string_lossy().into_owned();
                }
            }
        }
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

impl Model {
    fn check(&self) -> Result<(), String> {
        for spec in self.encoder.iter().chain([&self.baseline]) {
            if spec.split().is_none() {
                return Err(format!("component `{}` must be `plugin/component`", spec.component));
            }
            if !spec.config.is_object() {
                return Err(format!("config of `{}` must be a table", spec.component));
            }
        }
        self.features.check()?;
        self.tune.as_ref().map_or(Ok(()), Tune::check)
    }
}

impl Ensemble {
    fn check(&self) -> Result<(), String> {
        let distinct: std::collections::BTreeSet<_> = self.members.iter().collect();
        if self.members.len() < 2 || distinct.len() < self.members.len() {
            return Err("ensemble.members must name at least two methods, each once".into());
        }
        Ok(())
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
