//! Writes `.npz` files row by row: an uncompressed zip archive with one member `data.npy`.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use fs_err::File;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Writes a matrix `f32[rows, columns]` to disk. Equal values give equal bytes.
pub struct MatrixWriter {
    archive: ZipWriter<BufWriter<File>>,
    left: usize,
}

impl MatrixWriter {
    /// Begins a matrix `[rows, columns]`.
    ///
    /// # Errors
    /// The file cannot be written; the error names it.
    pub fn create(path: &Path, rows: usize, columns: usize) -> io::Result<Self> {
        let mut archive = ZipWriter::new(BufWriter::new(File::create(path)?));
        let cells = rows * columns;
        // No clock and no compression: the bytes depend on nothing but the numbers.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644)
            .large_file(cells as u64 * 4 >= u64::from(u32::MAX) - 1_024);
        archive.start_file("data.npy", options).map_err(io::Error::from)?;
        archive.write_all(&npy_header(rows, columns))?;
        Ok(Self { archive, left: cells })
    }

    /// Adds the next values, row by row.
    ///
    /// # Errors
    /// The file cannot be written; the error names it.
    ///
    /// # Panics
    /// If there are more values than the matrix has.
    pub fn write(&mut self, values: &[f32]) -> io::Result<()> {
        self.left = self.left.checked_sub(values.len()).expect("no more values than were announced");
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.archive.write_all(&bytes)
    }

    /// Ends the file and waits until the disk has it.
    ///
    /// # Errors
    /// The file cannot be written; the error names it.
    ///
    /// # Panics
    /// If values are missing.
    pub fn finish(self) -> io::Result<()> {
        assert_eq!(self.left, 0, "as many values as were announced");
        let mut buffer = self.archive.finish().map_err(io::Error::from)?;
        buffer.flush()?;
        buffer.get_ref().sync_all()
    }
}

/// The header of numpy's format 1.0, padded to a multiple of 64 bytes.
fn npy_header(rows: usize, columns: usize) -> Vec<u8> {
    let mut text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    let used = 10 + text.len() + 1;
    text.extend(std::iter::repeat_n(' ', used.next_multiple_of(64) - used));
    text.push('\n');
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend((text.len() as u16).to_le_bytes());
    header.extend(text.as_bytes());
    header
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npz");
        let mut writer = MatrixWriter::create(&path, 2, 3).unwrap();
        writer.write(&[1.0, 2.0, 3.0]).unwrap();
        writer.write(&[-1.0, 0.5, f32::MAX]).unwrap();
        writer.finish().unwrap();
        let mut archive = zip::ZipArchive::new(File::open(&path).unwrap()).unwrap();
        let mut bytes = Vec::new();
        archive.by_name("data.npy").unwrap().read_to_end(&mut bytes).unwrap();
        let header = npy_header(2, 3);
        assert!(header.len().is_multiple_of(64) && bytes.starts_with(&header));
        let values: Vec<f32> = bytes[header.len()..]
            .chunks(4)
            .map(|value| f32::from_le_bytes(value.try_into().unwrap()))
            .collect();
        assert_eq!(values, [1.0, 2.0, 3.0, -1.0, 0.5, f32::MAX]);
    }
}
