//! `molarena embed`

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use anyhow::Context;
use molarena_features::FeatureSpec;
use molarena_host::{
    Embedded, Embedding, Encoder, Error, Limits, Method, Methods, OutputFormat, Recipe, check_writable,
    failures_path, rate,
};

use super::{arena::arena, interruption, print, print_json, text_of};
use crate::{
    args::EmbedArgs,
    display::{Counts, Display},
    exit_code::ExitCode,
    output::{self, Existing, Inputs},
};

pub(crate) fn run(args: &EmbedArgs) -> anyhow::Result<ExitCode> {
    let format = args.format.map_or_else(|| OutputFormat::of(&args.output), Ok)?;
    output::check_file(&args.output, Existing::with_force(args.force), &inputs(args)?)?;
    let interrupted = interruption()?;
    let threads = args
        .threads
        .or_else(|| std::thread::available_parallelism().ok())
        .map_or(1, std::num::NonZeroUsize::get);
    let method = match &args.method {
        Some(name) => Some(Methods::load(args.methods_dir.as_deref())?.get(name, "".as_ref())?),
        None => None,
    };
    let (features, has_encoder) = match &method {
        Some(method) => model(method)?,
        None => (&args.features, false),
    };
    check_writable(features, has_encoder)?;
    let encoder = match &method {
        Some(method) if has_encoder => encoder(args, method, threads, &interrupted)?,
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
    let display = Display::new(Counts::Rows);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("threads")?;
    let done = pool.install(|| molarena_host::embed(&embedding, &interrupted, &display));
    display.close();
    conclude(args, &done?, threads)
}

/// What is read.
fn inputs(args: &EmbedArgs) -> anyhow::Result<Inputs> {
    let inputs = Inputs::of_places(&args.places, Some(&args.plugins), args.methods_dir.as_deref())?;
    let inputs = inputs.and([args.input.as_path()]).and_methods(&args.method, Path::new(""));
    Ok(inputs.and_folder([args.store.store.as_path()]))
}

/// The encoder of a method, with its state from the store or trained now.
fn encoder(
    args: &EmbedArgs,
    method: &Method,
    threads: usize,
    interrupted: &Arc<AtomicBool>,
) -> anyhow::Result<Option<Encoder>> {
    let arena = arena(&args.store.store, args.methods_dir.as_deref(), &args.places, &args.plugins)?;
    let limits = Limits { threads, ..Limits::default() };
    let limits = Limits { wall: args.wall_limit.unwrap_or(limits.wall), ..limits };
    let display = Display::new(Counts::Steps);
    let encoder = Encoder::new(method, &arena, limits, args.device.clone(), interrupted, &display);
    display.close();
    Ok(encoder?)
}

/// Features of a method, and whether it has an encoder.
fn model(method: &Method) -> anyhow::Result<(&FeatureSpec, bool)> {
    match &method.recipe {
        Recipe::Model(model) => Ok((&model.features, model.encoder.is_some())),
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
            "peak_rss_bytes": molarena_host::sandbox::memory::peak_rss_of("self"),
            "output": text_of(output),
            "whole": done.partial.is_none(),
        }))?;
    } else {
        let what = match &done.layout {
            Some(layout) if layout.packed => format!("{} bits, packed", layout.columns),
            Some(layout) => format!("{} numbers", layout.columns),
            None => "nothing".to_owned(),
        };
        print(&format!("{}: {} rows of {what}\n", output.display(), done.rows))?;
        say!("read as {}", done.input);
        say!("{rate:.0} molecules/s on {threads} threads, in {:.1} s", done.wall.as_secs_f64());
    }
    if done.failed > 0 {
        say!("warning: rows that cannot be read: {}; they are listed in {}", done.failed, failures.display());
    }
    if done.partial.is_some() {
        say!("interrupted: {} holds the first {} rows and is a sound file", output.display(), done.rows);
        return Ok(ExitCode::Interrupted);
    }
    Ok(if done.failed > 0 { ExitCode::SomeCellsFailed } else { ExitCode::Ok })
}
