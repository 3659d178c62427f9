//! `molarena doctor`

use std::{collections::BTreeSet, fmt::Write as _, time::Duration};

use molarena_data::Catalog;
use molarena_host::{
    Store, job::Job, job::JobTask, launch, launch::Launcher, plugin::search::SearchPath, sandbox::Envelope,
};
use serde::Serialize;

use super::{print, print_json};
use crate::{args::DoctorArgs, exit_code::ExitCode};

/// One check and its result.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    found: String,
    hint: Option<&'static str>,
}

pub(crate) fn run(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let (plugins, devices) = plugins(args)?;
    let checks = [machine(), confinement()?, data(args)?, plugins, devices, store(args)];
    if args.json {
        print_json(&serde_json::json!({"schema": "molarena.doctor/1", "checks": checks}))?;
    } else {
        let mut text = String::new();
        for check in &checks {
            let mark = if check.ok { "ok  " } else { "miss" };
            writeln!(text, "{mark} {}: {}", check.name, check.found)?;
            if let (false, Some(hint)) = (check.ok, check.hint) {
                writeln!(text, "     {hint}")?;
            }
        }
        print(&text)?;
    }
    Ok(ExitCode::Ok)
}

fn machine() -> Check {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let found = format!(
        "molarena {}, plugin ABI {}.{}, {}, {processors} processors, {}",
        env!("CARGO_PKG_VERSION"),
        molarena_sdk::abi::ABI_MAJOR,
        molarena_sdk::abi::ABI_MINOR,
        molarena_chem::CHEMISTRY_VERSION,
        std::env::consts::OS
    );
    Check { name: "machine", ok: true, found, hint: None }
}

/// Starts a confined worker with nothing to open, and reads whether it was confined.
fn confinement() -> anyhow::Result<Check> {
    let folder = std::env::temp_dir().join(format!("molarena-doctor-{}", std::process::id()));
    fs_err::create_dir_all(&folder)?;
    let job = Job {
        envelope: Envelope {
            memory: 1 << 30,
            processors: Vec::new(),
            confine: true,
            readable: Vec::new(),
            ..Envelope::default()
        },
        seed: 0,
        threads: 1,
        task: JobTask::Describe { library: folder.join("none.so") },
    };
    let never = std::sync::atomic::AtomicBool::new(false);
    let launcher = Launcher::of_this_binary()?;
    let ending = launch::run(&launcher, &job, &folder, Duration::from_secs(10), &never, &|_| ());
    fs_err::remove_dir_all(&folder)?;
    let confined = ending?.confined;
    let found =
        if confined { "workers are confined (Landlock and seccomp)" } else { "workers are not confined" };
    Ok(Check {
        name: "confinement",
        ok: confined,
        found: found.into(),
        hint: Some("the kernel has no Landlock (Linux 5.13 or later): records say `confined: false`"),
    })
}

fn data(args: &DoctorArgs) -> anyhow::Result<Check> {
    let catalog = Catalog::with_dir(args.places.datasets_dir.as_deref())?;
    let missing: Vec<&str> = catalog
        .iter()
        .filter(|manifest| !manifest.assays().locate(&args.places.data_dir).is_file())
        .map(|manifest| manifest.id.as_str())
        .collect();
    let folder = args.places.data_dir.display();
    let found = if missing.is_empty() {
        format!("all {} datasets in {folder}", catalog.iter().count())
    } else {
        format!("{folder} lacks {}", missing.join(", "))
    };
    Ok(Check {
        name: "data",
        ok: missing.is_empty(),
        found,
        hint: Some("molarena data fetch --all --data-dir DIR, or set MOLARENA_DATA"),
    })
}

/// Checks for the plugins that are found, and for the devices that their components run on.
fn plugins(args: &DoctorArgs) -> anyhow::Result<(Check, Check)> {
    let search = SearchPath::new(&args.plugins.plugins)?;
    let launcher = Launcher::of_this_binary()?;
    let (mut found, mut devices, mut ok) = (Vec::new(), BTreeSet::new(), true);
    for (id, path) in search.all() {
        match molarena_host::describe(&launcher, &path, &std::env::temp_dir()) {
            Ok(plugin) => {
                found.push(format!("{id} {}", plugin.description.version));
                devices.extend(plugin.description.components.into_iter().flat_map(|found| found.devices));
            }
            Err(error) => {
                ok = false;
                found.push(format!("{id}: {error}"));
            }
        }
    }
    ok &= !found.is_empty();
    let found = if found.is_empty() { format!("none in {}", search.describe()) } else { found.join(", ") };
    let plugins = Check {
        name: "plugins",
        ok,
        found,
        hint: Some("cargo build --release builds those of this workspace"),
    };
    Ok((plugins, devices_of(&devices)))
}

fn devices_of(devices: &BTreeSet<String>) -> Check {
    let cards = (0..16).filter(|card| std::path::Path::new(&format!("/dev/nvidia{card}")).exists()).count();
    let devices: Vec<&str> = devices.iter().map(String::as_str).collect();
    let found = format!("the plugins run on {}; NVIDIA cards here: {cards}", devices.join(", "));
    Check { name: "devices", ok: !devices.is_empty(), found, hint: Some("no plugin was found") }
}

fn store(args: &DoctorArgs) -> Check {
    let (ok, found) = match Store::open(&args.store.store).and_then(|store| store.records()) {
        Ok(records) => (true, format!("{} records in {}", records.len(), args.store.store.display())),
        Err(error) => (false, error.to_string()),
    };
    Check { name: "store", ok, found, hint: Some("molarena run makes one") }
}
