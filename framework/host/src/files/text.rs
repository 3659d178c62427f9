//! Text that is cut to a length.

/// The longest SMILES that outputs repeat; longer ones are no molecules and are known by their row.
const LONGEST: usize = 200;

/// The beginning of a SMILES that is too long to be one.
pub(crate) fn shorten_smiles(smiles: &str) -> std::borrow::Cow<'_, str> {
    match smiles.char_indices().nth(LONGEST) {
        Some((cut, _)) if smiles.len() > molarena_chem::MAX_SMILES_BYTES => {
            format!("{}...", &smiles[..cut]).into()
        }
        _ => smiles.into(),
    }
}
