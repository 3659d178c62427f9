//! `molarena plugin`

use std::fmt::Write as _;

use molarena_host::{
    Error, launch::Launcher, plugin::search, plugin::search::Plugin, plugin::search::SearchPath,
};
use molarena_report::table::columns;

use super::{print, print_json};
use crate::{
    args::{PluginArgs, PluginCommand, PluginPlaces},
    exit_code::ExitCode,
};

pub(crate) fn run(args: &PluginArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        PluginCommand::List { json, plugins } => list(plugins, *json),
        PluginCommand::Info { id, json, plugins } => info(id, plugins, *json),
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
