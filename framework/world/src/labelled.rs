//! The labelled molecules: assays, profiles of their own, and the truth.

use std::io::{BufWriter, Write};

use fs_err::File;
use molarena_data::TaskType;
use molarena_data::npz::MatrixWriter;

use crate::assays::{CLASS_TASKS, Task, VALUE_TASKS, classes, values};
use crate::error::Result;
use crate::files::Staging;
use crate::latent::PATHWAYS;
use crate::manifests::dataset_id;
use crate::profiles::{Modality, Sample, Table, cell_count};
use crate::world::World;

/// Writes all files about the labelled molecules.
pub(crate) fn write(world: &World, staging: &mut Staging) -> Result<()> {
    let seed = world.parameters.seed;
    let activities = &world.activities[..world.parameters.molecules];
    let class_tasks: Vec<Task> = (0..CLASS_TASKS.len()).map(|task| classes(seed, task, activities)).collect();
    let value_tasks: Vec<Task> = (0..VALUE_TASKS.len()).map(|task| values(seed, task, activities)).collect();
    let id = world.parameters.id();
    let mut table = staging.assays(&dataset_id(&id, TaskType::Classification))?;
    write_assays(world, &mut table, &CLASS_TASKS, &class_tasks, 0)?;
    let value_names = VALUE_TASKS.map(|task| task.0);
    let mut table = staging.assays(&dataset_id(&id, TaskType::Regression))?;
    write_assays(world, &mut table, &value_names, &value_tasks, 3)?;
    let tasks: Vec<&Task> = class_tasks.iter().chain(&value_tasks).collect();
    write_truth(world, staging, &[&CLASS_TASKS[..], &value_names].concat(), &tasks)?;
    write_profiles(world, staging)
}

fn write_assays(
    world: &World,
    table: &mut BufWriter<File>,
    names: &[&str],
    tasks: &[Task],
    decimals: usize,
) -> Result<()> {
    writeln!(table, "smiles,{}", names.join(","))?;
    for (row, drug) in world.drugs[..world.parameters.molecules].iter().enumerate() {
        write!(table, "{}", drug.smiles)?;
        for task in tasks {
            match task.labels[row] {
                Some(label) => write!(table, ",{label:.decimals$}")?,
                None => write!(table, ",")?,
            }
        }
        writeln!(table)?;
    }
    Ok(table.flush()?)
}

/// `truth.npz`: the pathways; `truth.csv`: probabilities and values without noise.
fn write_truth(world: &World, staging: &mut Staging, names: &[&str], tasks: &[&Task]) -> Result<()> {
    let activities = &world.activities[..world.parameters.molecules];
    let path =
        staging.path("truth.npz", "the standardised pathway activities z of each row, hidden ones last")?;
    let mut matrix = MatrixWriter::create(&path, activities.len(), PATHWAYS)?;
    let values: Vec<f32> = activities.iter().flatten().map(|value| *value as f32).collect();
    matrix.write(&values)?;
    matrix.finish()?;
    let description = "the probability of 1, or the value without noise, of each row and task";
    let mut table = staging.table("truth.csv", description)?;
    writeln!(table, "row,{}", names.join(","))?;
    for row in 0..activities.len() {
        write!(table, "{}", row + 1)?;
        for task in tasks {
            write!(table, ",{:.6}", task.truth[row])?;
        }
        writeln!(table)?;
    }
    Ok(table.flush()?)
}

/// One profile of each kind for each row, the batches, and the cell counts of the morphology profiles.
fn write_profiles(world: &World, staging: &mut Staging) -> Result<()> {
    let activities = &world.activities[..world.parameters.molecules];
    let mut batches = Vec::new();
    for (modality, name) in
        [(Modality::Morphology, "morphology-profiles.npz"), (Modality::Expression, "expression-profiles.npz")]
    {
        let instrument = world.instrument(modality);
        let of_rows: Vec<usize> =
            (0..activities.len()).map(|row| instrument.batch(Table::Labelled, row)).collect();
        let samples: Vec<Sample> = activities
            .iter()
            .zip(&of_rows)
            .map(|(activities, &batch)| Sample { activities, batch })
            .collect();
        let path = staging.path(name, "one measured profile of each row")?;
        let mut matrix = MatrixWriter::create(&path, activities.len(), instrument.columns())?;
        matrix.write(&instrument.measure(Table::Labelled, 0, &samples))?;
        matrix.finish()?;
        batches.push(of_rows);
    }
    let path = staging.path("cell-counts.npz", "the number of cells behind each row's morphology profile")?;
    let mut matrix = MatrixWriter::create(&path, activities.len(), 1)?;
    let count =
        |(row, activities)| cell_count(world.parameters.seed, Table::Labelled, row, activities) as f32;
    matrix.write(&activities.iter().enumerate().map(count).collect::<Vec<f32>>())?;
    matrix.finish()?;
    let mut table = staging.table("profiles.csv", "the batches of each row's profiles")?;
    writeln!(table, "row,morphology_batch,expression_batch")?;
    for (row, (morphology, expression)) in batches[0].iter().zip(&batches[1]).enumerate() {
        writeln!(table, "{},b{morphology},b{expression}", row + 1)?;
    }
    Ok(table.flush()?)
}
