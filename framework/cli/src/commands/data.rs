//! `molarena data`

use std::{fmt::Write as _, path::Path};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use molarena_data::{
    Catalog, Error, FileState, FileStatus, LabelStatistics, Manifest, PreparedDataset, Summary,
    WeightsManifest,
    context::ContextManifest,
    fetch::{Fetched, Origin, Progress, Wanted, fetch, fetch_context, fetch_weights},
    verify, verify_context, verify_weights,
};
use molarena_report::{table::columns, with_decimals};

use super::{context, own, print, print_json};
use crate::{
    args::{DataArgs, DataCommand, Places},
    exit_code::ExitCode,
    output::{self, Inputs},
};

pub(crate) fn run(args: &DataArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        DataCommand::List { json, places } => list(places, *json),
        DataCommand::Fetch { ids, all, companions, mirror, places } => {
            if mirror.as_ref().is_some_and(|mirror| same_folder(mirror, &places.data_dir)) {
                let message =
                    format!("--mirror {}: this is the data folder itself", places.data_dir.display());
                return Err(molarena_host::Error::Request(message).into());
            }
            let catalog = catalog(places)?;
            let chosen =
                if *all { catalog.iter().map(Entry::Dataset).collect() } else { chosen(&catalog, ids)? };
            let origin = mirror.clone().map_or(Origin::Web, Origin::Mirror);
            let wanted = if *companions { Wanted::All } else { Wanted::Required };
            for entry in chosen {
                entry.fetch(&places.data_dir, &origin, wanted)?;
            }
            Ok(ExitCode::Ok)
        }
        DataCommand::Simulate(args) => super::simulate::run(args),
        DataCommand::Verify { ids, json, places } => verify_all(places, ids, *json),
        DataCommand::Info { id: Some(id), leave_out, cache, json, places, .. }
            if catalog(places)?.context(id).is_ok() =>
        {
            if let Some(cache) = cache {
                output::check_folder(cache, true, &Inputs::default())?;
            }
            let catalog = catalog(places)?;
            context::info(&catalog, catalog.context(id)?, leave_out, cache.as_deref(), *json, places)
        }
        DataCommand::Info { leave_out, cache, .. } if !leave_out.is_empty() || cache.is_some() => {
            let message = "--leave-out and --cache go with a context graph; see: molarena data list";
            Err(molarena_host::Error::Request(message.to_owned()).into())
        }
        DataCommand::Info { id, own, json, places, .. } => {
            let summaries = if let Some(own) = own::load(own, None)? {
                let summary = |dataset| Ok(Summary::new(&PreparedDataset::new(dataset)?));
                own.datasets
                    .into_iter()
                    .map(|own| summary(own.dataset))
                    .collect::<anyhow::Result<Vec<_>>>()?
            } else {
                let id = id.as_deref().unwrap_or_default();
                vec![Summary::load(dataset(&catalog(places)?, id)?, &places.data_dir)?]
            };
            for summary in &summaries {
                if *json {
                    print_json(summary)?;
                } else {
                    print(&describe(summary))?;
                }
            }
            Ok(ExitCode::Ok)
        }
    }
}

fn same_folder(one: &Path, other: &Path) -> bool {
    fs_err::canonicalize(one).ok().is_some_and(|one| fs_err::canonicalize(other).ok() == Some(one))
}

fn catalog(places: &Places) -> anyhow::Result<Catalog> {
    Ok(Catalog::with_dir(places.datasets_dir.as_deref())?)
}

/// A dataset, a context graph or weights.
enum Entry<'a> {
    Dataset(&'a Manifest),
    Context(&'a ContextManifest),
    Weights(&'a WeightsManifest),
}

impl Entry<'_> {
    fn id(&self) -> &str {
        match self {
            Self::Dataset(manifest) => &manifest.id,
            Self::Context(manifest) => &manifest.id,
            Self::Weights(manifest) => &manifest.id,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Dataset(_) => "dataset",
            Self::Context(_) => "context",
            Self::Weights(_) => "weights",
        }
    }

    fn verify(&self, data_dir: &Path) -> Vec<FileStatus> {
        match self {
            Self::Dataset(manifest) => verify(manifest, data_dir),
            Self::Context(manifest) => verify_context(manifest, data_dir),
            Self::Weights(manifest) => verify_weights(manifest, data_dir),
        }
    }

    fn fetch(&self, data_dir: &Path, origin: &Origin, wanted: Wanted) -> anyhow::Result<()> {
        let web = *origin == Origin::Web;
        match self {
            Self::Dataset(manifest) if manifest.simulated && web => {
                super::simulate::builtin(manifest, data_dir)
            }
            Self::Context(manifest) if manifest.simulated && web => {
                super::simulate::builtin_context(manifest, data_dir)
            }
            Self::Dataset(manifest) => {
                shown(|progress| Ok(fetch(manifest, data_dir, origin, wanted, progress)?))
            }
            Self::Context(manifest) => {
                shown(|progress| Ok(fetch_context(manifest, data_dir, origin, progress)?))
            }
            Self::Weights(manifest) => {
                shown(|progress| Ok(fetch_weights(manifest, data_dir, origin, progress)?))
            }
        }
    }
}

/// The datasets, context graphs and weights called `ids`.
fn chosen<'a>(catalog: &'a Catalog, ids: &[String]) -> anyhow::Result<Vec<Entry<'a>>> {
    let entry = |id: &String| match (catalog.context(id), catalog.weights(id)) {
        (Ok(manifest), _) => Ok(Entry::Context(manifest)),
        (Err(_), Some(manifest)) => Ok(Entry::Weights(manifest)),
        (Err(_), None) => dataset(catalog, id).map(Entry::Dataset),
    };
    ids.iter().map(entry).collect()
}

