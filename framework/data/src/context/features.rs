//! Feature spaces: their rows, and the edges that come with them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::build::Builder;
use super::edges::{Links, unit, weight};
use super::graph::{EdgeKind, NodeKind, Space};
use super::manifest::{ColumnGenes, SpaceSpec, Unknown};
use super::matrix::MatrixFile;
use super::nodes::{Named, unknown};
use super::scale::{Ranges, scale};
use crate::error::{Error, Result};
use crate::table::Table;

/// The kept rows of a space and the nodes they belong to.
struct Rows {
    /// `[rows of the file]`: the row's node and, for a profile, its molecule; `None` if the row is not kept.
    owners: Vec<Option<Owner>>,
    kept: usize,
}

#[derive(Clone, Copy)]
struct Owner {
    node: u64,
    molecule: Option<u64>,
}

/// Reads a space, adds the nodes of its profiles to `node_kinds`, joins them to their molecules, and joins
/// molecules to the genes with the largest values.
pub(super) fn read(
    builder: &mut Builder<'_>,
    spec: &SpaceSpec,
    links: &mut Links<'_>,
    node_kinds: &mut Vec<NodeKind>,
) -> Result<Space> {
    let table = builder.table(&spec.table)?;
    let rows = match (spec.kind, &spec.gene, &spec.molecule) {
        (NodeKind::Gene, Some(column), _) => gene_rows(builder, &table, column, links)?,
        (_, _, Some(column)) => profile_rows(builder, &table, column, links, node_kinds.len() as u64)?,
        _ => unreachable!("the manifest was checked"),
    };
    let genes = spec.column_genes.as_ref().map(|genes| gene_columns(builder, spec, genes)).transpose()?;
    let names = match (&spec.names, &genes) {
        (Some(file), _) => column_names(builder, spec, file)?,
        (None, Some(genes)) => genes.ids.clone(),
        (None, None) => Vec::new(),
    };
    let mut space = Space {
        name: spec.name.clone(),
        kind: spec.kind,
        columns: spec.columns,
        nodes: Vec::with_capacity(rows.kept),
        values: Vec::new(),
        bounds: Vec::new(),
        rows: Vec::with_capacity(rows.kept),
        batches: Vec::new(),
        batch_names: Vec::new(),
        cell_counts: Vec::new(),
        names,
    };
    read_values(builder, spec, &rows, &mut space)?;
    read_batches(spec, &table, &mut space)?;
    read_cell_counts(spec, &table, &mut space)?;
    for (owner, node) in rows.owners.iter().flatten().map(|owner| (owner, owner.node)) {
        if let Some(molecule) = owner.molecule {
            node_kinds.push(spec.kind);
            links.join(molecule, node, 1.0, EdgeKind::Perturbs);
        }
    }
    if let Some(genes) = genes {
        let molecules: Vec<u64> = rows.owners.iter().flatten().filter_map(|owner| owner.molecule).collect();
        join_top(builder, &space, &molecules, &genes, links)?;
    }
    let (pool, values) = (&builder.pool, &mut space.values);
    pool.install(|| scale(values, &space.bounds));
    Ok(space)
}

/// Rows of gene features; the first row of each gene is kept.
fn gene_rows(builder: &mut Builder<'_>, table: &Table, column: &str, links: &Links<'_>) -> Result<Rows> {
    let column = table.column(column)?;
    let mut seen = HashSet::new();
    let mut owners = Vec::with_capacity(table.rows());
    for row in 0..table.rows() {
        let node =
            links.gene(table.text(row, column)).ok_or_else(|| unknown(table, row, column, NodeKind::Gene))?;
        let first = seen.insert(node);
        if !first {
            builder.counts.repeated_gene_rows += 1;
        }
        owners.push(first.then_some(Owner { node, molecule: None }));
    }
    Ok(Rows { owners, kept: seen.len() })
}

/// Rows of profiles; each kept row is a node, numbered from `first`.
fn profile_rows(
    builder: &mut Builder<'_>,
    table: &Table,
    column: &str,
    links: &Links<'_>,
    first: u64,
) -> Result<Rows> {
    let column = table.column(column)?;
    let mut owners = Vec::with_capacity(table.rows());
    let mut kept = 0;
    for row in 0..table.rows() {
        let id = table.text(row, column);
        let named = match links.molecule(id) {
            None if id.is_empty() => Named::Unreadable,
            None => return Err(unknown(table, row, column, NodeKind::Molecule)),
            Some(named) => named,
        };
        owners.push(match named {
            Named::Node(molecule) => {
                kept += 1;
                Some(Owner { node: first + kept as u64 - 1, molecule: Some(molecule) })
            }
            Named::Left => {
                builder.counts.left_out_profiles += 1;
                None
            }
            Named::Unreadable => {
                builder.counts.profiles_without_molecule += 1;
                None
            }
        });
    }
    Ok(Rows { owners, kept })
}

