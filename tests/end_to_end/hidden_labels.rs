//! A plugin that looks for test labels finds none, and cannot get out of its worker.

use std::{net::TcpListener, os::unix::net::UnixListener, path::Path};

use molarena_tests::TestArena;
use serde_json::Value;

use crate::{hostile, regression, row, split};

const TASKS: usize = 3;
const KEY: u8 = 77;

/// The text of a label, unlike any other number both as text and in binary.
fn label(row: usize, task: usize) -> String {
    format!("{:.5}", 1000.0 * (task + 1) as f32 + row as f32 * 7.12345)
}

/// The labels of a molecule in a table of f32 and in a text, each byte plus [`KEY`], as hex digits.
fn needles(rows: &[usize]) -> Vec<String> {
    let mut needles = Vec::new();
    for &row in rows {
        let labels: Vec<String> = (0..TASKS).map(|task| label(row, task)).collect();
        let values = labels.iter().map(|label| label.parse::<f32>().unwrap());
        needles.push(values.flat_map(f32::to_le_bytes).collect::<Vec<u8>>());
        needles.extend(labels.into_iter().map(String::into_bytes));
    }
    let hex = |bytes: &Vec<u8>| {
        bytes.iter().fold(String::new(), |text, byte| text + &format!("{:02x}", byte.wrapping_add(KEY)))
    };
    needles.iter().map(hex).collect()
}

/// An arena in which the snoop looks for the labels of `rows` and tries what it must not reach.
struct Hideout {
    arena: TestArena,
    _listeners: (TcpListener, UnixListener),
}

impl Hideout {
    fn new(rows: &[usize]) -> Self {
        Self::with(rows, |arena, config| arena.method("snoop", "fixture-hostile/snoop", config))
    }

    /// The snoop as a model that is fine-tuned from an encoder.
    fn of_a_fine_tuned_encoder(rows: &[usize]) -> Self {
        Self::with(rows, |arena, config| {
            let text = format!(
                "schema = \"molarena.method/1\"\nname = \"snoop\"\nfeatures = {{ kind = \"morgan\", bits = 256 }}\n\
                 encoder = {{ component = \"fixture-hostile/snoop\", config = {config}, finetune = {config} }}\n"
            );
            arena.write("methods/snoop.toml", text);
        })
    }

    fn with(rows: &[usize], method: impl FnOnce(&TestArena, &str)) -> Self {
        let arena = TestArena::new();
        regression(&arena, "labels", TASKS, label);
        arena.method("good", "fixture-hostile/good", "{}");
        // The store holds another method's results.
        let output = arena.run(&hostile(), &["--dataset", "labels", "--method", "good"]);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let unix = UnixListener::bind(arena.path("socket")).unwrap();
        let folders =
            ["data", "data/labels", "datasets", "methods", "store", "store/steps", "store/records", "."];
        let folders = folders.map(|name| arena.path(name));
        let mut targets = vec![
            arena.path("data/labels/assays.csv"),
            arena.path("datasets/labels/dataset.toml"),
            arena.path("methods/snoop.toml"),
        ];
        for folder in ["steps", "artifacts", "records", "cache"] {
            // The plugin's own library lies there, and its worker has to open it.
            let files = arena.stored(folder).into_iter();
            targets.extend(files.filter(|path| !path.starts_with(arena.path("store/cache/plugins"))));
        }
        let config = format!(
            "{{ folders = {folders:?}, files = {targets:?}, port = {}, socket = {:?}, needles = {:?}, key = {KEY} }}",
            tcp.local_addr().unwrap().port(),
            arena.path("socket").display().to_string(),
            needles(rows),
        );
        method(&arena, &config);
        Self { arena, _listeners: (tcp, unix) }
    }

    /// The snoop's row, and its findings.
    fn run(&self, arguments: &[&str]) -> (Value, Vec<String>) {
        let arguments = [&["--dataset", "labels", "--method", "snoop"], arguments].concat();
        let output = self.arena.run(&hostile(), &arguments);
        assert!(matches!(output.code, Some(0 | 10)), "{}", output.stderr);
        let row = row(&self.arena, "snoop");
        let found = row["failures"][0]["message"].as_str().unwrap_or_default().to_owned();
        let found = found.split(" (refused system calls: ").next().unwrap_or_default();
        let found = found.trim_matches(['[', ']']).split("] [").map(ToOwned::to_owned);
        (row, found.filter(|finding| !finding.is_empty()).collect())
    }
}

/// Whether this kernel confines workers. Without confinement nothing is hidden, and boards say so.
fn confined(row: &Value) -> bool {
    let confined = row["confined"] == true;
    if !confined {
        eprintln!("skipped: this kernel has no Landlock");
    }
    confined
}

#[test]
fn a_plugin_finds_no_test_label_and_no_way_out() {
    let (row, found) = Hideout::new(&split().test).run(&[]);
    if confined(&row) {
        assert_eq!(found, [""; 0]);
        assert!(row["mean"].is_number(), "{row}");
    }
}

#[test]
fn a_fine_tuned_encoder_finds_no_test_label_and_no_way_out() {
    let (row, found) = Hideout::of_a_fine_tuned_encoder(&split().test).run(&[]);
    if confined(&row) {
        assert_eq!(found, [""; 0]);
        assert!(row["mean"].is_number(), "{row}");
    }
}

#[test]
fn a_plugin_finds_the_training_labels_and_nothing_else() {
    only_training_labels(&Hideout::new(&split().train));
    only_training_labels(&Hideout::of_a_fine_tuned_encoder(&split().train));
}

fn only_training_labels(hideout: &Hideout) {
    let (row, found) = hideout.run(&[]);
    if confined(&row) {
        assert!(found.iter().any(|finding| finding.starts_with("label in memory")), "{found:?}");
        assert!(found.iter().any(|finding| finding.contains("train-labels.npy")), "{found:?}");
        assert!(found.iter().all(|finding| finding.starts_with("label in ")), "{found:?}");
    }
}

/// The host's own process has the test labels and no limits. The snoop sees all of it there, which proves that it would
/// notice above.
#[test]
fn in_process_a_plugin_finds_everything() {
    let hideout = Hideout::new(&split().test);
    let (row, found) = hideout.run(&["--in-process"]);
    assert_eq!(row["confined"], false);
    let arena = hideout.arena.path("");
    let arena = arena.display();
    for expected in [
        &format!("lists {arena}store/records"),
        &format!("reads {arena}data/labels/assays.csv"),
        "reads link-0",
        "reads /proc/self/root/",
        "links ",
        "label in file ",
        "label in memory",
        "opens environ of the parent",
        "follows cwd of the parent",
        "lists a folder of the parent",
        "sees another process",
        "socket: TCP connect",
        "socket: TCP listen",
        "socket: UDP",
        "socket: UNIX connect",
        "socket: UNIX listen",
        &format!("writes into {arena}data"),
        &format!("opens {arena}data/labels/assays.csv for writing"),
        &format!("renames {arena}data/labels/assays.csv"),
        "system: shared memory",
        "system: message queue",
        "system: POSIX message queue",
        "system: key ring",
        "system: signal to the parent",
        "system: session",
        "system: process group",
    ] {
        assert!(found.iter().any(|finding| finding.starts_with(expected)), "{expected}: {found:#?}");
    }
    assert!(Path::new(&hideout.arena.path("data/labels/assays.csv")).is_file());
}
