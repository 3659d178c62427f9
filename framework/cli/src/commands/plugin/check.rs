//! `molarena plugin check`

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use molarena_host::{
    CaseResult, CaseStatus, CheckOptions, Error, check_plugin, launch::Launcher, plugin::search::SearchPath,
};

use super::{
    super::{interruption, print, print_json},
    entry,
};
use crate::{args::PluginPlaces, exit_code::ExitCode};

/// Configurations by component id or `KIND/ID`.
pub(super) fn configs(named: &[String]) -> anyhow::Result<BTreeMap<String, serde_json::Value>> {
    let config = |text: &String| -> anyhow::Result<(String, serde_json::Value)> {
        let wrong = |why: String| Error::Request(format!("--config {text}: {why}"));
        let (component, config) =
            text.split_once('=').ok_or_else(|| wrong("expected COMPONENT=JSON".into()))?;
        let config = serde_json::from_str(config).map_err(|error| wrong(error.to_string()))?;
        Ok((component.to_owned(), config))
    };
    named.iter().map(config).collect()
}

/// Files of weights by component id.
pub(super) fn weights(named: &[String]) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let weights = |text: &String| -> anyhow::Result<(String, PathBuf)> {
        let wrong = || Error::Request(format!("--weights {text}: expected ID=FILE"));
        let (id, file) = text.split_once('=').ok_or_else(wrong)?;
        Ok((id.to_owned(), fs_err::canonicalize(file)?))
    };
    named.iter().map(weights).collect()
}

pub(super) fn run(
    plugin: &Path,
    options: &CheckOptions,
    json: bool,
    places: &PluginPlaces,
) -> anyhow::Result<ExitCode> {
    let path = if plugin.exists() {
        fs_err::canonicalize(plugin)?
    } else {
        let search = SearchPath::new(&places.plugins)?;
        let id = plugin.to_string_lossy();
        search.find(&id).ok_or_else(|| Error::Plugin {
            path: plugin.to_owned(),
            message: format!("there is no such file or folder, and {}", search.trace(&id)),
        })?
    };
    let interrupted = interruption()?;
    let mut results = Vec::new();
    let mut add = |result: CaseResult| {
        say!("{}", line(&result));
        results.push(result);
    };
    let launcher = Launcher::of_this_binary()?;
    let checked = check_plugin(&launcher, &path, &std::env::temp_dir(), options, &interrupted, &mut add);
    if json && matches!(checked, Err(Error::Interrupted)) {
        print_json(&serde_json::json!({
            "schema": "molarena.plugin-check/1",
            "interrupted": true,
            "results": results,
        }))?;
    }
    let found = checked?;
    let count = |status: CaseStatus| results.iter().filter(|result| result.status == status).count();
    let faults = count(CaseStatus::Failed) + count(CaseStatus::Crashed);
    if json {
        print_json(&serde_json::json!({
            "schema": "molarena.plugin-check/1",
            "interrupted": false,
            "plugin": entry(&found),
            "results": results,
        }))?;
    } else {
        print(&format!(
            "{} {}: {} passed, {} warnings, {} failed, {} crashed, {} skipped\n",
            found.description.id,
            found.description.version,
            count(CaseStatus::Passed),
            count(CaseStatus::Warning),
            count(CaseStatus::Failed),
            count(CaseStatus::Crashed),
            count(CaseStatus::Skipped)
        ))?;
    }
    Ok(if faults == 0 { ExitCode::Ok } else { ExitCode::BadPlugin })
}

/// A result in one line: status, component, case, what is demanded or why it is not met.
fn line(result: &CaseResult) -> String {
    let status = match result.status {
        CaseStatus::Passed => "passed",
        CaseStatus::Warning => "warning",
        CaseStatus::Failed => "failed",
        CaseStatus::Crashed => "crashed",
        CaseStatus::Skipped => "skipped",
    };
    let component = match result.kind {
        Some(kind) => format!("{kind} {}", result.component),
        None => "the plugin".to_owned(),
    };
    let says = if result.message.is_empty() { &result.demand } else { &result.message };
    format!("{status:<8} {component}: {}: {says}", result.case)
}
