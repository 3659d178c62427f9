//! Method files: how a row of a board is composed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use molarena_metrics::Scoring;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    error::{Error, Result},
    request::component::{ComponentSpec, empty_object, locate_weights},
    request::document::{check_values, parse},
    request::grid,
    request::library::{Methods, is_toml},
    request::sweep::Assignment,
};
use molarena_features::FeatureSpec;
use molarena_record::{
    cell::Record,
    matching::MatchRecord,
    parts::{ComponentUse, Composition, MemberUse, Pretrained, Rule, Tune, WeightsUse},
};
use molarena_sdk::{ComponentKind, InputKind};

/// Schema name of a method file.
pub const METHOD_SCHEMA: &str = "molarena.method/1";

/// A method: a recipe for predictions, and how they are scored.
#[derive(Clone, Debug)]
pub struct Method {
    /// Name of the row.
    pub name: String,
    /// One-sentence description.
    pub summary: String,
    /// The model or ensemble that predicts.
    pub recipe: Recipe,
    /// How the predictions are scored.
    pub protocol: MethodProtocol,
    /// The device, if it is not the suite's.
    pub device: Option<String>,
    /// The parameters that a suite varies, with this method's values; empty if it varies none.
    pub varied: BTreeMap<String, serde_json::Value>,
    /// The file's content, which variants are made from.
    document: serde_json::Value,
    /// The file's path, for errors.
    origin: PathBuf,
}

/// Methods with the same content are equal, whatever their files.
impl PartialEq for Method {
    fn eq(&self, other: &Self) -> bool {
        let says = |method: &Self| {
            (method.protocol, method.summary.clone(), method.device.clone(), method.varied.clone())
        };
        self.name == other.name && self.recipe == other.recipe && says(self) == says(other)
    }
}

/// How a method predicts.
#[derive(Clone, Debug, PartialEq)]
pub enum Recipe {
    /// One model.
    Model(Box<Model>),
    /// Other methods' predictions, combined.
    Ensemble(Ensemble),
}

/// Features, encoded or not, with a baseline for prediction, a decoder for matching, or both.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The features computed for each molecule.
    pub features: FeatureSpec,
    /// Turns the features into vectors for the baseline and the decoder.
    pub encoder: Option<ComponentSpec>,
    /// What stands beside the vectors of the encoder for the baseline, in the order of the columns.
    pub join: Vec<Beside>,
    /// How the encoder is pretrained; without it, the encoder is used as its configuration and the cell's
    /// seed initialise it.
    pub pretraining: Option<Pretraining>,
    /// Configuration of the head and the training by which the encoder is fine-tuned; it then predicts in place of a baseline.
    pub finetune: Option<Value>,
    /// The predictor; `None` for a method that only matches, and for a fine-tuned encoder.
    pub baseline: Option<ComponentSpec>,
    /// Scores profiles for vectors; `None` for a method that only predicts.
    pub decoder: Option<ComponentSpec>,
    /// Settings of the baseline or the fine-tuning that are chosen on the validation molecules.
    pub tune: Option<Tune>,
}

/// What stands beside the vectors of an encoder.
#[derive(Clone, Debug, PartialEq)]
pub enum Beside {
    /// Features that the arena computes or reads.
    Features(FeatureSpec),
    /// The vectors of another encoder, as its configuration, its weights and the cell's seed make it.
    Encoded(Encoded),
}

/// Features and the encoder that turns them into vectors.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encoded {
    /// The features computed for each molecule.
    pub features: FeatureSpec,
    /// Turns them into vectors.
    pub encoder: ComponentSpec,
}

impl Beside {
    /// The key `join` of a method file: one part or a list of them.
    fn parse(join: Value) -> Result<Vec<Self>, String> {
        let parts = match join {
            Value::Array(parts) if parts.is_empty() => return Err("join: the list is empty".into()),
            Value::Array(parts) => parts,
            part => vec![part],
        };
        let parse = |part: Value| {
            let parsed = if part.get("encoder").is_some() {
                Encoded::deserialize(part).map(Self::Encoded)
            } else {
                FeatureSpec::deserialize(part).map(Self::Features)
            };
            parsed.map_err(|error| format!("join: {error}"))
        };
        parts.into_iter().map(parse).collect()
    }

