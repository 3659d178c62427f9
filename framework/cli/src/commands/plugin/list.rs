//! `molarena plugin list`

use molarena_host::plugin::search::{Plugin, SearchPath};
use molarena_report::table::columns;

use super::{
    super::{print, print_json},
    describe, entry,
};
use crate::{args::PluginPlaces, exit_code::ExitCode};

pub(super) fn run(places: &PluginPlaces, json: bool) -> anyhow::Result<ExitCode> {
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
