//! `molarena plugin`

mod check;
mod info;
mod install;
mod list;
mod new;

use std::path::Path;

use molarena_host::{CheckOptions, Error, InstallOptions, launch::Launcher, plugin::search::Plugin};

use crate::{
    args::{PluginArgs, PluginCommand},
    exit_code::ExitCode,
};

pub(crate) fn run(args: &PluginArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        PluginCommand::New { name, kind, lang, into, sdk } => {
            new::run(name, *kind, *lang, into.as_deref(), sdk.as_deref())
        }
        PluginCommand::List { json, plugins } => list::run(plugins, *json),
        PluginCommand::Info { id, json, plugins } => info::run(id, plugins, *json),
        PluginCommand::Check { plugin, cases, components, configs, weights, wall_limit, json, plugins } => {
            let options = CheckOptions {
                cases: cases.clone(),
                components: components.clone(),
                configs: check::configs(configs)?,
                weights: check::weights(weights)?,
                wall: *wall_limit,
            };
            check::run(plugin, &options, *json, plugins)
        }
        PluginCommand::Install { plugin, force, with_environment } => {
            install::install(plugin, InstallOptions { force: *force, with_environment: *with_environment })
        }
        PluginCommand::Remove { id } => install::remove(id),
    }
}

fn describe(path: &Path) -> Result<Plugin, Error> {
    molarena_host::describe(&Launcher::of_this_binary()?, path, &std::env::temp_dir())
}

fn entry(plugin: &Plugin) -> serde_json::Value {
    serde_json::json!({
        "path": super::text_of(&plugin.path),
        "sha256": plugin.sha256,
        "identity": plugin.identity,
        "description": plugin.description,
    })
}
