//! Edges: reading lists, weighting, and merging edges between the same nodes.

use std::collections::HashMap;

use rayon::prelude::*;

use super::build::Builder;
use super::graph::{Edge, EdgeKind, NodeKind};
use super::manifest::{EdgeEnd, EdgeList, Unknown};
use super::nodes::{Genes, Molecules, Named, gene_id, unknown};
use crate::error::{Error, Result};
use crate::table::Table;

/// The quantile of the sizes that gets weight 1.
const LARGE: f64 = 0.95;

/// Nodes by id, and the edges found so far.
pub(super) struct Links<'a> {
    molecules: &'a HashMap<String, Named>,
    genes: HashMap<&'a str, u64>,
    pub(super) edges: Vec<Edge>,
}

impl<'a> Links<'a> {
    pub(super) fn new(molecules: &'a Molecules, genes: &'a Genes) -> Self {
        let first = molecules.list.len() as u64;
        let genes = (first..).zip(&genes.ids).map(|(node, id)| (id.as_str(), node)).collect();
        Self { molecules: &molecules.by_id, genes, edges: Vec::new() }
    }

    pub(super) fn molecule(&self, id: &str) -> Option<Named> {
        self.molecules.get(id).copied()
    }

    /// The node of the gene with this id.
    pub(super) fn gene(&self, id: &str) -> Option<u64> {
        self.genes.get(gene_id(id)).copied()
    }

    pub(super) fn join(&mut self, one: u64, other: u64, weight: f32, kind: EdgeKind) {
        self.edges.push(edge(one, other, weight, kind));
    }

    /// The node at one end of a listed edge; `None` if the edge is dropped, which is counted.
    fn end(
        &self,
        builder: &mut Builder<'_>,
        list: &EdgeList,
        end: &EdgeEnd,
        table: &Table,
        [row, column]: [usize; 2],
    ) -> Result<Option<u64>> {
        let id = table.text(row, column);
        let named = match end.node {
            NodeKind::Molecule => self.molecule(id),
            _ => self.gene(id).map(Named::Node),
        };
        match named {
            Some(Named::Node(node)) => return Ok(Some(node)),
            Some(Named::Left | Named::Unreadable) => builder.counts.edges_of_left_molecules += 1,
            None if list.unknown == Unknown::Skip => builder.counts.edges_without_node += 1,
            None => return Err(unknown(table, row, column, end.node)),
        }
        Ok(None)
    }
}

/// An edge with its ends in order.
pub(super) fn edge(one: u64, other: u64, weight: f32, kind: EdgeKind) -> Edge {
    Edge { source: one.min(other), target: one.max(other), weight, kind }
}

/// Adds the edges of a list.
pub(super) fn read_list(builder: &mut Builder<'_>, list: &EdgeList, links: &mut Links<'_>) -> Result<()> {
    let table = builder.table(&list.file)?;
    let (source, target) = (table.column(&list.source.column)?, table.column(&list.target.column)?);
    let column = |name: &Option<String>| name.as_deref().map(|name| table.column(name)).transpose();
    let (kind, magnitude) = (column(&list.kind_column)?, column(&list.magnitude)?);
    let mut edges = Vec::with_capacity(table.rows());
    for row in 0..table.rows() {
        let kind = match kind {
            Some(column) => kind_of(&table, row, column)?,
            None => list.kind.expect("the manifest was checked"),
        };
        let size = magnitude.map_or(Ok(1.0), |column| size_of(&table, row, column))?;
        let Some(one) = links.end(builder, list, &list.source, &table, [row, source])? else { continue };
        let Some(other) = links.end(builder, list, &list.target, &table, [row, target])? else { continue };
        edges.push(edge(one, other, size, kind));
    }
    if magnitude.is_some() {
        let mut sizes: Vec<f32> = edges.iter().map(|edge| edge.weight).collect();
        let unit = unit(&mut sizes);
        for edge in &mut edges {
            edge.weight = weight(edge.weight, unit);
        }
    }
    links.edges.extend(edges);
    Ok(())
}

/// The size that gets weight 1: the 95th percentile (nearest rank), so that a few huge values do not push all
/// other weights towards 0; the largest size if the percentile is 0.
pub(super) fn unit(sizes: &mut [f32]) -> f32 {
    let Some(last) = sizes.len().checked_sub(1) else { return 0.0 };
    let rank = (sizes.len() as f64 * LARGE).ceil() as usize;
    let (_, value, above) = sizes.select_nth_unstable_by(rank.clamp(1, last + 1) - 1, f32::total_cmp);
    if *value > 0.0 { *value } else { above.iter().copied().fold(0.0, f32::max) }
}

/// An edge's weight: its size over `unit`, at most 1.
pub(super) fn weight(size: f32, unit: f32) -> f32 {
    if unit > 0.0 { (size / unit).min(1.0) } else { 0.0 }
}

fn kind_of(table: &Table, row: usize, column: usize) -> Result<EdgeKind> {
    let text = table.text(row, column);
    EdgeKind::ALL.into_iter().find(|kind| kind.to_string() == text).ok_or_else(|| Error::WrongCell {
        cell: Box::new(table.cell(row, column)),
        value: text.to_owned(),
        expected: "a kind of edge (perturbs, regulates, binds, interacts, covaries, similar)",
    })
}

fn size_of(table: &Table, row: usize, column: usize) -> Result<f32> {
    let text = table.text(row, column);
    match text.parse::<f32>() {
        Ok(number) if number.is_finite() => Ok(number.abs()),
        _ => Err(Error::WrongCell {
            cell: Box::new(table.cell(row, column)),
            value: text.to_owned(),
            expected: "a finite number",
        }),
    }
}

/// The edges, sorted by source and target. Of several edges between two nodes, the one with the largest
/// weight stays (the first kind among equal weights). Self-loops and edges of weight 0 are dropped. Dropped
/// edges are counted.
pub(super) fn merged(builder: &mut Builder<'_>, mut edges: Vec<Edge>) -> Vec<Edge> {
    let before = edges.len();
    edges.retain(|edge| edge.source != edge.target && edge.weight > 0.0);
    builder.counts.void_edges += before - edges.len();
    let before = edges.len();
    builder.pool.install(|| {
        edges.par_sort_unstable_by(|one, other| {
            let nodes = (one.source, one.target).cmp(&(other.source, other.target));
            nodes.then(other.weight.total_cmp(&one.weight)).then(one.kind.cmp(&other.kind))
        });
    });
    edges.dedup_by_key(|edge| (edge.source, edge.target));
    builder.counts.repeated_edges += before - edges.len();
    edges.shrink_to_fit();
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_huge_value_does_not_decide_the_weights() {
        let sizes: Vec<f32> = (1..=19).map(|size| size as f32).chain([1000.0]).collect();
        let unit = unit(&mut sizes.clone());
        assert_eq!(unit, 19.0);
        assert_eq!((weight(9.5, unit), weight(1000.0, unit)), (0.5, 1.0));
        assert_eq!(super::unit(&mut [3.0]), 3.0);
        assert_eq!(super::unit(&mut [0.0; 30]), 0.0);
        assert_eq!(weight(0.0, 0.0), 0.0);
        let mut mostly_zero = [0.0; 40];
        mostly_zero[7] = 2.0;
        assert_eq!(super::unit(&mut mostly_zero), 2.0);
        assert_eq!(super::unit(&mut []), 0.0);
    }
}
