//! Recognises files that are no table of text by their first bytes, so that a refusal names what they are.

/// First bytes of compressed and packed files.
const PACKED: [(&[u8], &str); 9] = [
    (b"\xfd7zXZ\0", "compressed with xz"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (b"\x04\x22\x4d\x18", "compressed with lz4"),
    (b"\x1f\x8b", "compressed with gzip twice"),
    (b"\x1f\x9d", "compressed with compress (.Z)"),
    (b"LZIP\x01", "compressed with lzip"),
    (b"\xff\x06\0\0sNaPpY", "compressed with snappy"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
];

/// First bytes of other formats, and what the format is. Some are letters that a header may begin with, so they count only
/// where control characters follow.
const FORMATS: [(&[u8], &str); 13] = [
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook (.xls)"),
    (b"PARE", "an encrypted Parquet file"),
    (b"ARROW1", "an Arrow or Feather file"),
    (b"FEA1", "a Feather file"),
    (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x03", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
];

/// First characters of other kinds of text, and what the text is.
const TEXTS: [(&[u8], &str); 5] = [
    (b"%PDF-", "a PDF document"),
    (b"{\\rtf", "an RTF document"),
    (b"@<TRIPOS>", "a MOL2 file"),
    (b"data:", "a data URL"),
    (b"-----BEGIN ", "an encrypted or signed file"),
];

/// Bytes at the start of a file that are enough to recognise its format.
const LOOKED_AT: usize = 1 << 16;

/// What a file is and what to do about it, by its first bytes after a gzip layer is taken off; `None` if they may be
/// text in UTF-8.
pub(crate) fn no_table(bytes: &[u8]) -> Option<String> {
    let start = &bytes[..bytes.len().min(LOOKED_AT)];
    if let Some(encoding) = wide_encoding(start) {
        return Some(format!("its text is {encoding}; save it as UTF-8"));
    }
    let bzip2 = start.starts_with(b"BZh") && start.get(4..10) == Some(b"1AY&SY");
    if let Some(what) = first_of(&PACKED, start).or(bzip2.then_some("compressed with bzip2")) {
        return Some(format!("it is {what}; unpack it, or compress it with gzip alone"));
    }
    if start.get(257..262) == Some(b"ustar") {
        return Some("it is a tar archive; unpack it".to_owned());
    }
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        return Some(zip(bytes));
    }
    let is_binary = || start.iter().any(|&byte| byte < b'\t' || (14..b' ').contains(&byte));
    if let Some(what) = first_of(&FORMATS, start).filter(|_| is_binary()) {
        return Some(format!("it is {what}; export it as CSV"));
    }
    if let Some(what) = first_of(&TEXTS, start) {
        return Some(format!("it is {what}; export the table as CSV"));
    }
    text_of_another_kind(start).or_else(|| nul(bytes))
}

/// The description of the format whose first bytes `start` has.
fn first_of(formats: &[(&[u8], &'static str)], start: &[u8]) -> Option<&'static str> {
    formats.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, what)| *what)
}

/// UTF-16 or UTF-32, by its mark or by where its zero bytes are.
fn wide_encoding(start: &[u8]) -> Option<&'static str> {
    const MARKS: [(&[u8], &str); 4] = [
        (b"\xff\xfe\0\0", "UTF-32 (little-endian)"),
        (b"\0\0\xfe\xff", "UTF-32 (big-endian)"),
        (b"\xff\xfe", "UTF-16 (little-endian)"),
        (b"\xfe\xff", "UTF-16 (big-endian)"),
    ];
    if let Some(encoding) = first_of(&MARKS, start) {
        return Some(encoding);
    }
    let units = start.len() / 4;
    if units == 0 {
        return None;
    }
    // The share of zero bytes at each place of four.
    let zeros =
        |place: usize| start.chunks_exact(4).filter(|unit| unit[place] == 0).count() * 10 >= units * 7;
    match [0, 1, 2, 3].map(zeros) {
        [false, true, true, true] => Some("UTF-32 (little-endian)"),
        [true, true, true, false] => Some("UTF-32 (big-endian)"),
        [false, true, false, true] => Some("UTF-16 (little-endian)"),
        [true, false, true, false] => Some("UTF-16 (big-endian)"),
        _ => None,
    }
}

fn zip(bytes: &[u8]) -> String {
    let holds = |name: &[u8]| bytes.windows(name.len()).any(|window| window == name);
    let what = if holds(b"xl/workbook") || holds(b"xl/worksheets") {
        "an Excel workbook (.xlsx); export it as CSV"
    } else if holds(b"opendocument.spreadsheet") {
        "an OpenDocument spreadsheet (.ods); export it as CSV"
    } else if holds(b"[Content_Types].xml") {
        "an Office document; export it as CSV"
    } else {
        "a zip archive; unpack it"
    };
    format!("it is {what}")
}

fn text_of_another_kind(start: &[u8]) -> Option<String> {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let text = start.trim_ascii_start();
    let lower = text[..text.len().min(512)].to_ascii_lowercase();
    let holds = |part: &[u8]| lower.windows(part.len()).any(|window| window == part);
    if text.starts_with(b"version https://git-lfs.github.com/") {
        return Some(
            "it is a Git LFS pointer, not the file itself; get the file with: git lfs pull".to_owned(),
        );
    }
    if text.starts_with(b"/annex/objects/") || text.starts_with(b"../.git/annex/objects/") {
        return Some(
            "it is a git-annex pointer, not the file itself; get the file with: git annex get".to_owned(),
        );
    }
    if text.starts_with(b"<") {
        let html = holds(b"<!doctype html") || holds(b"<html") || holds(b"<table") || holds(b"<head");
        let what = if html { "an HTML page" } else { "XML" };
        return Some(format!("it is {what}; save the table itself as CSV"));
    }
    if is_json(text) {
        return Some("it is JSON; export the table as CSV".to_owned());
    }
    is_sdf(start).then(|| "it is an SDF or MOL file; export SMILES and labels as CSV".to_owned())
}

/// JSON starts with an object, or an array of anything but an atom in brackets.
fn is_json(text: &[u8]) -> bool {
    let after = |text: &[u8]| text.get(1..).unwrap_or_default().trim_ascii_start().first().copied();
    match text.first() {
        Some(b'{') => matches!(after(text), Some(b'"' | b'}')),
        Some(b'[') => matches!(after(text), Some(b'"' | b'{' | b'[')),
        _ => false,
    }
}

/// A molecule's block has its counts on the fourth line.
fn is_sdf(start: &[u8]) -> bool {
    let mut lines = start.split(|&byte| byte == b'\n');
    let fourth = lines.nth(3).unwrap_or_default().trim_ascii_end();
    fourth.ends_with(b"V2000") || fourth.ends_with(b"V3000")
}

fn nul(bytes: &[u8]) -> Option<String> {
    let place = bytes.iter().position(|&byte| byte == 0)?;
    Some(format!("line {} has a zero byte, which is no text", line_of(bytes, place)))
}

/// Says where text is not UTF-8.
pub(crate) fn not_utf8(bytes: &[u8]) -> Option<String> {
    let place = std::str::from_utf8(bytes).err()?.valid_up_to();
    Some(format!(
        "line {} has the byte 0x{:02X}, which is not UTF-8; its text may be Latin-1 or Windows-1252; save it as UTF-8",
        line_of(bytes, place),
        bytes[place]
    ))
}

/// The line of a byte, from 1. Lines end with LF, CRLF or CR.
fn line_of(bytes: &[u8], place: usize) -> usize {
    let ends = bytes[..place].iter().enumerate();
    let ends =
        ends.filter(|&(at, &byte)| byte == b'\n' || (byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')));
    1 + ends.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn named(bytes: &[u8], name: &str) {
        let found = no_table(bytes).unwrap_or_default();
        assert!(found.contains(name), "{name}: {found:?}");
    }

    fn wide(text: &str, mark: bool, unit: fn(u32) -> Vec<u8>) -> Vec<u8> {
        let mark = if mark { "\u{feff}" } else { "" };
        [mark, text].concat().chars().flat_map(|c| unit(u32::from(c))).collect()
    }

    #[test]
    fn wide_encodings_are_named_with_and_without_a_mark() {
        let text = "smiles,y\nCC,1\n";
        for mark in [true, false] {
            let text = |unit| wide(text, mark, unit);
            named(&text(|c| (c as u16).to_le_bytes().into()), "UTF-16 (little-endian)");
            named(&text(|c| (c as u16).to_be_bytes().into()), "UTF-16 (big-endian)");
            named(&text(|c| c.to_le_bytes().into()), "UTF-32 (little-endian)");
            named(&text(|c| c.to_be_bytes().into()), "UTF-32 (big-endian)");
        }
    }

    #[test]
    fn formats_are_named() {
        named(b"BZh91AY&SY\x0c", "bzip2");
        named(b"\xfd7zXZ\0\0", "xz");
        named(b"\x28\xb5\x2f\xfd\0", "zstd");
        named(b"7z\xbc\xaf\x27\x1c\0", "7z");
        named(b"PK\x03\x04 data.csv", "zip archive");
        named(b"PK\x03\x04 [Content_Types].xml xl/workbook.xml", ".xlsx");
        named(b"PK\x03\x04 mimetypeapplication/vnd.oasis.opendocument.spreadsheet", ".ods");
        named(b"\n<!DOCTYPE html>\n<title>", "HTML");
        named(b"<?xml version=\"1.0\"?><a/>", "XML");
        named(b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS");
        named(b"[{\"smiles\": \"C\"}]", "JSON");
        named(b"{\"smiles\": [\"C\"]}", "JSON");
        named(b"ethane\n  RDKit\n\n  2  1  0  0  0  0  0  0  0  0999 V2000\n", "SDF");
        named(b"smiles,y\nC,1\nC\0,1\n", "line 3 has a zero byte");
    }

    #[test]
    fn tables_are_let_pass() {
        for text in [
            "smiles,y\nC,1\n",
            "[Na+].[Cl-],1\n",
            "[nH]1cccc1 pyrrole\n",
            "",
            "\u{feff}smiles\nC\n",
            "{C},1",
            "ORC,smiles\n",
            "PARENT,x\n",
        ] {
            assert_eq!(no_table(text.as_bytes()), None, "{text}");
        }
        assert!(not_utf8(b"smiles,y\r\nC,1\rC,\xe9\n").unwrap().starts_with("line 3 has the byte 0xE9"));
    }
}
