//! Profiles and cell counts of a dataset's molecules, looked up in a context graph by identity.

use std::collections::{BTreeSet, HashMap};

use molarena_data::context::{ContextGraph, NodeKind, Space, SpaceSpec};
use molarena_features::{FeatureSpec, Features};

use crate::{
    error::{Error, Result},
    inputs::corpus::{self, LeaveOut, Sources},
};

/// Refuses a profile or cell count that its context graph does not have.
///
/// # Errors
/// An unknown context graph; [`Error::Request`] for a space that it does not have, that holds no profiles of molecules, or that
/// has no cell counts.
pub(crate) fn check(sources: &Sources<'_>, part: &FeatureSpec) -> Result<()> {
    let Some((context, name)) = place(part) else { return Ok(()) };
    let manifest = sources.catalog.context(context)?;
    let counts = matches!(part, FeatureSpec::CellCount { .. });
    let fits = |space: &&SpaceSpec| space.kind != NodeKind::Gene && (!counts || space.cell_count.is_some());
    if manifest.spaces.iter().filter(fits).any(|space| space.name == name) {
        return Ok(());
    }
    let known: Vec<&str> = manifest.spaces.iter().filter(fits).map(|space| space.name.as_str()).collect();
    let (what, kind) =
        if counts { ("cell counts", "cell-count") } else { ("profiles of molecules", "profile") };
    let message = format!(
        "features of kind `{kind}`: context graph {context} has no {what} in a space `{name}`; the spaces with {what} are: [{}]",
        known.join(", ")
    );
    Err(Error::Request(message))
}

/// The key of the context graph that a part is read from.
///
/// # Errors
/// As [`check`], and errors of building the graph.
pub(crate) fn key(sources: &Sources<'_>, part: &FeatureSpec) -> Result<String> {
    check(sources, part)?;
    let (context, _) = place(part).expect("a profile or a cell count");
    Ok(corpus::used(sources, context, &LeaveOut::default())?.key.clone())
}

/// The vectors of the molecules with these identities, NaN for molecules without one.
///
/// # Errors
/// As [`check`], and errors of building the graph.
pub(crate) fn read(sources: &Sources<'_>, part: &FeatureSpec, identities: &[String]) -> Result<Features> {
    check(sources, part)?;
    let (context, name) = place(part).expect("a profile or a cell count");
    let graph = corpus::graph(sources, context, &BTreeSet::new())?;
    let space = graph.space(name).expect("checked");
    let (columns, values) = match part {
        FeatureSpec::CellCount { .. } => (1, space.cell_counts.clone()),
        _ => (space.columns, filled(space)),
    };
    Ok(means(&graph, name, columns, &values, identities))
}

fn place(part: &FeatureSpec) -> Option<(&str, &str)> {
    match part {
        FeatureSpec::Profile { context, space } | FeatureSpec::CellCount { context, space } => {
            Some((context, space))
        }
        _ => None,
    }
}

/// The values of a space, each missing one replaced by its column's mean, or 0 if the column has no value.
fn filled(space: &Space) -> Vec<f32> {
    let mut means = Vec::with_capacity(space.columns);
    for column in 0..space.columns {
        let known = space.values.iter().skip(column).step_by(space.columns).filter(|value| !value.is_nan());
        let (sum, count) = known.fold((0.0, 0), |(sum, count), value| (sum + f64::from(*value), count + 1));
        means.push(if count > 0 { (sum / f64::from(count)) as f32 } else { 0.0 });
    }
    let value = |(index, value): (usize, &f32)| {
        if value.is_nan() { means[index % space.columns] } else { *value }
    };
    space.values.iter().enumerate().map(value).collect()
}

/// The mean over the rows of each molecule; rows with a missing value do not count.
fn means(
    graph: &ContextGraph,
    space: &str,
    columns: usize,
    values: &[f32],
    identities: &[String],
) -> Features {
    let mut rows_of: HashMap<&str, Vec<usize>> = HashMap::new();
    for (row, molecule) in graph.profiles_of(space) {
        if values[row * columns..][..columns].iter().all(|value| !value.is_nan()) {
            rows_of.entry(&graph.molecules[molecule].identity).or_default().push(row);
        }
    }
    let mut of_all = Vec::with_capacity(identities.len() * columns);
    for identity in identities {
        match rows_of.get(identity.as_str()) {
            None => of_all.extend(std::iter::repeat_n(f32::NAN, columns)),
            Some(rows) => of_all.extend((0..columns).map(|column| {
                let sum: f64 = rows.iter().map(|row| f64::from(values[row * columns + column])).sum();
                (sum / rows.len() as f64) as f32
            })),
        }
    }
    Features::Dense { columns, values: of_all, rows: identities.len() }
}

/// Which molecules with these identities have a profile in the space `space` of the context graph `context`.
///
/// # Errors
/// As for features of kind `profile`.
pub fn profiled(
    sources: &Sources<'_>,
    context: &str,
    space: &str,
    identities: &[String],
) -> Result<Vec<bool>> {
    let part = FeatureSpec::Profile { context: context.to_owned(), space: space.to_owned() };
    Ok(read(sources, &part, identities)?.absent().into_iter().map(|absent| !absent).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_value_is_its_columns_mean() {
        let space = Space {
            name: "morphology".into(),
            kind: NodeKind::Morphology,
            columns: 3,
            names: Vec::new(),
            nodes: vec![5, 6],
            values: vec![0.0, f32::NAN, f32::NAN, 1.0, 0.5, f32::NAN],
            bounds: Vec::new(),
            rows: vec![1, 2],
            batches: Vec::new(),
            batch_names: Vec::new(),
            cell_counts: Vec::new(),
        };
        assert_eq!(filled(&space), [0.0, 0.5, 0.0, 1.0, 0.5, 0.0]);
    }
}
