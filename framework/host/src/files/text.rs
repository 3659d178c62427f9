//! Text of outputs.

use std::borrow::Cow;

use molarena_chem::{MAX_SMILES_BYTES, shorten};

/// Characters that outputs repeat of a SMILES that is too long to be one; it is known by its row.
const KEPT: usize = 200;

/// The SMILES, or the beginning of one that is too long to be read.
pub(crate) fn repeated(smiles: &str) -> Cow<'_, str> {
    if smiles.len() > MAX_SMILES_BYTES { shorten(smiles, KEPT, "...") } else { smiles.into() }
}
