//! Reading numpy matrices row by row: a zip archive (`.npz`) with a member `data.npy`, compressed or not.

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use fs_err::File;
use zip::ZipArchive;

use crate::error::{Error, Result};

/// The member that holds the matrix.
const MEMBER: &str = "data.npy";
/// The longest header that is read; numpy writes 118 bytes.
const MAX_HEADER: usize = 1 << 16;

/// Number format of a matrix file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    /// 32-bit floats.
    Single,
    /// 64-bit floats, rounded to 32 bits.
    Double,
}

impl Number {
    fn bytes(self) -> usize {
        match self {
            Self::Single => 4,
            Self::Double => 8,
        }
    }
}

/// Number format and shape from a numpy header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    number: Number,
    rows: usize,
    columns: usize,
}

/// A matrix `f32[rows, columns]` in a file.
pub struct MatrixFile {
    path: PathBuf,
    archive: ZipArchive<BufReader<File>>,
}

impl MatrixFile {
    /// Opens an archive.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::BadMatrix`].
    pub fn open(path: &Path) -> Result<Self> {
        let bad = |error: zip::result::ZipError| bad(path, error.to_string());
        let archive = ZipArchive::new(BufReader::with_capacity(1 << 18, File::open(path)?)).map_err(bad)?;
        Ok(Self { path: path.to_owned(), archive })
    }

    /// Calls `check` with the numbers of rows and columns, then `each` with the index and values of every
    /// row.
    ///
    /// # Errors
    /// [`Error::BadMatrix`] for another format or an early end, and what `check` and `each` return.
    pub fn read(
        mut self,
        check: impl FnOnce(usize, usize) -> Result<()>,
        mut each: impl FnMut(usize, &[f32]) -> Result<()>,
    ) -> Result<()> {
        let path = &self.path;
        let mut member =
            self.archive.by_name(MEMBER).map_err(|error| bad(path, format!("{MEMBER}: {error}")))?;
        let mut read = |buffer: &mut [u8]| {
            member.read_exact(buffer).map_err(|error| bad(path, format!("it is cut or damaged ({error})")))
        };
        let header = read_header(&mut read, |reason| bad(path, reason))?;
        check(header.rows, header.columns)?;
        let width = header.number.bytes();
        let mut bytes = vec![0_u8; header.columns * width];
        let mut row = Vec::with_capacity(header.columns);
        for index in 0..header.rows {
            read(&mut bytes)?;
            row.clear();
            row.extend(bytes.chunks_exact(width).map(|bytes| decode(bytes, header.number)));
            each(index, &row)?;
        }
        // Reaching the end makes the archive compare its checksum.
        match member.read(&mut [0_u8]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(bad(path, "it is longer than its header says".to_owned())),
            Err(error) => Err(bad(path, format!("it is cut or damaged ({error})"))),
        }
    }
}

fn decode(bytes: &[u8], number: Number) -> f32 {
    match number {
        Number::Single => f32::from_le_bytes(bytes.try_into().expect("chunks of four bytes")),
        Number::Double => f64::from_le_bytes(bytes.try_into().expect("chunks of eight bytes")) as f32,
    }
}

fn bad(path: &Path, reason: String) -> Error {
    Error::BadMatrix { path: path.to_owned(), reason }
}

/// Rows, columns and values, row-major, of the bytes of a `.npy` file with 32-bit floats.
///
/// Memory is in proportion to the bytes, whatever shape the header states.
///
/// # Errors
/// What is wrong with the bytes, in words that follow the file's name.
pub fn read_npy(bytes: &[u8]) -> Result<(usize, usize, Vec<f32>), String> {
    let mut rest = bytes;
    let mut read = |buffer: &mut [u8]| rest.read_exact(buffer).map_err(|_| "its header is cut".to_owned());
    let Header { number, rows, columns } = read_header(&mut read, |reason| reason)?;
    if number != Number::Single {
        return Err("its numbers are <f8, not <f4".to_owned());
    }
    let expected = rows * columns * number.bytes();
    if rest.len() != expected {
        let found = rest.len();
        return Err(format!(
            "its shape ({rows}, {columns}) needs {expected} bytes after the header, it has {found}"
        ));
    }
    Ok((rows, columns, rest.chunks_exact(number.bytes()).map(|bytes| decode(bytes, number)).collect()))
}

/// Reads what stands before the numbers; `wrong` makes an error of a reason.
fn read_header<E>(
    read: &mut impl FnMut(&mut [u8]) -> Result<(), E>,
    wrong: impl Fn(String) -> E,
) -> Result<Header, E> {
    let mut start = [0_u8; 8];
    read(&mut start)?;
    if !start.starts_with(b"\x93NUMPY") {
        return Err(wrong("it is not in numpy's format".to_owned()));
    }
    let length = if start[6] == 1 {
        let mut length = [0_u8; 2];
        read(&mut length)?;
        usize::from(u16::from_le_bytes(length))
    } else {
        let mut length = [0_u8; 4];
        read(&mut length)?;
        u32::from_le_bytes(length) as usize
    };
    if length > MAX_HEADER {
        return Err(wrong(format!("its header has {length} bytes")));
    }
    let mut text = vec![0_u8; length];
    read(&mut text)?;
    parse_header(&String::from_utf8_lossy(&text)).map_err(wrong)
}

/// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
fn parse_header(text: &str) -> Result<Header, String> {
    let after = |key: &str| {
        let (_, rest) = text.split_once(key).ok_or_else(|| format!("its header has no {key}"))?;
        Ok::<_, String>(rest.trim_start_matches([':', ' ']))
    };
    let descr = after("'descr'")?;
    let number = match descr.trim_start_matches('\'').split('\'').next() {
        Some("<f4") => Number::Single,
        Some("<f8") => Number::Double,
        other => return Err(format!("its numbers are {}, not <f4 or <f8", other.unwrap_or_default())),
    };
    if !after("'fortran_order'")?.starts_with("False") {
        return Err("it is stored by columns (fortran_order)".to_owned());
    }
    let shape = after("'shape'")?;
    let inner = shape.trim_start_matches('(').split(')').next().unwrap_or_default();
    let sizes: Vec<usize> = inner
        .split(',')
        .map(str::trim)
        .filter(|size| !size.is_empty())
        .map(|size| size.parse().map_err(|_| format!("its shape is ({inner})")))
        .collect::<Result<_, String>>()?;
    match sizes[..] {
        // A shape this large cannot be a file's.
        [rows, columns] if rows.max(1).checked_mul(columns.max(1)).is_some_and(|cells| cells < 1 << 48) => {
            Ok(Header { number, rows, columns })
        }
        _ => Err(format!("its shape is ({inner}), not (rows, columns)")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::write::SimpleFileOptions;

    use super::*;

    fn npz(member: &str, header: &str, body: &[u8], compressed: bool) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut archive = zip::ZipWriter::new(file.reopen().unwrap());
        let method =
            if compressed { zip::CompressionMethod::Deflated } else { zip::CompressionMethod::Stored };
        archive.start_file(member, SimpleFileOptions::default().compression_method(method)).unwrap();
        archive.write_all(b"\x93NUMPY\x01\x00").unwrap();
        archive.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
        archive.write_all(header.as_bytes()).unwrap();
        archive.write_all(body).unwrap();
        archive.finish().unwrap();
        file
    }

    fn read(file: &tempfile::NamedTempFile) -> Result<Vec<Vec<f32>>> {
        let mut rows = Vec::new();
        MatrixFile::open(file.path())?.read(
            |_, _| Ok(()),
            |index, row| {
                assert_eq!(index, rows.len());
                rows.push(row.to_vec());
                Ok(())
            },
        )?;
        Ok(rows)
    }

    fn singles(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    const HEADER: &str = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n";

    #[test]
    fn npy_bytes_are_as_many_as_their_header_says() {
        let npy = |header: &str, body: &[u8]| {
            let length = (header.len() as u16).to_le_bytes();
            [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), body].concat()
        };
        let body = singles(&[1.0, 2.0, 3.0, -1.0, 0.5, f32::MAX]);
        let good = npy(HEADER, &body);
        assert_eq!(read_npy(&good).unwrap(), (2, 3, vec![1.0, 2.0, 3.0, -1.0, 0.5, f32::MAX]));
        assert_eq!(read_npy(&npy(&HEADER.replace("2, 3", "2, 0"), &[])).unwrap(), (2, 0, Vec::new()));
        let shape = |shape: &str| npy(&HEADER.replace("2, 3", shape), &body);
        let later = [b"\x93NUMPY\x02\x00\xff\xff\xff\xff", HEADER.as_bytes()].concat();
        for (bytes, part) in [
            (shape("1099511627776, 1"), "needs 4398046511104 bytes after the header, it has 24"),
            (shape("0, 18446744073709551615"), "its shape is"),
            (shape("9223372036854775808, 2"), "its shape is"),
            (shape("2, 2"), "needs 16 bytes after the header, it has 24"),
            (npy(&HEADER.replace("<f4", "<f8"), &body), "its numbers are <f8"),
            (good[..good.len() - 1].to_vec(), "needs 24 bytes after the header, it has 23"),
            (good[..20].to_vec(), "its header is cut"),
            (later, "its header has 4294967295 bytes"),
            (b"PK".to_vec(), "its header is cut"),
        ] {
            let reason = read_npy(&bytes).unwrap_err();
            assert!(reason.contains(part), "{reason}");
        }
    }

    #[test]
    fn compressed_stored_and_double_matrices_are_read_by_rows() {
        let body = singles(&[1.0, 2.0, 3.0, -1.0, 0.5, f32::MAX]);
        let expected = vec![vec![1.0, 2.0, 3.0], vec![-1.0, 0.5, f32::MAX]];
        for compressed in [true, false] {
            assert_eq!(read(&npz(MEMBER, HEADER, &body, compressed)).unwrap(), expected);
        }
        let body: Vec<u8> = [0.1_f64, -2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }\n";
        assert_eq!(read(&npz(MEMBER, header, &body, true)).unwrap(), [[0.1, -2.0]]);
    }

    #[test]
    fn other_formats_and_lengths_are_named() {
        let body = singles(&[0.0; 6]);
        let cases = [
            (MEMBER, HEADER.replace("<f4", "<i8"), body.clone(), "its numbers are <i8"),
            (MEMBER, HEADER.replace("False", "True"), body.clone(), "by columns"),
            (MEMBER, HEADER.replace("(2, 3)", "(6,)"), body.clone(), "its shape is (6,)"),
            (MEMBER, HEADER.replace("(2, 3)", "(99999999999999, 99999999999999)"), body.clone(), "its shape"),
            ("other.npy", HEADER.to_owned(), body.clone(), "data.npy: "),
            (MEMBER, HEADER.to_owned(), body[..20].to_vec(), "cut or damaged"),
            (MEMBER, HEADER.to_owned(), singles(&[0.0; 7]), "longer than"),
        ];
        for (member, header, body, part) in cases {
            let error = read(&npz(member, &header, &body, true)).unwrap_err();
            assert_eq!(error.code(), "E-DATA-037");
            assert!(error.to_string().contains(part), "{part}: {error}");
        }
        let text = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(text.path(), "not an archive").unwrap();
        assert_eq!(read(&text).unwrap_err().code(), "E-DATA-037");
    }
}
