//! `molarena data`

use std::{fmt::Write as _, path::Path};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use molarena_data::{
    Catalog, FileState, FileStatus, LabelStatistics, Manifest, PreparedDataset, Summary,
    fetch::{Origin, Wanted, fetch},
    verify,
};

use super::{own, print, print_json, table};
use crate::{
    args::{DataArgs, DataCommand, Places},
    exit_code::ExitCode,
};

pub(crate) fn run(args: &DataArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        DataCommand::List { json, places } => list(places, *json),
        DataCommand::Fetch { ids, all, companions, mirror, places } => {
            let catalog = catalog(places)?;
            let manifests = chosen(&catalog, if *all { &[] } else { ids })?;
            let origin = mirror.clone().map_or(Origin::Web, Origin::Mirror);
            let wanted = if *companions { Wanted::All } else { Wanted::Required };
            for manifest in manifests {
                if manifest.simulated && origin == Origin::Web {
                    super::simulate::builtin(manifest, &places.data_dir)?;
                } else {
                    fetch_one(manifest, &places.data_dir, &origin, wanted)?;
                }
            }
            Ok(ExitCode::Ok)
        }
        DataCommand::Simulate(args) => super::simulate::run(args),
        DataCommand::Verify { ids, json, places } => verify_all(places, ids, *json),
        DataCommand::Info { id, own, json, places } => {
            let summaries = if let Some(own) = own::load(own, None)? {
                let summary = |dataset| Ok(Summary::new(&PreparedDataset::new(dataset)?));
                own.datasets
                    .into_iter()
                    .map(|own| summary(own.dataset))
                    .collect::<anyhow::Result<Vec<_>>>()?
            } else {
                let id = id.as_deref().unwrap_or_default();
                vec![Summary::load(catalog(places)?.get(id)?, &places.data_dir)?]
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

fn catalog(places: &Places) -> anyhow::Result<Catalog> {
    Ok(Catalog::with_dir(places.datasets_dir.as_deref())?)
}

/// The manifests called `ids`; without any, all.
fn chosen<'a>(catalog: &'a Catalog, ids: &[String]) -> anyhow::Result<Vec<&'a Manifest>> {
    if ids.is_empty() {
        return Ok(catalog.iter().collect());
    }
    Ok(ids.iter().map(|id| catalog.get(id)).collect::<Result<_, _>>()?)
}

fn list(places: &Places, json: bool) -> anyhow::Result<ExitCode> {
    let catalog = catalog(places)?;
    let ready = |manifest: &Manifest| manifest.assays().locate(&places.data_dir).is_file();
    if json {
        let entries: Vec<_> = catalog
            .iter()
            .map(|manifest| serde_json::json!({"manifest": manifest, "fetched": ready(manifest)}))
            .collect();
        print_json(&serde_json::json!({"schema": "molarena.data-list/1", "datasets": entries}))?;
        return Ok(ExitCode::Ok);
    }
    let row = |manifest: &Manifest| {
        vec![
            manifest.id.clone(),
            manifest.table.rows.to_string(),
            format!("{} {}", manifest.tasks.count, manifest.tasks.kind),
            manifest.protocol.split.to_string(),
            manifest.protocol.metric.to_string(),
            if ready(manifest) { "yes" } else { "no" }.to_owned(),
            titled(&manifest.title, manifest.simulated),
        ]
    };
    let rows: Vec<Vec<String>> = catalog.iter().map(row).collect();
    print(&table(&["id", "rows", "tasks", "split", "metric", "fetched", "title"], &rows))?;
    Ok(ExitCode::Ok)
}

/// A dataset's title, with a word where it is simulated.
fn titled(title: &str, simulated: bool) -> String {
    if simulated { format!("{title} (simulated)") } else { title.to_owned() }
}

fn fetch_one(manifest: &Manifest, data_dir: &Path, origin: &Origin, wanted: Wanted) -> anyhow::Result<()> {
    // Drawn on a terminal only.
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    bar.set_style(ProgressStyle::with_template(style).expect("the template is valid"));
    let fetched = fetch(manifest, data_dir, origin, wanted, &mut |progress| {
        bar.set_message(progress.path.to_owned());
        if let Some(total) = progress.total {
            bar.set_length(total);
        }
        bar.set_position(progress.done);
    });
    bar.finish_and_clear();
    for file in fetched? {
        let what = if file.transferred { "fetched" } else { "there already" };
        print(&format!("{}: {what}\n", file.path.display()))?;
    }
    Ok(())
}

fn verify_all(places: &Places, ids: &[String], json: bool) -> anyhow::Result<ExitCode> {
    let catalog = catalog(places)?;
    let manifests = chosen(&catalog, ids)?;
    let statuses: Vec<(&str, Vec<FileStatus>)> =
        manifests.iter().map(|manifest| (manifest.id.as_str(), verify(manifest, &places.data_dir))).collect();
    if json {
        let entries: Vec<_> =
            statuses.iter().map(|(id, files)| serde_json::json!({"dataset": id, "files": files})).collect();
        print_json(&serde_json::json!({"schema": "molarena.data-verify/1", "datasets": entries}))?;
    } else {
        for (id, files) in &statuses {
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
    line(table(&["split", "train", "valid", "test", "straddling scaffolds", "scored tasks"], &splits));
    let tasks: Vec<Vec<String>> = summary
        .tasks
        .iter()
        .map(|task| {
            let statistics = match task.statistics {
                LabelStatistics::Classes { positives, negatives } => {
                    format!("{positives} positive, {negatives} negative")
                }
                LabelStatistics::Values { mean, standard_deviation } => {
                    format!("mean {mean:.3}, sd {standard_deviation:.3}")
                }
            };
            let unit = task.unit.clone().unwrap_or_default();
            vec![task.name.clone(), task.known.to_string(), task.missing.to_string(), statistics, unit]
        })
        .collect();
    line(table(&["task", "known", "missing", "labels", "unit"], &tasks));
    for warning in &summary.warnings {
        line(format!("warning: {warning}"));
    }
    text
}
