//! Shortens text for outputs.

/// Characters kept of a SMILES that is cut.
const LONGEST: usize = 200;

/// A SMILES for outputs; one over `MAX_SMILES_BYTES`, which is never parsed, is cut.
pub(crate) fn shorten_smiles(smiles: &str) -> std::borrow::Cow<'_, str> {
    match smiles.char_indices().nth(LONGEST) {
        Some((cut, _)) if smiles.len() > molarena_chem::MAX_SMILES_BYTES => {
            format!("{}...", &smiles[..cut]).into()
        }
        _ => smiles.into(),
    }
}
