//! Sums over rows, made fast: `ScatterElements` becomes `ScatterND` where both mean the same.
//!
//! Exporters write the sum of messages at their receivers, `[e, d]` into `[n, d]`, as `ScatterElements` with the receivers' numbers
//! expanded to `[e, d]`. ONNX Runtime then looks up a place for each number. `ScatterND` takes the receivers, `[e, 1]`, and adds rows.
//! For `MiniMol` it takes 3 % of the time, and `ScatterElements` 41 %.

use std::collections::{HashMap, HashSet};

use crate::message::{Field, MODEL_GRAPH, fields, first, number, with_graph, write};

/// Numbers of fields.
mod field {
    pub(super) const GRAPH_NODE: u32 = 1;
    pub(super) const GRAPH_VALUE: u32 = 13;
    pub(super) const NODE_INPUT: u32 = 1;
    pub(super) const NODE_OUTPUT: u32 = 2;
    pub(super) const NODE_OPERATOR: u32 = 4;
    pub(super) const NODE_ATTRIBUTE: u32 = 5;
    pub(super) const ATTRIBUTE_NAME: u32 = 1;
    pub(super) const ATTRIBUTE_INTEGER: u32 = 3;
    pub(super) const VALUE_NAME: u32 = 1;
    pub(super) const VALUE_TYPE: u32 = 2;
    pub(super) const TYPE_TENSOR: u32 = 1;
    pub(super) const TENSOR_SHAPE: u32 = 2;
    pub(super) const SHAPE_DIMENSION: u32 = 1;
    pub(super) const DIMENSION_VALUE: u32 = 1;
}

/// The name of a value of the shape `[…, 1]` with two dimensions.
fn column(value: &[u8]) -> Option<&[u8]> {
    let tensor = first(first(value, field::VALUE_TYPE)?, field::TYPE_TENSOR)?;
    let shape = fields(first(tensor, field::TENSOR_SHAPE)?)?;
    let dimensions: Vec<&Field<'_>> =
        shape.iter().filter(|part| part.number == field::SHAPE_DIMENSION).collect();
    let [_, last] = dimensions.as_slice() else { return None };
    let is_one = number(first(last.content, field::DIMENSION_VALUE)?) == Some(1);
    if is_one { first(value, field::VALUE_NAME) } else { None }
}

/// A node's operator.
fn operator<'a>(node: &[Field<'a>]) -> Option<&'a [u8]> {
    node.iter().find(|part| part.number == field::NODE_OPERATOR).map(|part| part.content)
}

/// A node's inputs, in order.
fn inputs<'a>(node: &[Field<'a>]) -> Vec<&'a [u8]> {
    node.iter().filter(|part| part.number == field::NODE_INPUT).map(|part| part.content).collect()
}

fn is_axis(attribute: &[u8]) -> bool {
    first(attribute, field::ATTRIBUTE_NAME) == Some(b"axis")
}

/// The node as `ScatterND`, if that means the same: along the first axis, with numbers that `expanded` has made of a column.
fn scatter_rows(node: &[Field<'_>], expanded: &HashMap<&[u8], &[u8]>) -> Option<Vec<u8>> {
    if operator(node)? != b"ScatterElements" {
        return None;
    }
    let rows = *expanded.get(inputs(node).get(1)?)?;
    let along_rows = |part: &Field<'_>| {
        let axis = first(part.content, field::ATTRIBUTE_INTEGER);
        part.number != field::NODE_ATTRIBUTE
            || !is_axis(part.content)
            || axis.is_none_or(|axis| number(axis) == Some(0))
    };
    if !node.iter().all(along_rows) {
        return None;
    }
    let (mut out, mut input) = (Vec::new(), 0);
    for part in node {
        match part.number {
            field::NODE_INPUT => {
                write(&mut out, part.number, if input == 1 { rows } else { part.content });
                input += 1;
            }
            field::NODE_OPERATOR => write(&mut out, part.number, b"ScatterND"),
            field::NODE_ATTRIBUTE if is_axis(part.content) => {}
            _ => out.extend_from_slice(part.whole),
        }
    }
    Some(out)
}

