//! Process plugins: programs that speak `molarena.process/1`, the second backend of the loader. Only a worker starts them.
//!
//! Frames are lines of JSON: requests on the program's standard input, answers on its standard output. Arrays are `.npy` files in
//! a folder that both use; a frame has their names. The program lives until its plugin and all its components are dropped.
//! docs/src/process.md specifies the protocol.

mod arrays;
mod channel;

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use molarena_sdk::{
    Call, ComponentDescription, ComponentKind, Corpus, Dense, Inputs, Labels, Matrix, PluginDescription,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use self::{arrays::Exchange, channel::Channel};
use super::{
    loader::{LoadError, check_shape},
    manifest::PluginManifest,
};

/// Name of the protocol; another number after the slash is another protocol.
const PROTOCOL: &str = "molarena.process/1";

/// A started program.
#[derive(Debug)]
struct Process {
    channel: Channel,
    exchange: Exchange,
}

/// An opened process plugin.
#[derive(Clone, Debug)]
pub(super) struct ProcessPlugin {
    process: Arc<Mutex<Process>>,
    pub(super) description: PluginDescription,
}

/// What a program answers to `hello`.
#[derive(Deserialize)]
struct Hello {
    components: Vec<ComponentDescription>,
}

impl ProcessPlugin {
    /// Starts the program of a plugin folder for calls with `threads` threads, and asks what it offers.
    pub(super) fn start(manifest: &PluginManifest, threads: usize) -> Result<Self, LoadError> {
        let path = manifest.folder.clone();
        let open = |message: String| LoadError::Open { path: path.clone(), message };
        let exchange = Exchange::new().map_err(|error| open(error.to_string()))?;
        let channel = Channel::start(manifest, threads).map_err(&open)?;
        let mut process = Process { channel, exchange };
        let folder = process.exchange.folder().display().to_string();
        let hello = process.ask("hello", json!({ "protocol": PROTOCOL, "folder": folder }), None)?;
        let found = hello["protocol"].as_str().unwrap_or_default();
        if found != PROTOCOL {
            return Err(LoadError::WrongAbi { path, found: format!("`{found}`") });
        }
        let Hello { components } = Hello::deserialize(&hello).map_err(|error| LoadError::Broken {
            path,
            message: format!("its answer to `hello`: {error}"),
        })?;
        let description = PluginDescription {
            id: manifest.id.clone(),
            version: manifest.version.clone(),
            licence: manifest.licence.clone(),
            components,
            source_sha256: None,
            source_build: None,
        };
        Ok(Self { process: Arc::new(Mutex::new(process)), description })
    }

    /// Makes the component `component` with `config`, a JSON text.
    pub(super) fn create(
        &self,
        kind: ComponentKind,
        component: &str,
        config: &str,
    ) -> Result<Instance, LoadError> {
        let request = json!({ "kind": kind, "component": component, "config": parsed(config)? });
        let made =
            self.process.lock().unwrap_or_else(PoisonError::into_inner).ask("create", request, None)?;
        Ok(Instance { process: Arc::clone(&self.process), number: number_of("create", &made)? })
    }
}

fn parsed(config: &str) -> Result<Value, LoadError> {
    serde_json::from_str(config).map_err(|error| LoadError::Call {
        status: molarena_abi::MOLARENA_ERROR_INVALID_CONFIG,
        message: error.to_string(),
    })
}

/// The number of the instance that a program made.
fn number_of(what: &str, made: &Value) -> Result<u64, LoadError> {
    made["instance"].as_u64().ok_or_else(|| broken(what, "`instance` is no number"))
}

/// A component in a program.
#[derive(Debug)]
pub(super) struct Instance {
    process: Arc<Mutex<Process>>,
    number: u64,
}

impl Drop for Instance {
    fn drop(&mut self) {
        // A program that ended has nothing to drop.
        let _ = self.process().ask("drop", json!({ "instance": self.number }), None);
    }
}

impl Instance {
    fn process(&self) -> MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for something with arrays, which `fill` writes; a matrix in the answer is read by `read`.
    fn call<T>(
        &self,
        what: &str,
        context: Option<&Call<'_>>,
        fill: impl FnOnce(&mut Exchange, &mut Map<String, Value>) -> Result<(), LoadError>,
        read: impl FnOnce(&mut Exchange, &Value) -> Result<T, LoadError>,
    ) -> Result<T, LoadError> {
        let mut process = self.process();
        let mut request = Map::new();
        request.insert("instance".into(), self.number.into());
        if let Some(context) = context {
            request.insert("context".into(), described(context));
        }
        let filled = fill(&mut process.exchange, &mut request);
        let answer = filled.and_then(|()| process.ask(what, Value::Object(request), context));
        let read = answer.and_then(|answer| read(&mut process.exchange, &answer));
        process.exchange.clear();
        read
    }

    pub(super) fn fit_encoder(&self, corpus: &Corpus<'_>, context: &Call<'_>) -> Result<(), LoadError> {
        let fill = |exchange: &mut Exchange, request: &mut Map<String, Value>| {
            request.insert("corpus".into(), exchange.corpus(corpus)?);
            Ok(())
        };
        self.call("fit", Some(context), fill, |_, _| Ok(()))
    }

    pub(super) fn encode(&self, molecules: &Inputs<'_>, context: &Call<'_>) -> Result<Matrix, LoadError> {
        let fill = |exchange: &mut Exchange, request: &mut Map<String, Value>| {
            request.insert("inputs".into(), exchange.inputs(molecules)?);
            Ok(())
        };
        let matrix =
            self.call("encode", Some(context), fill, |exchange, answer| exchange.read("encode", answer))?;
        check_shape(molecules.rows, matrix.columns.max(1), matrix.rows as u64, matrix.columns as u64)?;
        Ok(matrix)
    }

    /// A model that starts from this encoder's state.
    pub(super) fn finetune(&self, config: &str) -> Result<Self, LoadError> {
        let request = json!({ "instance": self.number, "config": parsed(config)? });
        let made = self.process().ask("finetune", request, None)?;
        Ok(Self { process: Arc::clone(&self.process), number: number_of("finetune", &made)? })
    }

    pub(super) fn fit_baseline(
        &self,
        [train, valid]: [&Inputs<'_>; 2],
        [train_labels, valid_labels]: [&Labels<'_>; 2],
        context: &Call<'_>,
    ) -> Result<(), LoadError> {
        let fill = |exchange: &mut Exchange, request: &mut Map<String, Value>| {
            request.insert("train".into(), exchange.inputs(train)?);
            request.insert("train_labels".into(), exchange.labels(train_labels)?);
            request.insert("valid".into(), exchange.inputs(valid)?);
            request.insert("valid_labels".into(), exchange.labels(valid_labels)?);
            Ok(())
        };
        self.call("fit", Some(context), fill, |_, _| Ok(()))
    }

    pub(super) fn predict(
        &self,
        inputs: &Inputs<'_>,
        tasks: usize,
        context: &Call<'_>,
    ) -> Result<Matrix, LoadError> {
        let fill = |exchange: &mut Exchange, request: &mut Map<String, Value>| {
            request.insert("inputs".into(), exchange.inputs(inputs)?);
            request.insert("tasks".into(), tasks.into());
            Ok(())
        };
        let matrix =
            self.call("predict", Some(context), fill, |exchange, answer| exchange.read("predict", answer))?;
        check_shape(inputs.rows, tasks, matrix.rows as u64, matrix.columns as u64)?;
        Ok(matrix)
    }

    pub(super) fn decode(&self, z: &Dense<'_>, space: &str, context: &Call<'_>) -> Result<Matrix, LoadError> {
        let fill = |exchange: &mut Exchange, request: &mut Map<String, Value>| {
            request.insert("z".into(), exchange.dense(z)?);
            request.insert("space".into(), space.into());
            Ok(())
        };
        let matrix =
            self.call("decode", Some(context), fill, |exchange, answer| exchange.read("decode", answer))?;
        check_shape(z.rows, matrix.columns.max(1), matrix.rows as u64, matrix.columns as u64)?;
        Ok(matrix)
    }

    pub(super) fn score(
        &self,
        z: &Dense<'_>,
        candidates: &Dense<'_>,
        space: &str,
        context: &Call<'_>,
    ) -> Result<Matrix, LoadError> {
        let fill = |exchange: &mut Exchange, request: &mut Map<String, Value>| {
            request.insert("z".into(), exchange.dense(z)?);
            request.insert("candidates".into(), exchange.dense(candidates)?);
            request.insert("space".into(), space.into());
            Ok(())
        };
        let matrix =
            self.call("score", Some(context), fill, |exchange, answer| exchange.read("score", answer))?;
        check_shape(z.rows, candidates.rows, matrix.rows as u64, matrix.columns as u64)?;
        Ok(matrix)
    }

    pub(super) fn save(&self) -> Result<Vec<u8>, LoadError> {
        self.call("save", None, |_, _| Ok(()), Exchange::read_state)
    }

    pub(super) fn load(&self, state: &[u8]) -> Result<(), LoadError> {
        let fill = |exchange: &mut Exchange, request: &mut Map<String, Value>| {
            request.insert("state".into(), exchange.state(state)?);
            Ok(())
        };
        self.call("load", None, fill, |_, _| Ok(()))
    }
}

impl Process {
    fn ask(&mut self, what: &str, request: Value, context: Option<&Call<'_>>) -> Result<Value, LoadError> {
        self.channel.ask(what, request, context)
    }
}

fn described(call: &Call<'_>) -> Value {
    json!({
        "seed": call.seed,
        "threads": call.threads,
        "device": call.device,
        "folder": call.folder.map(Path::to_string_lossy),
    })
}

/// The program answered, but not as the protocol says.
fn broken(what: &str, message: &str) -> LoadError {
    LoadError::Call {
        status: molarena_abi::MOLARENA_ERROR_INTERNAL,
        message: format!("its answer to `{what}`: {message}"),
    }
}
