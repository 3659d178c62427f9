//! `molarena plugin info`

use std::fmt::Write as _;

use molarena_host::{Error, plugin::search::SearchPath};
use molarena_report::table::columns;

use super::{
    super::{print, print_json},
    describe, entry,
};
use crate::{args::PluginPlaces, exit_code::ExitCode};

pub(super) fn run(id: &str, places: &PluginPlaces, json: bool) -> anyhow::Result<ExitCode> {
    let search = SearchPath::new(&places.plugins)?;
    let path = search.find(id).ok_or_else(|| Error::Plugin { path: id.into(), message: search.trace(id) })?;
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
        if let Some(finetune) = &component.finetune {
            write!(
                text,
                "  can be fine-tuned, by `finetune = {{ ... }}` of a method's `encoder`, with the keys:\n{}",
                properties(&finetune.config_schema)
            )?;
        }
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
