//! `molarena plugin`

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use molarena_host::{
    CaseResult, CaseStatus, CheckOptions, Error, check_plugin, launch::Launcher, plugin::search,
    plugin::search::Plugin, plugin::search::SearchPath,
};
use molarena_report::table::columns;

use super::{interruption, print, print_json};
use crate::{
    args::{PluginArgs, PluginCommand, PluginPlaces},
    exit_code::ExitCode,
};

pub(crate) fn run(args: &PluginArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        PluginCommand::List { json, plugins } => list(plugins, *json),
        PluginCommand::Info { id, json, plugins } => info(id, plugins, *json),
        PluginCommand::Check { plugin, cases, configs, weights, wall_limit, json, plugins } => {
            let options = CheckOptions {
                cases: cases.clone(),
                configs: of_configs(configs)?,
                weights: of_weights(weights)?,
                wall: *wall_limit,
            };
            check(plugin, &options, *json, plugins)
        }
    }
}

fn describe(path: &std::path::Path) -> Result<Plugin, Error> {
    molarena_host::describe(&Launcher::of_this_binary()?, path, &std::env::temp_dir())
}

fn list(places: &PluginPlaces, json: bool) -> anyhow::Result<ExitCode> {
    let search = SearchPath::new(&places.plugins)?;
    let (mut plugins, mut broken) = (Vec::new(), Vec::new());
    for path in search.all().values() {
        match describe(path) {
            Ok(plugin) => plugins.push(plugin),
            Err(error) => broken.push(error),
        }
    }
    if json {
        let entries: Vec<_> = plugins.iter().map(entry).collect();
        let errors: Vec<String> = broken.iter().map(ToString::to_string).collect();
        print_json(
            &serde_json::json!({"schema": "molarena.plugins/1", "plugins": entries, "broken": errors}),
        )?;
    } else if plugins.is_empty() && broken.is_empty() {
        print(&format!("no plugin in {}\n", search.describe()))?;
    } else {
        let rows: Vec<Vec<String>> = plugins.iter().flat_map(rows).collect();
        print(&columns(&["component", "kind", "version", "inputs", "summary"], &rows))?;
        for error in &broken {
            say!("error [{}]: {error}", error.code());
        }
    }
    Ok(if broken.is_empty() { ExitCode::Ok } else { ExitCode::BadPlugin })
}

fn entry(plugin: &Plugin) -> serde_json::Value {
    serde_json::json!({
        "path": super::text_of(&plugin.path),
        "sha256": plugin.sha256,
        "identity": plugin.identity,
        "description": plugin.description,
    })
}

fn rows(plugin: &Plugin) -> Vec<Vec<String>> {
    let description = &plugin.description;
    let row = |component: &molarena_sdk::ComponentDescription| {
        let inputs: Vec<String> = component.inputs.iter().map(ToString::to_string).collect();
        vec![
            format!("{}/{}", description.id, component.id),
            component.kind.to_string(),
            description.version.clone(),
            inputs.join(","),
            component.summary.clone(),
        ]
    };
    description.components.iter().map(row).collect()
}

fn info(id: &str, places: &PluginPlaces, json: bool) -> anyhow::Result<ExitCode> {
    let search = SearchPath::new(&places.plugins)?;
    let path = search.find(id).ok_or_else(|| Error::Plugin {
        path: search::file_name(id).into(),
        message: format!("not found in {}", search.describe()),
    })?;
    let plugin = describe(&path)?;
    if json {
        print_json(&entry(&plugin))?;
        return Ok(ExitCode::Ok);
    }
    let description = &plugin.description;
    let files = if plugin.path.is_dir() { "its files" } else { "the file" };
    let mut text = format!(
        "{} {} ({})\n{}\nsha256 {} of {files}\nidentity {} of {}\n",
        description.id,
        description.version,
        description.licence,
        plugin.path.display(),
        plugin.sha256,
        plugin.identity,
        if plugin.identity == plugin.sha256 { files } else { "its sources" }
    );
    for component in &description.components {
        let inputs: Vec<String> = component.inputs.iter().map(ToString::to_string).collect();
        write!(
            text,
            "\n{} {}/{}: {}\n  inputs {}; devices {}; determinism {}{}; corpora {}\n  configuration:\n{}",
            component.kind,
            description.id,
            component.id,
            component.summary,
            inputs.join(", "),
            component.devices.join(", "),
            component.determinism,
            if component.uses_seed { "" } else { ", whatever the seed" },
            if component.corpora.is_empty() { "none".into() } else { component.corpora.join(", ") },
            properties(&component.config_schema)
        )?;
    }
    print(&text)?;
    Ok(ExitCode::Ok)
}

fn of_configs(configs: &[String]) -> anyhow::Result<BTreeMap<String, serde_json::Value>> {
    let config = |text: &String| -> anyhow::Result<(String, serde_json::Value)> {
        let wrong = |why: String| Error::Request(format!("--config {text}: {why}"));
        let (component, config) =
            text.split_once('=').ok_or_else(|| wrong("expected COMPONENT=JSON".into()))?;
        let config = serde_json::from_str(config).map_err(|error| wrong(error.to_string()))?;
        Ok((component.to_owned(), config))
    };
    configs.iter().map(config).collect()
}

fn of_weights(weights: &[String]) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let named = |text: &String| -> anyhow::Result<(String, PathBuf)> {
        let wrong = || Error::Request(format!("--weights {text}: expected ID=FILE"));
        let (id, file) = text.split_once('=').ok_or_else(wrong)?;
        Ok((id.to_owned(), fs_err::canonicalize(file)?))
    };
    weights.iter().map(named).collect()
}

fn check(
    plugin: &Path,
    options: &CheckOptions,
    json: bool,
    places: &PluginPlaces,
) -> anyhow::Result<ExitCode> {
    let path = if plugin.exists() {
        fs_err::canonicalize(plugin)?
    } else {
        let search = SearchPath::new(&places.plugins)?;
        search.find(&plugin.to_string_lossy()).ok_or_else(|| Error::Plugin {
            path: plugin.to_owned(),
            message: format!("there is no such file or folder, and no such plugin in {}", search.describe()),
        })?
    };
    let interrupted = interruption()?;
    let tell = |result: &CaseResult| {
        if !json {
            say!("{}", line(result));
        }
    };
    let launcher = Launcher::of_this_binary()?;
    let (found, results) =
        check_plugin(&launcher, &path, &std::env::temp_dir(), options, &interrupted, &tell)?;
    let count = |status: CaseStatus| results.iter().filter(|result| result.status == status).count();
    let faults = count(CaseStatus::Failed) + count(CaseStatus::Crashed);
    if json {
        print_json(&serde_json::json!({
            "schema": "molarena.plugin-check/1",
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

/// The keys of a JSON Schema with their defaults and descriptions.
fn properties(schema: &serde_json::Value) -> String {
    let Some(properties) = schema["properties"].as_object().filter(|properties| !properties.is_empty())
    else {
        return "    none\n".into();
    };
    let row = |(key, property): (&String, &serde_json::Value)| {
        let required =
            schema["required"].as_array().is_some_and(|keys| keys.iter().any(|known| known == key));
        let without = if required { "required" } else { "" };
        let default = property.get("default").map_or_else(|| without.to_owned(), ToString::to_string);
        let description = property["description"].as_str().unwrap_or_default().replace('\n', " ");
        vec![format!("    {key}"), default, description]
    };
    let rows: Vec<Vec<String>> = properties.iter().map(row).collect();
    columns(&["    key", "default", "meaning"], &rows)
}
