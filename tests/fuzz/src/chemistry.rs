//! SMILES.

use molarena_chem::{Graphs, Molecule, Morgan, morgan_counts};

/// One SMILES: every feature of what is read can be computed, and its canonical SMILES is the same molecule.
pub fn smiles(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let molecule = match Molecule::parse(&text) {
        Ok(molecule) => molecule,
        Err(error) => return crate::check_message(&error),
    };
    let atoms = molecule.atoms();
    assert_eq!(
        *Graphs::new(std::slice::from_ref(&molecule)).atom_ptr.last().expect("an offset"),
        atoms as i64
    );
    let morgan = Morgan::new(2, 1024, false).expect("a sound spec");
    assert_eq!(molecule.morgan(&morgan).len(), 16);
    let _ = (morgan_counts(&molecule, &morgan), molecule.scaffold(true), molecule.scaffold(false));
    assert_eq!(molecule.descriptors().len(), molarena_chem::DESCRIPTOR_NAMES.len());
    let canonical = molecule.canonical_smiles(true);
    if canonical.len() > molarena_chem::MAX_SMILES_BYTES {
        return;
    }
    match Molecule::parse(&canonical) {
        Ok(again) => {
            assert_eq!(again.atoms(), atoms, "{text} became {canonical}");
            assert_eq!(again.identity(), molecule.identity(), "{text} became {canonical}");
        }
        Err(error) => panic!("{text} became {canonical}: {error}"),
    }
}
