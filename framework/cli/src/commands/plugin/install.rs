//! `molarena plugin install` and `plugin remove`

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use molarena_host::{
    Error, InstallOptions, install_plugin,
    launch::Launcher,
    plugin::search::{SearchPath, user_folder},
    remove_plugin,
};

use super::super::print;
use crate::exit_code::ExitCode;

pub(super) fn install(plugin: &Path, options: InstallOptions) -> anyhow::Result<ExitCode> {
    let installed = install_plugin(&Launcher::of_this_binary()?, plugin, &folder()?, options)?;
    let (description, path) = (&installed.plugin.description, &installed.plugin.path);
    let was = if installed.unchanged { "is already" } else { "is" };
    let mut text = format!("{} {} {was} in {}\n", description.id, description.version, path.display());
    if let Some(making) = &installed.making {
        writeln!(text, "its environment is not made yet; this makes it:\n  {making}")?;
    }
    print(&text)?;
    match SearchPath::new(&[])?.find(&description.id) {
        Some(first) if first != *path => say!("note: {} is found before it", first.display()),
        _ => {}
    }
    Ok(ExitCode::Ok)
}

pub(super) fn remove(id: &str) -> anyhow::Result<ExitCode> {
    let folder = folder()?;
    let removed = remove_plugin(id, &folder).map_err(|error| match (error, SearchPath::new(&[])) {
        (Error::Plugin { path, message }, Ok(search)) => {
            let elsewhere = search.find(id).map_or_else(String::new, |found| {
                format!("; {} is not in that folder, and nothing is removed elsewhere", found.display())
            });
            Error::Plugin { path, message: message + &elsewhere }
        }
        (error, _) => error,
    })?;
    let lines: Vec<String> = removed.iter().map(|path| format!("removed {}\n", path.display())).collect();
    print(&lines.concat())?;
    Ok(ExitCode::Ok)
}

fn folder() -> Result<PathBuf, Error> {
    let none = || Error::Request("neither XDG_DATA_HOME nor HOME names a folder for plugins".into());
    user_folder().ok_or_else(none)
}