    fn check(&self) -> Result<(), String> {
        match self {
            Self::Features(features) => {
                features.check().map_err(|error| error.replacen("features", "join", 1))?;
                if !matches!(features.input(), InputKind::Dense | InputKind::Bits) || features.may_be_absent()
                {
                    return Err("join: features may be morgan, morgan-counts, maccs, descriptors, companion or concatenated ones of \
                                these"
                        .into());
                }
                Ok(())
            }
            Self::Encoded(Encoded { features, .. }) => {
                features.check().map_err(|error| format!("join: {error}"))?;
                if features.may_be_absent() {
                    return Err(
                        "join: profile and cell-count features go to a `baseline` without an `encoder`"
                            .into(),
                    );
                }
                Ok(())
            }
        }
    }
}

/// What an encoder is trained on before any labels are seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pretraining {
    /// Id of a context graph.
    pub corpus: String,
    /// Seed of the pretraining, whatever the cell's seed is.
    pub seed: u64,
    /// Datasets whose molecules are left out of the corpus, besides those of the dataset under evaluation,
    /// which always are.
    pub leave_out: Vec<String>,
}

/// Other methods' predictions, combined as in the step `combine`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ensemble {
    /// Names of methods, or paths of method files relative to the folder of this file; not of ensembles.
    pub members: Vec<String>,
    /// How their predictions become one.
    #[serde(default)]
    pub rule: Rule,
}

/// The content of a method file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MethodFile {
    schema: String,
    name: String,
    #[serde(default)]
    summary: String,
    features: Option<FeatureSpec>,
    encoder: Option<EncoderFile>,
    join: Option<Value>,
    baseline: Option<ComponentSpec>,
    decoder: Option<ComponentSpec>,
    tune: Option<Tune>,
    ensemble: Option<Ensemble>,
    device: Option<String>,
    #[serde(default)]
    protocol: MethodProtocol,
}

/// The table `encoder` of a method file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EncoderFile {
    component: String,
    #[serde(default = "empty_object")]
    config: serde_json::Value,
    weights: Option<WeightsUse>,
    corpus: Option<String>,
    pretrain_seed: Option<u64>,
    leave_out: Option<Vec<String>>,
    finetune: Option<Value>,
}

/// The parts of a table `encoder`.
struct EncoderParts {
    encoder: Option<ComponentSpec>,
    pretraining: Option<Pretraining>,
    finetune: Option<Value>,
}

impl EncoderFile {
    fn split(self) -> Result<EncoderParts, String> {
        let pretraining = match (self.corpus, self.pretrain_seed, self.leave_out) {
            (Some(corpus), seed, leave_out) => Some(Pretraining {
                corpus,
                seed: seed.unwrap_or(0),
                leave_out: leave_out.unwrap_or_default(),
            }),
            (None, None, None) => None,
            (None, seed, _) => {
                let key = if seed.is_some() { "pretrain_seed" } else { "leave_out" };
                return Err(format!("encoder.{key} says nothing without encoder.corpus, the context graph"));
            }
        };
        let encoder = ComponentSpec { component: self.component, config: self.config, weights: self.weights };
        Ok(EncoderParts { encoder: Some(encoder), pretraining, finetune: self.finetune })
    }
}

impl MethodFile {
    /// The recipe; `Err` says which keys do not go together.
    fn recipe(self) -> Result<Recipe, String> {
        let own = self.encoder.is_some()
            || self.baseline.is_some()
            || self.decoder.is_some()
            || self.join.is_some();
        match (self.ensemble, self.features) {
            (None, Some(features)) => {
                let finetunes = self.encoder.as_ref().is_some_and(|encoder| encoder.finetune.is_some());
                if self.baseline.is_none() && self.decoder.is_none() && !finetunes {
                    return Err(
                        "missing key `baseline` (or `decoder`, or `ensemble`, or `finetune` of an encoder)"
                            .into(),
                    );
                }
                if finetunes && (self.baseline.is_some() || self.decoder.is_some() || self.join.is_some()) {
                    return Err("encoder.finetune predicts with a head of its own: a method with it has no `baseline`, `decoder` or \
                                `join`; make two methods"
                        .into());
                }
                if self.baseline.is_none() && self.tune.is_some() && !finetunes {
                    return Err("`tune` is for a `baseline` or for `finetune`, and there is neither".into());
                }
                if self.join.is_some() && (self.encoder.is_none() || self.baseline.is_none()) {
                    return Err("`join` stands beside the vectors of an `encoder` for a `baseline`; without an encoder, use \
                                features of the kind `concatenated`"
                        .into());
                }
                let EncoderParts { encoder, pretraining, finetune } = match self.encoder {
                    Some(encoder) => encoder.split()?,
                    None => EncoderParts { encoder: None, pretraining: None, finetune: None },
                };
                Ok(Recipe::Model(Box::new(Model {
                    features,
                    encoder,
                    join: self.join.map(Beside::parse).transpose()?.unwrap_or_default(),
                    pretraining,
                    finetune,
                    baseline: self.baseline,
                    decoder: self.decoder,
                    tune: self.tune,
                })))
            }
            (Some(ensemble), None) if !own && self.tune.is_none() => Ok(Recipe::Ensemble(ensemble)),
            (Some(_), _) => {
                Err("an `ensemble` has no features, encoder, join, baseline, decoder or tune of its own"
                    .into())
            }
            (None, None) => Err("missing key `features` (or `ensemble`)".into()),
        }
    }
}

