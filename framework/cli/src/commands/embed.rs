//! `molarena embed`

use std::{
    io::IsTerminal,
    sync::{Mutex, PoisonError, atomic::AtomicBool},
    time::{Duration, Instant},
};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use molarena_data::Catalog;
use molarena_features::FeatureSpec;
use molarena_host::{
    Arena, Embedded, Embedding, Encoder, Error, Limits, Method, Methods, OutputFormat, Recipe, Store,
    check_writable, failures_path, job::JobState, launch::Launcher, plugin::search::SearchPath, rate,
    trained_state,
};

use super::{check_output, interruption, print, print_json};
use crate::{args::EmbedArgs, exit_code::ExitCode, spinner::Spinner};

/// How often a line is printed where there is no terminal.
const EVERY: Duration = Duration::from_secs(10);

pub(crate) fn run(args: &EmbedArgs) -> anyhow::Result<ExitCode> {
    let format = args.format.map_or_else(|| OutputFormat::of(&args.output), Ok)?;
    check_output(&args.output, args.force)?;
    let interrupted = interruption()?;
    let launcher = Launcher::of_this_binary()?;
    let threads = args
        .threads
        .or_else(|| std::thread::available_parallelism().ok())
        .map_or(1, std::num::NonZeroUsize::get);
    let method = match &args.method {
        Some(name) => Some(Methods::load(args.methods_dir.as_deref())?.get(name, "".as_ref())?),
        None => None,
    };
    let (features, encoder) = match &method {
        Some(method) => model(method)?,
        None => (&args.features, None),
    };
    check_writable(features, encoder.is_some())?;
    let encoder = match (&method, encoder) {
        (Some(method), Some(spec)) => {
            let plugins = SearchPath::new(&args.plugins.plugins)?;
            let limits = Limits { threads, ..Limits::default() };
            let state = trained(args, method, &plugins, &launcher, limits, &interrupted)?;
            let encoder = Encoder::new(method, features, spec, &plugins, &launcher, limits, &interrupted)?;
            Some(encoder.with_state(state))
        }
        _ => None,
    };
    let embedding = Embedding {
        input: &args.input,
        smiles: args.smiles_column.as_deref(),
        features,
        encoder: encoder.as_ref(),
        output: &args.output,
        format,
        unpacked: args.unpacked,
    };
    let display = Rows::new();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("threads")?;
    let done = pool.install(|| molarena_host::embed(&embedding, &interrupted, &|rows| display.show(rows)));
    display.close();
    conclude(args, &done?, threads)
}

/// The state of a trained encoder, from the store or made there.
fn trained(
    args: &EmbedArgs,
    method: &Method,
    plugins: &SearchPath,
    launcher: &Launcher,
    limits: Limits,
    interrupted: &AtomicBool,
) -> anyhow::Result<Option<JobState>> {
    let methods = Methods::load(args.methods_dir.as_deref())?;
    if !method.is_pretrained(&methods)? {
        return Ok(None);
    }
    let store = Store::create(&args.store.store)?;
    let arena = Arena {
        catalog: Catalog::with_dir(args.places.datasets_dir.as_deref())?,
        methods,
        plugins: plugins.clone(),
        launcher: launcher.clone(),
        data_dir: args.places.data_dir.clone(),
        encoders: store.clone(),
        store,
        tell: |what| eprintln!("{what}"),
    };
    let limits = Limits { wall: args.wall_limit.unwrap_or(limits.wall), ..limits };
    let spinner = Spinner::new();
    let state = trained_state(method, &arena, limits, interrupted, &spinner);
    spinner.close();
    Ok(state?)
}

/// Features and encoder of a method.
fn model(method: &Method) -> anyhow::Result<(&FeatureSpec, Option<&molarena_host::ComponentSpec>)> {
    match &method.recipe {
        Recipe::Model(model) => Ok((&model.features, model.encoder.as_ref())),
        Recipe::Ensemble(_) => {
            let message = format!("method `{}` is an ensemble and has no features of its own", method.name);
            Err(Error::Request(message).into())
        }
    }
}

fn conclude(args: &EmbedArgs, done: &Embedded, threads: usize) -> anyhow::Result<ExitCode> {
    let rate = rate(done.rows, done.wall);
    let output = done.partial.as_ref().unwrap_or(&args.output);
    let failures = failures_path(&args.output);
    if args.json {
        print_json(&serde_json::json!({
            "schema": "molarena.embed/1",
            "rows": done.rows,
            "failed": done.failed,
            "columns": done.layout.as_ref().map(|layout| layout.columns),
            "packed": done.layout.as_ref().map(|layout| layout.packed),
            "seconds": done.wall.as_secs_f64(),
            "molecules_per_second": rate,
            "threads": threads,
            "peak_rss_bytes": molarena_host::launch::memory::peak_rss_of("self"),
            "output": output,
            "whole": done.partial.is_none(),
        }))?;
    } else {
        let what = match &done.layout {
            Some(layout) if layout.packed => format!("{} bits, packed", layout.columns),
            Some(layout) => format!("{} numbers", layout.columns),
            None => "nothing".to_owned(),
        };
        print(&format!("{}: {} rows of {what}\n", output.display(), done.rows))?;
        eprintln!("read as {}", done.input);
        eprintln!("{rate:.0} molecules/s on {threads} threads, in {:.1} s", done.wall.as_secs_f64());
    }
    if done.failed > 0 {
        eprintln!(
            "warning: rows that cannot be read: {}; they are listed in {}",
            done.failed,
            failures.display()
        );
    }
    if done.partial.is_some() {
        eprintln!("interrupted: {} holds the first {} rows and is a sound file", output.display(), done.rows);
        return Ok(ExitCode::Interrupted);
    }
    Ok(if done.failed > 0 { ExitCode::SomeCellsFailed } else { ExitCode::Ok })
}

/// How many rows are done: a bar on a terminal, a line now and then elsewhere.
struct Rows {
    bar: Option<ProgressBar>,
    started: Instant,
    last: Mutex<Instant>,
}

impl Rows {
    fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let template = "{spinner} {human_pos} molecules, {per_sec}, {elapsed} gone";
            bar.set_style(ProgressStyle::with_template(template).expect("the template is valid"));
            bar
        });
        Self { bar, started: Instant::now(), last: Mutex::new(Instant::now()) }
    }

    fn show(&self, rows: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(rows);
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= EVERY {
            *last = Instant::now();
            eprintln!("{rows} rows, {:.0} a second", rate(rows, self.started.elapsed()));
        }
    }

    fn close(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
