//! A test: every option that a text of the program names is one of the command that prints the text.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use clap::CommandFactory;

use crate::args::Cli;

/// Commands that print the texts of a file whose name is not that of its one command.
const PRINTED_BY: &[(&str, &[&str])] = &[
    ("cli/src/commands/learning.rs", &["train", "predict"]),
    ("cli/src/commands/slurm.rs", &["run"]),
    ("cli/src/commands/own.rs", &["run", "replay", "train", "predict", "data info"]),
    ("cli/src/commands/simulate.rs", &["data simulate"]),
    ("cli/src/commands/arena.rs", &["run", "train", "predict", "embed", "replay", "board"]),
    ("cli/src/commands/store.rs", &["store rm"]),
    ("cli/src/output.rs", &["predict", "embed", "plot", "export scores"]),
    ("data/src/error.rs", &["run", "replay", "train", "predict", "data info"]),
    ("cli/src/commands/plugin/check.rs", &["plugin check"]),
    ("cli/src/commands/plugin/new.rs", &["plugin new"]),
    ("host/src/apply/install.rs", &["plugin install"]),
    ("host/src/error.rs", &["predict"]),
    ("host/src/apply/conformance.rs", &["plugin check"]),
    ("host/src/worker/conform/baselines.rs", &["plugin check"]),
    ("host/src/worker/conform/mod.rs", &["plugin check"]),
    ("report/src/claims_md.rs", &["run"]),
    ("report/src/comparison_md.rs", &["compare"]),
    ("report/src/html/groups.rs", &["board"]),
    ("report/src/html/mod.rs", &["board"]),
    ("report/src/html/overview.rs", &["board"]),
    ("host/src/apply/embed/output.rs", &["embed"]),
    ("host/src/apply/model.rs", &["predict"]),
    ("world/src/error.rs", &["data simulate"]),
];

/// Options of a text in such a file that only this command prints.
const OF_ONE: &[(&str, &str, &str)] = &[
    ("cli/src/commands/data.rs", "cache", "data info"),
    ("cli/src/commands/data.rs", "leave-out", "data info"),
    ("cli/src/commands/data.rs", "mirror", "data fetch"),
    ("cli/src/commands/own.rs", "split", "run"),
    ("cli/src/commands/plugin/new.rs", "dataset", "run"),
    ("cli/src/commands/plugin/new.rs", "method", "run"),
    ("cli/src/commands/plugin/new.rs", "plugin", "run"),
    ("cli/src/commands/plugin/new.rs", "with-environment", "plugin install"),
    ("cli/src/commands/simulate.rs", "datasets-dir", "run"),
    ("data/src/error.rs", "mirror", "data fetch"),
];

/// Files that start other programs: their texts of one word alone are arguments of these.
const STARTS_ANOTHER: [&str; 4] = [
    "data/src/fetch/package.rs",
    "host/src/execute/slurm/array.rs",
    "host/src/execute/slurm/left.rs",
    "host/src/request/executor.rs",
];

/// The long options of each command, with those of all.
fn options() -> BTreeMap<String, BTreeSet<String>> {
    fn walk(name: &str, command: &clap::Command, found: &mut BTreeMap<String, BTreeSet<String>>) {
        let longs = command.get_arguments().filter_map(clap::Arg::get_long_and_visible_aliases);
        let longs = longs.flatten().map(str::to_owned).chain(["help".to_owned()]);
        found.entry(name.to_owned()).or_default().extend(longs);
        for inner in command.get_subcommands() {
            walk(format!("{name} {}", inner.get_name()).trim(), inner, found);
        }
    }
    let mut found = BTreeMap::new();
    walk("", &Cli::command(), &mut found);
    found
}