/// The model with `ScatterND` where it can be; `None` if it nowhere can, or if the bytes are no model.
pub(crate) fn by_rows(model: &[u8]) -> Option<Vec<u8>> {
    let parts = fields(model)?;
    let graph = fields(parts.iter().find(|part| part.number == MODEL_GRAPH)?.content)?;
    let nodes: Vec<Vec<Field<'_>>> = graph
        .iter()
        .filter(|part| part.number == field::GRAPH_NODE)
        .map(|part| fields(part.content))
        .collect::<Option<_>>()?;
    let values = graph.iter().filter(|part| part.number == field::GRAPH_VALUE);
    let columns: HashSet<&[u8]> = values.filter_map(|part| column(part.content)).collect();
    let mut expanded = HashMap::new();
    for node in nodes.iter().filter(|node| operator(node) == Some(b"Expand")) {
        let output = node.iter().find(|part| part.number == field::NODE_OUTPUT)?.content;
        if let Some(&source) = inputs(node).first().filter(|source| columns.contains(*source)) {
            expanded.insert(output, source);
        }
    }
    let changed: Vec<Option<Vec<u8>>> = nodes.iter().map(|node| scatter_rows(node, &expanded)).collect();
    if changed.iter().all(Option::is_none) {
        return None;
    }
    let mut changed = changed.into_iter();
    with_graph(model, |part| if part.number == field::GRAPH_NODE { changed.next().flatten() } else { None })
}

#[cfg(test)]
mod tests {
    use prost::encoding::{WireType, encode_key, encode_varint};

    use super::*;

    fn message(parts: &[(u32, Vec<u8>)]) -> Vec<u8> {
        let mut out = Vec::new();
        for (number, content) in parts {
            write(&mut out, *number, content);
        }
        out
    }

    fn integer(of: u32, value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        encode_key(of, WireType::Varint, &mut out);
        encode_varint(value, &mut out);
        out
    }

    fn node(operator: &str, names: [&str; 4], axis: Option<u64>) -> Vec<u8> {
        let [output, inputs @ ..] = names;
        let given = inputs.iter().filter(|name| !name.is_empty());
        let mut parts: Vec<(u32, Vec<u8>)> = given.map(|name| (1, name.as_bytes().to_vec())).collect();
        parts.push((2, output.into()));
        parts.push((4, operator.into()));
        if let Some(axis) = axis {
            let attribute = [message(&[(1, b"axis".to_vec())]), integer(3, axis)].concat();
            parts.push((5, attribute));
        }
        parts.push((5, message(&[(1, b"reduction".to_vec()), (4, b"add".to_vec())])));
        message(&parts)
    }

    fn value(name: &str, dimensions: &[Vec<u8>]) -> Vec<u8> {
        let dimensions: Vec<_> = dimensions.iter().map(|dimension| (1, dimension.clone())).collect();
        let tensor = [integer(1, 7), message(&[(2, message(&dimensions))])].concat();
        message(&[(1, name.into()), (2, message(&[(1, tensor)]))])
    }

    fn model(scatter: Vec<u8>, columns: &[Vec<u8>]) -> Vec<u8> {
        let expand = node("Expand", ["wide", "column", "shape", ""], None);
        let graph =
            message(&[(1, expand), (1, scatter), (2, b"a graph".to_vec()), (13, value("column", columns))]);
        [integer(1, 8), message(&[(7, graph), (8, b"opset".to_vec())])].concat()
    }

    #[test]
    fn rows_are_added_as_rows() {
        let open = message(&[(2, b"edges".to_vec())]);
        let one = [open.clone(), integer(1, 1)];
        let scatter = |axis| node("ScatterElements", ["sums", "zeros", "wide", "messages"], axis);
        let expected = model(node("ScatterND", ["sums", "zeros", "column", "messages"], None), &one);
        for axis in [Some(0), None] {
            assert_eq!(by_rows(&model(scatter(axis), &one)), Some(expected.clone()));
        }
        // Another axis; two columns; a shape that is not known; numbers that are not expanded.
        assert_eq!(by_rows(&model(scatter(Some(1)), &one)), None);
        assert_eq!(by_rows(&model(scatter(None), &[open.clone(), integer(1, 2)])), None);
        assert_eq!(by_rows(&model(scatter(None), &[open.clone(), open])), None);
        let other = node("ScatterElements", ["sums", "zeros", "numbers", "messages"], None);
        assert_eq!(by_rows(&model(other, &one)), None);
    }

    #[test]
    fn other_bytes_are_left_alone() {
        for bytes in [&b""[..], b"\xff\xff\xff", b"not a model", &[0x3a, 0x80]] {
            assert_eq!(by_rows(bytes), None);
        }
    }
}