/// Departures from the dataset's protocol, for named rows only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MethodProtocol {
    /// `hard` scores 0/1 predictions, as the paper did for its forests and Gaussian processes.
    pub scoring: Scoring,
    /// Shuffles the training and validation labels of each task: the score must be at chance level.
    pub shuffle_labels: bool,
}

impl Method {
    /// The file that it was read from; for a built-in one, its path in the repository.
    pub fn origin(&self) -> &Path {
        &self.origin
    }

    /// Reads a method from TOML; `origin` is named in errors.
    pub fn parse(text: &str, origin: &Path) -> Result<Self> {
        let document = |message: String| Error::Document { path: origin.to_owned(), message };
        // Read as a method first: errors of TOML name the line.
        parse::<MethodFile>(text).map_err(document)?;
        check_values(text).map_err(document)?;
        let content = parse(text).map_err(document)?;
        Self::of_document(content, origin)
    }

    fn of_document(content: serde_json::Value, origin: &Path) -> Result<Self> {
        let document = |message: String| Error::Document { path: origin.to_owned(), message };
        let file = MethodFile::deserialize(&content).map_err(|error| document(error.to_string()))?;
        if file.schema != METHOD_SCHEMA {
            return Err(document(format!("schema is `{}`, expected `{METHOD_SCHEMA}`", file.schema)));
        }
        let (name, summary, protocol) = (file.name.clone(), file.summary.clone(), file.protocol);
        let device = file.device.clone();
        let mut recipe = file.recipe().map_err(document)?;
        check_method_name(&name).map_err(document)?;
        match &mut recipe {
            Recipe::Model(model) => model.check().map_err(document)?,
            Recipe::Ensemble(ensemble) => {
                ensemble.check().map_err(document)?;
                let folder = origin.parent().unwrap_or(Path::new(""));
                for member in ensemble.members.iter_mut().filter(|member| is_toml(Path::new(member))) {
                    *member = folder.join(&*member).to_string_lossy().into_owned();
                }
            }
        }
        let (varied, origin) = (BTreeMap::new(), origin.to_owned());
        Ok(Self { name, summary, recipe, protocol, device, varied, document: content, origin })
    }

    /// The method that a record describes, and the members of its ensemble: what a method file says, without hashes.
    ///
    /// # Errors
    /// [`Error::Document`] if this version of molarena cannot read the description.
    pub fn of_record(record: &Record) -> Result<(Self, Vec<Self>)> {
        let protocol = MethodProtocol { scoring: record.scoring, shuffle_labels: record.shuffled_labels };
        let composition = &record.composition;
        let mut method = Self::of_composition(&record.method, protocol, composition)?;
        method.varied.clone_from(&record.varied);
        let member = |used: &MemberUse| Self::of_composition(&used.method, protocol, &used.composition);
        Ok((method, composition.members.iter().map(member).collect::<Result<_>>()?))
    }

    /// The method that a matching record describes, as [`of_record`](Self::of_record) says.
    ///
    /// # Errors
    /// As [`of_record`](Self::of_record).
    pub fn of_match(record: &MatchRecord) -> Result<Self> {
        let composition = &record.composition;
        let mut content = model_content(&composition.features, composition.encoder.as_ref());
        content["decoder"] = component_content(&composition.decoder);
        if let Some(pretraining) = &composition.pretraining {
            // The queries are always left out; method files name datasets only.
            let queries = MatchRecord::queries_of(&record.spaces);
            let is_dataset = |name: &&String| **name != queries;
            let datasets: Vec<String> = pretraining.leave_out.iter().filter(is_dataset).cloned().collect();
            set_pretraining(&mut content, pretraining, &datasets);
        }
        let mut method = Self::again(&record.method, content)?;
        method.varied.clone_from(&record.varied);
        Ok(method)
    }

