//! Errors of this crate.

use thiserror::Error;

/// A SMILES that is not a molecule. [`ParseError::code`] is stable; the text is not.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The SMILES is empty.
    #[error("the SMILES is empty: leave the row out or fill it in")]
    Empty,

    /// The SMILES is longer than [`MAX_SMILES_BYTES`](crate::MAX_SMILES_BYTES).
    #[error(
        "SMILES \"{smiles}\" has {bytes} bytes, more than the {limit} allowed: split the molecule or leave it out"
    )]
    TooLong {
        /// The beginning of the SMILES.
        smiles: String,
        /// Its length in bytes.
        bytes: usize,
        /// The greatest allowed length in bytes.
        limit: usize,
    },

    /// The text is not SMILES.
    #[error("SMILES \"{smiles}\" cannot be read: {reason}; check for a cut or mistyped string")]
    Syntax {
        /// The SMILES, shortened.
        smiles: String,
        /// The parser's message.
        reason: String,
    },

    /// The text is SMILES, but `RDKit`'s sanitising would refuse the molecule for a valence or an aromatic system.
    #[error(
        "SMILES \"{smiles}\" is not a sound molecule: {reason}; check charges, hydrogens and aromatic atoms"
    )]
    Chemistry {
        /// The SMILES, shortened.
        smiles: String,
        /// The reason for the refusal.
        reason: String,
    },

    /// `RDKit` reads the SMILES, but this crate does not: see [`Molecule::parse`](crate::Molecule::parse).
    #[error("SMILES \"{smiles}\" is not supported: {reason}; write it as a plain molecule")]
    Unsupported {
        /// The SMILES, shortened.
        smiles: String,
        /// What is not supported.
        reason: String,
    },

    /// The library failed on this input. This is a defect, but it concerns this row only.
    #[error(
        "SMILES \"{smiles}\" makes the chemistry library fail: {reason}; please report it and leave the row out"
    )]
    Internal {
        /// The SMILES, shortened.
        smiles: String,
        /// The panic's message.
        reason: String,
    },
}

impl ParseError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "smiles_empty",
            Self::TooLong { .. } => "smiles_too_long",
            Self::Syntax { .. } => "smiles_syntax",
            Self::Chemistry { .. } => "smiles_chemistry",
            Self::Unsupported { .. } => "smiles_unsupported",
            Self::Internal { .. } => "smiles_internal",
        }
    }
}

/// A [`Morgan`](crate::Morgan) that cannot be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MorganError {
    /// The number of bits is zero or not a multiple of 64.
    #[error("a Morgan fingerprint of {0} bits is not possible: take a multiple of 64, such as 1024 or 2048")]
    Bits(usize),
}

impl MorganError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Bits(_) => "morgan_bits",
        }
    }
}
