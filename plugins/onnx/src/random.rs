//! Weights that nobody trained: the control that a file's have to beat.

use prost::encoding::decode_varint;
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{Rng, SeedableRng},
};

use crate::message::{fields, number, with_graph, write};

/// Numbers of fields.
mod field {
    pub(super) const GRAPH_INITIALIZER: u32 = 5;
    pub(super) const TENSOR_DIMENSION: u32 = 1;
    pub(super) const TENSOR_TYPE: u32 = 2;
    pub(super) const TENSOR_FLOATS: u32 = 4;
    pub(super) const TENSOR_BYTES: u32 = 9;
}

/// `TensorProto.DataType.FLOAT`.
const FLOAT: u64 = 1;

/// The model with each matrix of its weights drawn anew: uniform numbers with the standard deviation of those that are there. Vectors
/// stay, because a file does not say which are scales of norms. `None` if the bytes are no model or have no matrix.
pub(crate) fn weights(model: &[u8], seed: u64) -> Option<Vec<u8>> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut drawn = 0;
    let out = with_graph(model, |part| {
        let tensor =
            (part.number == field::GRAPH_INITIALIZER).then(|| redrawn(part.content, &mut random)).flatten();
        drawn += usize::from(tensor.is_some());
        tensor
    })?;
    (drawn > 0).then_some(out)
}

/// How many numbers stand one after the other.
fn numbers(mut content: &[u8]) -> Option<usize> {
    let mut count = 0;
    while !content.is_empty() {
        decode_varint(&mut content).ok()?;
        count += 1;
    }
    Some(count)
}

/// The tensor with other values, if it is a matrix of floats.
fn redrawn(tensor: &[u8], random: &mut Xoshiro256PlusPlus) -> Option<Vec<u8>> {
    let parts = fields(tensor)?;
    let content = |wanted: u32| parts.iter().find(|part| part.number == wanted).map(|part| part.content);
    let dimensions = parts.iter().filter(|part| part.number == field::TENSOR_DIMENSION);
    let dimensions: usize = dimensions.map(|part| numbers(part.content)).sum::<Option<usize>>()?;
    if number(content(field::TENSOR_TYPE)?)? != FLOAT || dimensions < 2 {
        return None;
    }
    let values = content(field::TENSOR_BYTES).or_else(|| content(field::TENSOR_FLOATS))?;
    let values: Vec<f64> =
        values.as_chunks().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect();
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    let bound = (3.0 * variance).sqrt();
    let unit = |random: &mut Xoshiro256PlusPlus| (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
    let bytes: Vec<u8> =
        values.iter().flat_map(|_| (((2.0 * unit(random) - 1.0) * bound) as f32).to_le_bytes()).collect();
    let mut out = Vec::with_capacity(tensor.len());
    for part in parts {
        if part.number != field::TENSOR_BYTES && part.number != field::TENSOR_FLOATS {
            out.extend_from_slice(part.whole);
        }
    }
    write(&mut out, field::TENSOR_BYTES, &bytes);
    Some(out)
}

#[cfg(test)]
mod tests {
    use prost::encoding::{WireType, encode_key};

    use super::*;

    fn integer(out: &mut Vec<u8>, of: u32, value: u8) {
        encode_key(of, WireType::Varint, out);
        out.push(value);
    }

    fn tensor(dimensions: &[u8], kind: u8, values: &[f32], in_bytes: bool) -> Vec<u8> {
        let mut out = Vec::new();
        for &dimension in dimensions {
            integer(&mut out, 1, dimension);
        }
        integer(&mut out, 2, kind);
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        write(&mut out, if in_bytes { 9 } else { 4 }, &bytes);
        write(&mut out, 8, b"name");
        out
    }

    fn model(tensors: &[Vec<u8>]) -> Vec<u8> {
        let (mut graph, mut out) = (Vec::new(), Vec::new());
        for tensor in tensors {
            write(&mut graph, 5, tensor);
        }
        write(&mut out, 7, &graph);
        out
    }

    fn initializers(model: &[u8]) -> Vec<Vec<u8>> {
        let graph = crate::message::first(model, 7).unwrap();
        fields(graph).unwrap().iter().map(|part| part.content.to_vec()).collect()
    }

    #[test]
    fn matrices_are_drawn_anew_with_their_deviation() {
        let values: Vec<f32> = (0..400).map(|value| 3.0 + (value % 7) as f32).collect();
        let vector = tensor(&[4], 1, &[1.0; 4], true);
        let integers = tensor(&[2, 2], 7, &[1.0; 4], true);
        for in_bytes in [true, false] {
            let made = model(&[vector.clone(), tensor(&[20, 20], 1, &values, in_bytes), integers.clone()]);
            let [kept, drawn, also_kept] = initializers(&weights(&made, 3).unwrap()).try_into().unwrap();
            assert_eq!((&kept, &also_kept), (&vector, &integers));
            let drawn: Vec<f64> = crate::message::first(&drawn, 9)
                .unwrap()
                .as_chunks()
                .0
                .iter()
                .map(|bytes| f64::from(f32::from_le_bytes(*bytes)))
                .collect();
            let mean = drawn.iter().sum::<f64>() / 400.0;
            let deviation = (drawn.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 400.0).sqrt();
            assert!(
                drawn.len() == 400 && mean.abs() < 0.3 && (deviation - 2.0).abs() < 0.2,
                "{mean} {deviation}"
            );
            assert_eq!(weights(&made, 3), weights(&made, 3));
            assert_ne!(weights(&made, 3), weights(&made, 4));
        }
        assert_eq!(weights(&model(&[vector, integers]), 3), None);
        assert_eq!(weights(b"\xff\xff", 3), None);
    }
}