    fn of_composition(name: &str, protocol: MethodProtocol, composition: &Composition) -> Result<Self> {
        let mut content = if composition.members.is_empty() {
            let mut content = model_content(&composition.features, composition.encoder.as_ref());
            if let Some(baseline) = &composition.baseline {
                content["baseline"] = component_content(baseline);
            }
            if let Some(finetune) = &composition.finetune {
                content["encoder"]["finetune"] = finetune.clone();
            }
            if let Some(pretraining) = &composition.pretraining {
                set_pretraining(&mut content, pretraining, &pretraining.leave_out);
            }
            if !composition.join.is_null() {
                content["join"] = match composition.join.as_array() {
                    Some(parts) => parts.iter().map(join_content).collect(),
                    None => join_content(&composition.join),
                };
            }
            if let Some(tune) = &composition.tune {
                content["tune"] = json!(tune);
            }
            content
        } else {
            let members: Vec<&str> =
                composition.members.iter().map(|member| member.method.as_str()).collect();
            json!({ "ensemble": { "members": members, "rule": composition.rule } })
        };
        content["protocol"] = json!(protocol);
        Self::again(name, content)
    }

    /// The method of a record's description, `content` without its head.
    fn again(name: &str, mut content: Value) -> Result<Self> {
        content["schema"] = json!(METHOD_SCHEMA);
        // Names of variants are not those of method files.
        content["name"] = json!("again");
        let mut method = Self::of_document(content, Path::new("the record"))?;
        name.clone_into(&mut method.name);
        Ok(method)
    }