/// Reads the kept rows of a matrix into `space`, and the ranges of its columns.
fn read_values(builder: &mut Builder<'_>, spec: &SpaceSpec, rows: &Rows, space: &mut Space) -> Result<()> {
    let path = builder.path(&spec.features);
    let matrix = MatrixFile::open(&path)?;
    let shape = |what, got, other: String, expected| {
        if got == expected {
            return Ok(());
        }
        Err(Error::MatrixShape { path: path.clone(), what, got, other, expected })
    };
    let check = |found_rows, found_columns| {
        shape(
            "columns",
            found_columns,
            format!("the manifest of {} says", builder.manifest.id),
            spec.columns,
        )?;
        shape("rows", found_rows, format!("{} has", spec.table), rows.owners.len())
    };
    let named = |column: usize| match space.names.get(column) {
        Some(name) => format!("{column} ({name})"),
        None => column.to_string(),
    };
    let mut in_file = vec![false; spec.columns];
    let mut ranges = Ranges::new(spec.columns);
    let mut values = Vec::with_capacity(rows.kept * spec.columns);
    matrix.read(check, |index, row| {
        if let Some(column) = row.iter().position(|value| value.is_infinite()) {
            let (path, value) = (path.clone(), row[column]);
            return Err(Error::InfiniteFeature { path, row: index + 1, column: named(column), value });
        }
        in_file.iter_mut().zip(row).for_each(|(seen, value)| *seen |= !value.is_nan());
        if let Some(owner) = rows.owners[index] {
            ranges.add(row);
            values.extend_from_slice(row);
            space.nodes.push(owner.node);
            space.rows.push(index as u64 + 1);
        }
        Ok(())
    })?;
    if let Some(column) = in_file.iter().position(|seen| !seen) {
        return Err(Error::EmptyFeature { path, column: named(column), rows: rows.owners.len() });
    }
    space.values = values;
    space.bounds = ranges.bounds;
    builder.counts.constant_columns += space.bounds.iter().filter(|[low, high]| low == high).count();
    builder.counts.emptied_columns += space.bounds.iter().filter(|[low, _]| low.is_nan()).count();
    Ok(())
}

/// Numbers the batches of the kept rows.
fn read_batches(spec: &SpaceSpec, table: &Table, space: &mut Space) -> Result<()> {
    let Some(column) = &spec.batch else { return Ok(()) };
    let column = table.column(column)?;
    let mut names = Vec::with_capacity(space.len());
    for row in &space.rows {
        let row = *row as usize - 1;
        let name = table.text(row, column);
        if name.is_empty() {
            let (cell, value) = (Box::new(table.cell(row, column)), String::new());
            return Err(Error::WrongCell { cell, value, expected: "the name of a batch" });
        }
        names.push(name);
    }
    let numbers: BTreeMap<&str, u32> =
        names.iter().copied().collect::<BTreeSet<_>>().into_iter().zip(0..).collect();
    space.batches = names.iter().map(|name| numbers[name]).collect();
    space.batch_names = numbers.keys().map(ToString::to_string).collect();
    Ok(())
}

/// Reads the number of cells behind each kept row.
fn read_cell_counts(spec: &SpaceSpec, table: &Table, space: &mut Space) -> Result<()> {
    let Some(column) = &spec.cell_count else { return Ok(()) };
    let column = table.column(column)?;
    for row in &space.rows {
        let row = *row as usize - 1;
        let text = table.text(row, column);
        let count = if text.is_empty() { Some(f32::NAN) } else { text.parse().ok() };
        let Some(count) = count.filter(|count: &f32| count.is_nan() || (count.is_finite() && *count >= 0.0))
        else {
            let (cell, value) = (Box::new(table.cell(row, column)), text.to_owned());
            return Err(Error::WrongCell { cell, value, expected: "a number of cells, or nothing" });
        };
        space.cell_counts.push(count);
    }
    Ok(())
}

/// The names of a matrix's columns, one per line of `file`.
fn column_names(builder: &Builder<'_>, spec: &SpaceSpec, file: &str) -> Result<Vec<String>> {
    let path = builder.path(file);
    let text = fs_err::read_to_string(&path)?;
    let names: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    if names.len() == spec.columns {
        return Ok(names);
    }
    let other = format!("the manifest says that the columns of {} are", spec.name);
    Err(Error::MatrixShape { path, what: "lines", got: names.len(), other, expected: spec.columns })
}

