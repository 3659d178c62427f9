//! `molarena data simulate`

use std::path::Path;

use molarena_data::{Manifest, context::ContextManifest};
use molarena_world::{Parameters, Progress, Written, simulate, simulate_builtin, simulate_builtin_context};

use super::print;
use crate::{
    args::{SimulateArgs, WorldSize},
    display::{Counts, Display},
    exit_code::ExitCode,
    output::{self, Inputs},
};

pub(crate) fn run(args: &SimulateArgs) -> anyhow::Result<ExitCode> {
    output::check_folder(&args.output, true, &Inputs::default())?;
    let parameters = parameters(args);
    let display = Display::new(Counts::Stages);
    let simulated =
        simulate(&parameters, &args.output, args.force, &mut |progress| show(&display, progress))?;
    display.close();
    print_files(&simulated.files)?;
    let [classification, regression] = simulated.manifests.map(|manifest| manifest.id);
    let context = simulated.context.id;
    print(&format!(
        "simulated data: says nothing about chemistry\n{} labelled molecules; context graph {context}: {} nodes, {} edges, {} \
         feature columns\n",
        parameters.molecules,
        parameters.nodes(),
        parameters.edges(),
        parameters.expression_columns + parameters.morphology_columns,
    ))?;
    let folder = args.output.display();
    let known =
        if parameters == Parameters::DEMO { String::new() } else { format!(" --datasets-dir {folder}") };
    print(&format!(
        "run on it: molarena run --dataset {classification} --dataset {regression} --method morgan-rf --data-dir \
         {folder}{known}\n"
    ))?;
    Ok(ExitCode::Ok)
}

/// Makes a simulated dataset that comes with the program, unless it exists.
pub(crate) fn builtin(manifest: &Manifest, data_dir: &Path) -> anyhow::Result<()> {
    let display = Display::new(Counts::Stages);
    let files = simulate_builtin(manifest, data_dir, &mut |progress| show(&display, progress))?;
    display.close();
    print_files(&files)
}

/// Makes the files of a simulated context graph that comes with the program, unless they exist.
pub(crate) fn builtin_context(manifest: &ContextManifest, data_dir: &Path) -> anyhow::Result<()> {
    let display = Display::new(Counts::Stages);
    let files = simulate_builtin_context(manifest, data_dir, &mut |progress| show(&display, progress))?;
    display.close();
    print_files(&files)
}

fn parameters(args: &SimulateArgs) -> Parameters {
    let sizes = match args.size {
        WorldSize::Demo => Parameters::DEMO,
        WorldSize::Paper => Parameters::PAPER,
    };
    Parameters {
        seed: args.seed,
        molecules: args.molecules.unwrap_or(sizes.molecules),
        context_molecules: args.context_molecules.unwrap_or(sizes.context_molecules),
        genes: args.genes.unwrap_or(sizes.genes),
        expression_columns: args.expression_columns.unwrap_or(sizes.expression_columns),
        morphology_columns: args.morphology_columns.unwrap_or(sizes.morphology_columns),
        expression_profiles: args.expression_profiles.unwrap_or(sizes.expression_profiles),
        morphology_profiles: args.morphology_profiles.unwrap_or(sizes.morphology_profiles),
        gene_edges: args.gene_edges.unwrap_or(sizes.gene_edges),
        batches: args.batches.unwrap_or(sizes.batches),
    }
}

fn print_files(files: &[Written]) -> anyhow::Result<()> {
    for file in files {
        let what = if file.new { "written" } else { "there already" };
        print(&format!("{}: {what}\n", file.path.display()))?;
    }
    Ok(())
}

fn show(display: &Display, progress: Progress) {
    let Progress { step, done, total } = progress;
    display.stage(Some("simulating"), &step.to_string(), done, total);
}