/// The dataset called `id`; the error for an unknown id lists the context graphs and weights as well.
pub(super) fn dataset<'a>(catalog: &'a Catalog, id: &str) -> anyhow::Result<&'a Manifest> {
    Ok(catalog.get(id).map_err(|error| match error {
        Error::UnknownDataset { id, known } => {
            let contexts: Vec<&str> = catalog.contexts().map(|manifest| manifest.id.as_str()).collect();
            let weights: Vec<&str> = catalog.all_weights().map(|manifest| manifest.id.as_str()).collect();
            let (contexts, weights) = (contexts.join(", "), weights.join(", "));
            Error::UnknownDataset {
                id,
                known: format!("{known}; context graphs: {contexts}; weights: {weights}"),
            }
        }
        other => other,
    })?)
}

fn list(places: &Places, json: bool) -> anyhow::Result<ExitCode> {
    let catalog = catalog(places)?;
    let ready = |manifest: &Manifest| manifest.assays().locate(&places.data_dir).is_file();
    let there = |manifest: &WeightsManifest| {
        manifest.files.iter().all(|file| file.locate(&places.data_dir).is_file())
    };
    if json {
        let entries: Vec<_> = catalog
            .iter()
            .map(|manifest| serde_json::json!({"manifest": manifest, "fetched": ready(manifest)}))
            .collect();
        let contexts: Vec<_> = catalog
            .contexts()
            .map(|manifest| serde_json::json!({"manifest": manifest, "fetched": context::ready(manifest, places)}))
            .collect();
        let weights: Vec<_> = catalog
            .all_weights()
            .map(|manifest| serde_json::json!({"manifest": manifest, "fetched": there(manifest)}))
            .collect();
        let list = serde_json::json!({
            "schema": "molarena.data-list/1", "datasets": entries, "contexts": contexts, "weights": weights
        });
        print_json(&list)?;
        return Ok(ExitCode::Ok);
    }
    let row = |manifest: &Manifest| {
        vec![
            manifest.id.clone(),
            manifest.table.rows.to_string(),
            format!("{} {}", manifest.tasks.count, manifest.tasks.kind),
            manifest.protocol.split.to_string(),
            manifest.protocol.metric.to_string(),
            yes_or_no(ready(manifest)),
            titled(&manifest.title, manifest.simulated),
        ]
    };
    let rows: Vec<Vec<String>> = catalog.iter().map(row).collect();
    print(&columns(&["id", "rows", "tasks", "split", "metric", "fetched", "title"], &rows))?;
    let row = |manifest: &ContextManifest| {
        let spaces = manifest.spaces.iter().map(|space| format!("{} {}", space.name, space.columns));
        vec![
            manifest.id.clone(),
            spaces.collect::<Vec<_>>().join(", "),
            yes_or_no(context::ready(manifest, places)),
            titled(&manifest.title, manifest.simulated),
        ]
    };
    let rows: Vec<Vec<String>> = catalog.contexts().map(row).collect();
    print("\n")?;
    print(&columns(&["context graph", "feature spaces", "fetched", "title"], &rows))?;
    let row = |manifest: &WeightsManifest| {
        vec![
            manifest.id.clone(),
            manifest.pretrained_on.join(", "),
            yes_or_no(there(manifest)),
            manifest.title.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = catalog.all_weights().map(row).collect();
    print("\n")?;
    print(&columns(&["weights", "pretrained on", "fetched", "title"], &rows))?;
    Ok(ExitCode::Ok)
}

fn yes_or_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

/// The title of a dataset or context graph, marked if it is simulated.
pub(super) fn titled(title: &str, simulated: bool) -> String {
    if simulated { format!("{title} (simulated)") } else { title.to_owned() }
}

/// Fetches files, with a progress bar, and prints which were transferred.
fn shown(
    fetch: impl FnOnce(&mut dyn FnMut(Progress<'_>)) -> anyhow::Result<Vec<Fetched>>,
) -> anyhow::Result<()> {
    // The bar is drawn only on a terminal.
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    bar.set_style(ProgressStyle::with_template(style).expect("the template is valid"));
    let fetched = fetch(&mut |progress| {
        bar.set_message(progress.path.to_owned());
        if let Some(total) = progress.total {
            bar.set_length(total);
        }
        bar.set_position(progress.done);
    });
    bar.finish_and_clear();
    for file in fetched? {
        let what = if file.transferred { "fetched" } else { "there already" };
        let unverified = file.unverified.map(|got| format!("; {}", unverified(&got))).unwrap_or_default();
        print(&format!("{}: {what}{unverified}\n", file.path.display()))?;
    }
    Ok(())
}

fn unverified(got: &str) -> String {
    format!("unverified: the manifest states no sha256; it is {got}")
}

fn verify_all(places: &Places, ids: &[String], json: bool) -> anyhow::Result<ExitCode> {
    let catalog = catalog(places)?;
    let entries = if ids.is_empty() {
        let begun = |manifest: &&ContextManifest| context::begun(manifest, places);
        let contexts = catalog.contexts().filter(begun).map(Entry::Context);
        let is_there = |manifest: &&WeightsManifest| {
            manifest.files.iter().any(|file| file.locate(&places.data_dir).is_file())
        };
        let weights = catalog.all_weights().filter(is_there).map(Entry::Weights);
        catalog.iter().map(Entry::Dataset).chain(contexts).chain(weights).collect()
    } else {
        chosen(&catalog, ids)?
    };
    let statuses: Vec<(&Entry<'_>, Vec<FileStatus>)> =
        entries.iter().map(|entry| (entry, entry.verify(&places.data_dir))).collect();
    if json {
        let of_kind = |kind: &str| -> Vec<_> {
            statuses
                .iter()
                .filter(|(entry, _)| entry.kind() == kind)
                .map(|(entry, files)| serde_json::json!({kind: entry.id(), "files": files}))
                .collect()
        };
        print_json(&serde_json::json!({
            "schema": "molarena.data-verify/1",
            "datasets": of_kind("dataset"), "contexts": of_kind("context"), "weights": of_kind("weights"),
        }))?;
    } else {
        for (entry, files) in &statuses {
            let id = entry.id();
            for file in files {
                print(&format!("{}: {}\n", file.path.display(), state(file, id, &places.data_dir)))?;
            }
        }
    }
    let good = statuses.iter().flat_map(|(_, files)| files).all(FileStatus::is_good);
    Ok(if good { ExitCode::Ok } else { ExitCode::BadData })
}

fn state(file: &FileStatus, id: &str, data_dir: &Path) -> String {
    let fetch = || format!("molarena data fetch {id} --data-dir {}", data_dir.display());
    match &file.state {
        FileState::Ok => "ok".into(),
        FileState::Unverified { got } => unverified(got),
        FileState::Missing if file.is_good() => "missing (optional)".into(),
        FileState::Missing => format!("missing; get it with: {}", fetch()),
        FileState::WrongSha256 { got } => format!("wrong sha256 {got}; replace it with: {}", fetch()),
        FileState::Unreadable { reason } => format!("cannot be read: {reason}"),
    }
}

fn describe(summary: &Summary) -> String {
    let mut text = String::new();
    let mut line = |line: String| writeln!(text, "{line}").expect("writing to a string does not fail");
    line(format!("{}: {}", summary.id, titled(&summary.title, summary.simulated)));
    if summary.simulated {
        line("simulated data: says nothing about chemistry".into());
    }
    line(format!("sha256 {}", summary.sha256));
    line(format!(
        "{} rows, {} molecules read, {} not; {} distinct by identity key; {} scaffolds; {} acyclic",
        summary.rows,
        summary.molecules,
        summary.failures.len(),
        summary.distinct_molecules,
        summary.scaffolds,
        summary.acyclic
    ));
    line(format!(
        "{} {} tasks, {:.1} % of labels known",
        summary.tasks.len(),
        summary.task_type,
        100.0 * summary.label_density
    ));
    line(String::new());
    let splits: Vec<Vec<String>> = summary
        .splits
        .iter()
        .map(|split| {
            let counts = [split.train, split.valid, split.test, split.straddling, split.scored_tasks];
            let counts = counts.iter().map(ToString::to_string);
            std::iter::once(split.protocol.to_string()).chain(counts).collect()
        })
        .collect();
    line(columns(&["split", "train", "valid", "test", "straddling scaffolds", "scored tasks"], &splits));
    let tasks: Vec<Vec<String>> = summary
        .tasks
        .iter()
        .map(|task| {
            let statistics = match task.statistics {
                LabelStatistics::Classes { positives, negatives } => {
                    format!("{positives} positive, {negatives} negative")
                }
                LabelStatistics::Values { mean, standard_deviation } => {
                    let [mean, sd] = [mean, standard_deviation].map(|value| with_decimals(value, 3));
                    format!("mean {mean}, sd {sd}")
                }
            };
            let unit = task.unit.clone().unwrap_or_default();
            vec![task.name.clone(), task.known.to_string(), task.missing.to_string(), statistics, unit]
        })
        .collect();
    line(columns(&["task", "known", "missing", "labels", "unit"], &tasks));
    for warning in &summary.warnings {
        line(format!("warning: {warning}"));
    }
    text
}
