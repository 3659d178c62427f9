//! Protocol buffers, as far as ONNX files need them (onnx.proto3 of ONNX): fields are read where they lie, and only those that change
//! are written anew.

use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint};

/// Number of a model's graph.
pub(crate) const MODEL_GRAPH: u32 = 7;

/// A field of a message.
pub(crate) struct Field<'a> {
    pub(crate) number: u32,
    /// All its bytes.
    pub(crate) whole: &'a [u8],
    /// Its content: text, a message, or a number as it is written.
    pub(crate) content: &'a [u8],
}

/// The fields of a message; `None` if it is none.
pub(crate) fn fields(mut rest: &[u8]) -> Option<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let start = rest;
        let (number, kind) = decode_key(&mut rest).ok()?;
        let length = match kind {
            WireType::Varint => {
                let mut after = rest;
                decode_varint(&mut after).ok()?;
                rest.len() - after.len()
            }
            WireType::LengthDelimited => usize::try_from(decode_varint(&mut rest).ok()?).ok()?,
            WireType::ThirtyTwoBit => 4,
            WireType::SixtyFourBit => 8,
            WireType::StartGroup | WireType::EndGroup => return None,
        };
        let (content, after) = rest.split_at_checked(length)?;
        rest = after;
        fields.push(Field { number, whole: &start[..start.len() - rest.len()], content });
    }
    Some(fields)
}

/// The content of the first field with this number.
pub(crate) fn first(message: &[u8], number: u32) -> Option<&[u8]> {
    fields(message)?.into_iter().find(|field| field.number == number).map(|field| field.content)
}

/// The number that a content is.
pub(crate) fn number(mut content: &[u8]) -> Option<u64> {
    decode_varint(&mut content).ok()
}

/// Writes a field of text or of a message.
pub(crate) fn write(out: &mut Vec<u8>, number: u32, content: &[u8]) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(content.len() as u64, out);
    out.extend_from_slice(content);
}

/// An ONNX file whose graph's fields `change` writes anew; `None` keeps a field as it is. `None` if the bytes are no model.
pub(crate) fn with_graph(
    model: &[u8],
    mut change: impl FnMut(&Field<'_>) -> Option<Vec<u8>>,
) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(model.len());
    for part in fields(model)? {
        if part.number != MODEL_GRAPH {
            out.extend_from_slice(part.whole);
            continue;
        }
        let mut graph = Vec::with_capacity(part.content.len());
        for part in fields(part.content)? {
            match change(&part) {
                Some(content) => write(&mut graph, part.number, &content),
                None => graph.extend_from_slice(part.whole),
            }
        }
        write(&mut out, part.number, &graph);
    }
    Some(out)
}
