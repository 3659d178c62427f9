//! `molarena method`

use molarena_host::{Method, Methods};
use molarena_report::table::columns;

use super::{print, print_json, text_of};
use crate::{
    args::{MethodArgs, MethodCommand},
    exit_code::ExitCode,
};

pub(crate) fn run(args: &MethodArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        MethodCommand::List { text, json, methods_dir } => {
            let methods = Methods::load(methods_dir.as_deref())?;
            list(&methods, text.as_deref().unwrap_or_default(), *json)
        }
        MethodCommand::Show { name, methods_dir } => {
            let methods = Methods::load(methods_dir.as_deref())?;
            print(methods.text(name)?)?;
            Ok(ExitCode::Ok)
        }
    }
}

fn list(methods: &Methods, text: &str, json: bool) -> anyhow::Result<ExitCode> {
    let text = text.to_lowercase();
    let has = |part: &str| part.to_lowercase().contains(&text);
    let found: Vec<&Method> =
        methods.iter().filter(|method| has(&method.name) || has(&method.summary)).collect();
    if json {
        let entries: Vec<_> = found
            .iter()
            .map(|method| serde_json::json!({"name": method.name, "summary": method.summary, "file": text_of(method.origin())}))
            .collect();
        print_json(&serde_json::json!({"schema": "molarena.methods/1", "methods": entries}))?;
        return Ok(ExitCode::Ok);
    }
    if found.is_empty() {
        let message = format!("no method has \"{text}\" in its name or summary; all: molarena method list");
        return Err(molarena_host::Error::NothingSelected(message).into());
    }
    let rows: Vec<Vec<String>> =
        found.iter().map(|method| vec![method.name.clone(), method.summary.clone()]).collect();
    print(&columns(&["method", "summary"], &rows))?;
    Ok(ExitCode::Ok)
}
