//! `molarena plot`

use std::{collections::BTreeMap, path::Path};

use molarena_host::{Error, Store, read_document};
use molarena_report::keep_datasets;
use molarena_report::plot::{
    Figure, PlotError, Scale, Sweep, rank_figures, render, sweeps, sweeps_csv, training_figure,
};

use super::{no_such_record, wanted};
use crate::{
    args::{PlotArgs, ScaleChoice},
    exit_code::ExitCode,
    output::{self, Existing, Inputs},
    suite_cells::SuiteCells,
};

pub(crate) fn run(args: &PlotArgs) -> anyhow::Result<ExitCode> {
    match (&args.training, &args.parameter) {
        (Some(log), _) => plot_training(args, log),
        (None, Some(path)) => plot_sweeps(args, path),
        (None, None) if args.ranks => plot_ranks(args),
        (None, None) => {
            let message = "name a parameter (-x) or a log (--training), or ask for --ranks";
            Err(Error::Request(message.into()).into())
        }
    }
}

fn plot_training(args: &PlotArgs, log: &Path) -> anyhow::Result<ExitCode> {
    if args.output.extension().is_none_or(|ending| ending != "svg") {
        let message = format!("{}: the figure is an SVG; let the name end in .svg", args.output.display());
        return Err(Error::Request(message).into());
    }
    output::check_file(&args.output, Existing::with_force(args.force), &inputs(args))?;
    let named = |message: String| Error::Document { path: log.to_owned(), message };
    let text = read_document(log)?;
    let title = log.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let figure = training_figure(&text, &title).map_err(|error| named(error.to_string()))?;
    write(&args.output, &svg(&figure)?)?;
    Ok(ExitCode::Ok)
}

fn plot_ranks(args: &PlotArgs) -> anyhow::Result<ExitCode> {
    output::check_folder(&args.output, true, &inputs(args))?;
    let store = Store::open(&args.store.store)?;
    let mut records = store.match_records()?;
    records.retain(|record| wanted(&args.datasets, &record.context) && wanted(&args.methods, &record.method));
    if records.is_empty() {
        let what = format!("the store {} holds no such record of matching", store.root().display());
        return Err(Error::NothingSelected(what).into());
    }
    let figures = rank_figures(&records, |record, space| store.best_ranks(record, space))?;
    let files = figures.iter().map(|(name, figure)| Ok((format!("{name}.svg"), svg(figure)?)));
    write_all(args, &files.collect::<Result<Vec<_>, Error>>()?)
}

fn plot_sweeps(args: &PlotArgs, path: &str) -> anyhow::Result<ExitCode> {
    output::check_folder(&args.output, true, &inputs(args))?;
    let store = Store::open(&args.store.store)?;
    let mut records = store.records()?;
    keep_datasets(&mut records, &args.datasets);
    records.retain(|record| wanted(&args.methods, &record.method));
    if let Some(suite) = &args.suite {
        let selected = SuiteCells::load(suite, args.methods_dir.as_deref())?;
        records.retain(|record| selected.has(record));
    }
    if records.is_empty() {
        return Err(no_such_record(&store).into());
    }
    let sweeps = sweeps(&records, path).map_err(|error| Error::NothingSelected(error.to_string()))?;
    report_left_out(&sweeps, path);
    let scale = args.scale.map(|scale| match scale {
        ScaleChoice::Linear => Scale::Linear,
        ScaleChoice::Log => Scale::Log,
    });
    let parameter = path.rsplit('.').next().unwrap_or(path);
    let mut files = vec![(format!("points-{parameter}.csv"), sweeps_csv(&sweeps))];
    for sweep in &sweeps {
        let drawn = svg(&sweep.figure(scale)).map_err(|error| match error {
            Error::Request(message) => Error::Request(format!("{message}; try --scale linear")),
            other => other,
        });
        files.push((format!("{}.svg", sweep.file_stem), drawn?));
    }
    write_all(args, &files)
}

/// What is read.
fn inputs(args: &PlotArgs) -> Inputs {
    let inputs = Inputs::default().and(args.suite.as_deref()).and(args.training.as_deref());
    inputs.and_all_in(args.methods_dir.as_deref()).and_folder([args.store.store.as_path()])
}

/// Writes the files after checking that none is overwritten without `--force`, nor an input with it.
fn write_all(args: &PlotArgs, files: &[(String, String)]) -> anyhow::Result<ExitCode> {
    let inputs = inputs(args);
    if !args.output.is_dir() {
        fs_err::create_dir(&args.output)?;
    }
    for (name, _) in files {
        output::check_file(&args.output.join(name), Existing::with_force(args.force), &inputs)?;
    }
    for (name, text) in files {
        write(&args.output.join(name), text)?;
    }
    Ok(ExitCode::Ok)
}

fn svg(figure: &Figure) -> Result<String, Error> {
    render(figure).map_err(|error| match error {
        PlotError::OutOfAxis { .. } => Error::Request(error.to_string()),
        other => Error::NothingSelected(other.to_string()),
    })
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs_err::write(path, text)?;
    say!("wrote {}", path.display());
    Ok(())
}

fn report_left_out(sweeps: &[Sweep], path: &str) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (method, count) in sweeps.iter().flat_map(|sweep| &sweep.left_out) {
        *counts.entry(method).or_default() += count;
    }
    if !counts.is_empty() {
        let methods: Vec<String> =
            counts.iter().map(|(method, count)| format!("{method} ({count})")).collect();
        say!("records without {path}, in no line: {}", methods.join(", "));
    }
    for sweep in sweeps {
        sweep.notes.iter().for_each(|note| say!("{}: {note}", sweep.file_stem));
    }
}