/// The texts in double quotes of a Rust source without its tests.
fn texts(source: &str) -> Vec<String> {
    let source = source.split("\nmod tests {").next().unwrap_or_default();
    let (mut texts, mut rest) = (Vec::new(), source);
    while let Some(place) = rest.find(['"', '/', '\'']) {
        let (before, found) = rest.split_at(place);
        let hashes = before.len() - before.trim_end_matches('#').len();
        let raw = before[..before.len() - hashes].ends_with('r');
        rest = match found.as_bytes() {
            [b'/', b'/', ..] => found.split_once('\n').map_or("", |(_, rest)| rest),
            // A quote as a character.
            [b'\'', b'"', b'\'', ..] => &found[3..],
            [b'"', ..] if raw => {
                let (text, rest) = found[1..].split_once(&format!("\"{}", "#".repeat(hashes))).unwrap();
                texts.push(text.to_owned());
                rest
            }
            [b'"', ..] => {
                let end = closing(&found[1..]);
                texts.push(found[1..=end].to_owned());
                &found[end + 2..]
            }
            _ => &found[1..],
        };
    }
    texts
}

/// Where the quote is that ends a text.
fn closing(text: &str) -> usize {
    let mut escaped = false;
    let ends = |(_, byte): &(usize, u8)| {
        let end = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        end
    };
    text.bytes().enumerate().find(ends).expect("a text ends").0
}

/// The options in a text, each with the command that is named before it, if there is one.
fn named(text: &str, commands: &BTreeSet<&String>) -> Vec<(Option<String>, String)> {
    let mut found = Vec::new();
    let mut command: Option<String> = None;
    let ends = |c: char| c.is_whitespace() || "`(),;:=<\\".contains(c);
    let words: Vec<&str> = text.split(ends).filter(|word| !word.is_empty()).collect();
    for (place, word) in words.iter().enumerate() {
        if *word == "molarena" {
            let known = |length: usize| Some(words.get(place + 1..=place + length)?.join(" "));
            command = [2, 1].into_iter().filter_map(known).find(|name| commands.contains(name));
        }
        // The options of another program are its own, also where they are passed on.
        if ["cargo", "scancel"].contains(word) {
            return found;
        }
        if place > 0 && words[place - 1] == "--sbatch" {
            continue;
        }
        let option =
            word.strip_prefix("--").map(|name| name.trim_end_matches(|c: char| !c.is_ascii_lowercase()));
        if let Some(option) = option.filter(|option| option.starts_with(|c: char| c.is_ascii_lowercase())) {
            found.push((command.clone(), option.to_owned()));
        }
    }
    found
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_option_in_a_message_is_one_of_the_command() {
    let options = options();
    let commands: BTreeSet<&String> = options.keys().collect();
    let framework = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut wrong, mut count) = (Vec::new(), 0);
    for package in ["cli", "data", "evaluate", "features", "host", "record", "report", "world"] {
        let mut files = Vec::new();
        sources(&framework.join(package).join("src"), &mut files);
        for file in files {
            let name = file.strip_prefix(&framework).unwrap().to_str().unwrap().to_owned();
            if name.contains("/tests") || name.ends_with("named_options.rs") || name.ends_with("testing.rs") {
                continue;
            }
            let stem = file.file_stem().unwrap().to_str().unwrap().to_owned();
            let own: Vec<&str> = match PRINTED_BY.iter().find(|(of, _)| *of == name) {
                Some((_, commands)) => commands.to_vec(),
                None if commands.contains(&stem) => vec![&stem],
                None => Vec::new(),
            };
            let mut texts = texts(&fs_err::read_to_string(&file).unwrap());
            texts.retain(|text| !STARTS_ANOTHER.contains(&name.as_str()) || text.contains(' '));
            for (command, option) in texts.iter().flat_map(|text| named(text, &commands)) {
                count += 1;
                let single = OF_ONE.iter().find(|(of, single, _)| *of == name && *single == option);
                let printers = match (&command, single) {
                    (Some(command), _) => vec![command.as_str()],
                    (None, Some((.., command))) => vec![*command],
                    (None, None) => own.clone(),
                };
                // Help texts are clap's own, and name the options beside them or of an example.
                let anywhere = name.starts_with("cli/src/args") || name == "cli/src/exit_code.rs";
                let known = |command: &str| options.get(command).is_some_and(|known| known.contains(&option));
                let right = if anywhere {
                    options.values().any(|known| known.contains(&option))
                } else {
                    !printers.is_empty() && printers.iter().all(|command| known(command))
                };
                if !right {
                    wrong.push(format!("{name}: --{option} of {printers:?}"));
                }
            }
        }
    }
    assert!(count > 40, "only {count} options are found in the sources");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