    /// The same method with other values of some keys, called `name[key=value,...]`.
    ///
    /// # Errors
    /// [`Error::Request`] for an ensemble and for a key of a part that the method does not have; [`Error::Document`] for
    /// a value that a method file cannot have. Keys of a configuration are checked with the plugin's schema, as always.
    pub fn with(&self, assignments: &[Assignment<'_>]) -> Result<Self> {
        let mut content = self.document.clone();
        let failed = |message: String| Error::Request(format!("method `{}`: vary: {message}", self.name));
        if matches!(self.recipe, Recipe::Ensemble(_)) {
            return Err(failed("an ensemble has no parameters of its own".into()));
        }
        for assignment in assignments {
            assignment.set(&mut content).map_err(failed)?;
        }
        let mut method = Self::of_document(content, &self.origin)?;
        let parts: Vec<String> = assignments.iter().map(Assignment::label).collect();
        method.name = format!("{}[{}]", self.name, parts.join(","));
        method.varied = assignments.iter().map(|one| (one.key.to_owned(), one.value.clone())).collect();
        Ok(method)
    }

    /// The file of weights that it names, checked.
    ///
    /// # Errors
    /// [`Error::Weights`] if it is not there, or not the file that the method means.
    pub(crate) fn weights(&self, named: &WeightsUse, data_dir: &Path) -> Result<PathBuf> {
        locate_weights(named, &self.origin, data_dir)
    }

    /// Whether the encoder of the method, or of a member of its ensemble, is pretrained.
    ///
    /// # Errors
    /// [`Error::UnknownMethod`] for an unknown member, and errors of reading its file.
    pub fn is_pretrained(&self, methods: &Methods) -> Result<bool> {
        let trains = |recipe: &Recipe| matches!(recipe, Recipe::Model(model) if model.pretraining.is_some());
        let Recipe::Ensemble(ensemble) = &self.recipe else { return Ok(trains(&self.recipe)) };
        for member in &ensemble.members {
            if trains(&methods.get(member, Path::new(""))?.recipe) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The same method with shuffled training and validation labels, under another name.
    #[must_use]
    pub fn with_shuffled_labels(mut self) -> Self {
        if !self.protocol.shuffle_labels {
            self.protocol.shuffle_labels = true;
            self.name.push_str("+shuffled");
        }
        self
    }
}

/// Refuses a name that no method may have.
///
/// # Errors
/// Says of what names are.
pub fn check_method_name(name: &str) -> Result<(), String> {
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+".contains(c)) {
        return Err(format!("name `{name}` must be of letters, digits and -_.+"));
    }
    Ok(())
}

/// Features and encoder of a record, as a method file has them.
fn model_content(features: &Value, encoder: Option<&ComponentUse>) -> Value {
    let mut content = json!({ "features": without_hashes(features) });
    if let Some(encoder) = encoder {
        content["encoder"] = component_content(encoder);
    }
    content
}

/// A part of `join` of a record, as a method file has it.
fn join_content(part: &Value) -> Value {
    match ComponentUse::deserialize(&part["encoder"]) {
        Ok(encoder) => model_content(&part["features"], Some(&encoder)),
        Err(_) => without_hashes(part),
    }
}

fn component_content(used: &ComponentUse) -> Value {
    let mut content = json!({ "component": used.component, "config": used.config });
    if let Some(weights) = &used.weights {
        content["weights"] = json!(weights);
    }
    content
}

fn set_pretraining(content: &mut Value, pretraining: &Pretrained, leave_out: &[String]) {
    content["encoder"]["corpus"] = json!(pretraining.corpus);
    content["encoder"]["pretrain_seed"] = json!(pretraining.seed);
    content["encoder"]["leave_out"] = json!(leave_out);
}

/// Features as a method file has them: a record adds the sha256 of what each measured part is read from.
fn without_hashes(features: &Value) -> Value {
    let mut features = features.clone();
    if let Some(parts) = features.get_mut("parts").and_then(Value::as_array_mut) {
        for part in parts.iter_mut() {
            *part = without_hashes(part);
        }
    }
    if let Some(members) = features.as_object_mut() {
        members.remove("sha256");
    }
    features
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

impl Model {
    /// Its encoders: that whose vectors come first, and those joined to it.
    pub(crate) fn encoders(&self) -> impl Iterator<Item = &ComponentSpec> {
        let joined = self.join.iter().filter_map(|part| match part {
            Beside::Encoded(Encoded { encoder, .. }) => Some(encoder),
            Beside::Features(_) => None,
        });
        self.encoder.iter().chain(joined)
    }

    /// All its components, to change them.
    pub(crate) fn components_mut(&mut self) -> impl Iterator<Item = (ComponentKind, &mut ComponentSpec)> {
        let joined = self.join.iter_mut().filter_map(|part| match part {
            Beside::Encoded(Encoded { encoder, .. }) => Some(encoder),
            Beside::Features(_) => None,
        });
        let encoders = self.encoder.iter_mut().chain(joined).map(|spec| (ComponentKind::Encoder, spec));
        let decoder = self.decoder.iter_mut().map(|spec| (ComponentKind::Decoder, spec));
        encoders.chain(decoder).chain(self.baseline.iter_mut().map(|spec| (ComponentKind::Baseline, spec)))
    }

    fn check(&self) -> Result<(), String> {
        for spec in self.encoders().chain(&self.baseline).chain(&self.decoder) {
            if spec.split().is_none() {
                return Err(format!("component `{}` must be `plugin/component`", spec.component));
            }
            if !spec.config.is_object() {
                return Err(format!("config of `{}` must be a table", spec.component));
            }
        }
        if self.finetune.as_ref().is_some_and(|finetune| !finetune.is_object()) {
            return Err("encoder.finetune must be a table: the configuration of head and training".into());
        }
        if self.baseline.iter().chain(&self.decoder).any(|spec| spec.weights.is_some()) {
            return Err("only an `encoder` has `weights`".into());
        }
        let mut weights = self.encoders().filter_map(|encoder| encoder.weights.as_ref());
        if let Some(weights) = weights.find(|weights| !is_sha256(&weights.sha256)) {
            return Err(format!(
                "encoder.weights.sha256 `{}` must be 64 lower-case hexadecimal digits",
                weights.sha256
            ));
        }
        if let Some(Pretraining { corpus, leave_out, .. }) = &self.pretraining {
            let distinct: std::collections::BTreeSet<_> = leave_out.iter().collect();
            if corpus.is_empty() || distinct.len() < leave_out.len() {
                return Err(
                    "encoder.corpus must name a context graph, encoder.leave_out each dataset once".into()
                );
            }
            if !self.features.measured().is_empty() {
                return Err(
                    "companion, profile and cell-count features belong to a dataset's own molecules; those of a corpus have none"
                        .into(),
                );
            }
        }
        if self.encoder.is_some() && self.features.may_be_absent() {
            return Err("profile and cell-count features go to a `baseline` without an `encoder`".into());
        }
        self.join.iter().try_for_each(Beside::check)?;
        self.features.check()?;
        self.tune.as_ref().map_or(Ok(()), grid::check)
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