/// The genes that a space's columns stand for.
struct GeneColumns<'a> {
    /// `[columns]`: gene ids.
    ids: Vec<String>,
    spec: &'a ColumnGenes,
    table: Table,
    /// `[columns]`: the gene's row in `table`.
    rows: Vec<usize>,
}

fn gene_columns<'a>(
    builder: &Builder<'_>,
    spec: &SpaceSpec,
    genes: &'a ColumnGenes,
) -> Result<GeneColumns<'a>> {
    let table = builder.table(&genes.file)?;
    let gene = table.column(&genes.gene)?;
    let place = genes.column.as_deref().map(|column| table.column(column)).transpose()?;
    if table.rows() != spec.columns {
        let other = format!("the manifest says that the columns of {} are", spec.name);
        let path = builder.path(&genes.file);
        return Err(Error::MatrixShape {
            path,
            what: "rows",
            got: table.rows(),
            other,
            expected: spec.columns,
        });
    }
    let mut rows: Vec<Option<usize>> = vec![None; spec.columns];
    for row in 0..table.rows() {
        let Some(column) = place else {
            rows[row] = Some(row);
            continue;
        };
        let text = table.text(row, column);
        let free = text.parse::<usize>().ok().filter(|place| rows.get(*place) == Some(&None));
        let Some(free) = free else {
            let (cell, value) = (Box::new(table.cell(row, column)), text.to_owned());
            let expected = "the number of a column, from 0, that no other row has";
            return Err(Error::WrongCell { cell, value, expected });
        };
        rows[free] = Some(row);
    }
    let rows: Vec<usize> = rows.into_iter().flatten().collect();
    let ids = rows.iter().map(|row| super::nodes::gene_id(table.text(*row, gene)).to_owned()).collect();
    Ok(GeneColumns { ids, spec: genes, table, rows })
}

/// Joins molecules to the genes with the largest absolute values, taken before scaling.
fn join_top(
    builder: &mut Builder<'_>,
    space: &Space,
    molecules: &[u64],
    genes: &GeneColumns<'_>,
    links: &mut Links<'_>,
) -> Result<()> {
    let column = genes.table.column(&genes.spec.gene)?;
    let mut nodes = Vec::with_capacity(space.columns);
    for (id, row) in genes.ids.iter().zip(&genes.rows) {
        let node = links.gene(id);
        if node.is_none() && genes.spec.unknown == Unknown::Error {
            return Err(unknown(&genes.table, *row, column, NodeKind::Gene));
        }
        nodes.push(node);
    }
    let top = Top::new(&space.values, genes.spec.top_share);
    let mut ties = top.ties;
    for (index, value) in space.values.iter().enumerate() {
        let size = value.abs();
        if !(size > top.threshold || (size == top.threshold && ties > 0)) {
            continue;
        }
        if size == top.threshold {
            ties -= 1;
        }
        match nodes[index % space.columns] {
            Some(gene) => {
                let weight = weight(size, top.unit);
                links.join(molecules[index / space.columns], gene, weight, EdgeKind::Regulates);
            }
            None => builder.counts.edges_without_node += 1,
        }
    }
    Ok(())
}

/// Selects the largest absolute values.
#[derive(Debug, PartialEq)]
struct Top {
    /// Larger values are taken.
    threshold: f32,
    /// Number of values equal to the threshold that are also taken, in row and column order.
    ties: usize,
    /// The size that gets weight 1.
    unit: f32,
}

impl Top {
    fn new(values: &[f32], share: f64) -> Self {
        let mut sizes: Vec<f32> =
            values.iter().filter(|value| !value.is_nan()).map(|value| value.abs()).collect();
        let count = (sizes.len() as f64 * share) as usize;
        if count == 0 {
            return Self { threshold: f32::INFINITY, ties: 0, unit: 0.0 };
        }
        let (above, threshold, _) =
            sizes.select_nth_unstable_by(count - 1, |one, other| other.total_cmp(one));
        let threshold = *threshold;
        let larger = above.iter().filter(|size| **size > threshold).count();
        sizes.truncate(count);
        Self { threshold, ties: count - larger, unit: unit(&mut sizes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_is_a_share_of_the_values_there_are() {
        let values = [1.0, -5.0, f32::NAN, 3.0, -3.0, 0.0, 2.0, f32::NAN, 3.0, 1.0];
        // Eight values: 5, 3, 3, 3, 2, 1, 1, 0.
        assert_eq!(Top::new(&values, 0.375), Top { threshold: 3.0, ties: 2, unit: 5.0 });
        assert_eq!(Top::new(&values, 0.125), Top { threshold: 5.0, ties: 1, unit: 5.0 });
        assert_eq!(Top::new(&values, 0.12).ties, 0);
        assert_eq!(Top::new(&[], 0.5).threshold, f32::INFINITY);
    }
}
