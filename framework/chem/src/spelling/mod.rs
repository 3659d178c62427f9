//! The grammar of SMILES, checked before the library reads them.
//!
//! The library's own reader is lenient: it reads empty components (`C..C`), empty branches (`C()C`), rings that close on
//! their own atom (`C11`) and chirality outside brackets (`C@`), and makes something of them. It also refuses some of
//! what `RDKit` reads: a dot inside a branch, a doubled backslash, labels like `%(5)`, elements like `[#6]`. What a row
//! means must not depend on that, so every SMILES first passes this check, which follows `RDKit`'s grammar token by
//! token and names what is wrong. What `RDKit` and the library spell differently is spelled again here, and atom-map
//! numbers, which say nothing about the molecule, are left out. The library sees only the result.

mod bracket;
mod grammar;
mod lexer;
mod rings;
mod write;

use std::borrow::Cow;

use chematic_core::{AtomIdx, Molecule, RenumberError, STEREO_VACANT_SENTINEL};
use lexer::Token;

use crate::ParseError;

/// A SMILES as the library is to read it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Spelling<'a> {
    /// The SMILES, spelled again where need be.
    pub(crate) text: Cow<'a, str>,
    /// `[atoms]`: the place in `text` of each atom as written; `None` if the order is the same.
    pub(crate) order: Option<Vec<u32>>,
    /// What the library's grammar cannot say of an atom.
    pub(crate) repairs: Vec<Repair>,
}

/// A charge or number of hydrogens of more than two digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repair {
    /// The atom, counted from 0 as written.
    pub(crate) atom: u32,
    /// Its charge.
    pub(crate) charge: i8,
    /// Its hydrogens.
    pub(crate) hydrogens: u8,
}

/// Why a text is no SMILES.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `RDKit` refuses it, too.
    Syntax(String),
    /// `RDKit` reads it, but the library cannot be made to.
    Unsupported(String),
}

impl Fault {
    /// The error about a SMILES, which is already shortened.
    pub(crate) fn into_error(self, smiles: String) -> ParseError {
        match self {
            Self::Syntax(reason) => ParseError::Syntax { smiles, reason },
            Self::Unsupported(reason) => ParseError::Unsupported { smiles, reason },
        }
    }
}

/// Branches may be nested this deep, because the library reads them recursively.
const MAX_DEPTH: usize = 500;

impl Spelling<'_> {
    /// Gives the library's molecule of `text` the order of the atoms as written, and what the text could not say.
    pub(crate) fn restore(&self, read: Molecule) -> Result<Molecule, RenumberError> {
        let mut molecule = match &self.order {
            Some(order) => renumbered(read, order)?,
            None => read,
        };
        for repair in &self.repairs {
            molecule.set_charge(AtomIdx(repair.atom), repair.charge);
            molecule.set_hydrogen_count(AtomIdx(repair.atom), Some(repair.hydrogens));
        }
        Ok(molecule)
    }
}

/// The molecule with its atom `order[i]` as atom i.
fn renumbered(mut molecule: Molecule, order: &[u32]) -> Result<Molecule, RenumberError> {
    let mut places = vec![0; order.len()];
    for (place, atom) in order.iter().enumerate() {
        places[*atom as usize] = place as u32;
    }
    // The library cannot renumber the vacant sites of square-planar and other centres, so those are taken out.
    let mut vacant = Vec::new();
    for atom in order {
        let frame = molecule.stereo_neighbor_order(AtomIdx(*atom)).unwrap_or_default();
        if frame.contains(&STEREO_VACANT_SENTINEL) {
            let mapped = frame.iter().map(|other| places.get(*other as usize).copied().unwrap_or(*other));
            vacant.push((AtomIdx(places[*atom as usize]), mapped.collect()));
            molecule.set_stereo_neighbor_order(AtomIdx(*atom), Vec::new());
        }
    }
    let order: Vec<AtomIdx> = order.iter().map(|atom| AtomIdx(*atom)).collect();
    let mut molecule = molecule.renumber_atoms(&order)?;
    for (atom, frame) in vacant {
        molecule.set_stereo_neighbor_order(atom, frame);
    }
    Ok(molecule)
}

/// Checks a SMILES without blanks and spells it as the library needs it.
///
/// Takes a stack of fixed size, and time that grows with the length (with its square for many open rings).
pub(crate) fn respell(smiles: &str) -> Result<Spelling<'_>, Fault> {
    let syntax = |reason: String| Fault::Syntax(reason + escape_hint(smiles));
    let mut tokens = lexer::tokens(smiles).map_err(syntax)?;
    let mut shape = grammar::check(&tokens).map_err(syntax)?;
    let rings_changed = rings::pair(&mut tokens).map_err(syntax)?;
    let mut changed = rings_changed || tokens.iter().any(Token::is_respelled);
    if shape.depth > MAX_DEPTH {
        write::drop_needless_branches(&mut tokens);
        shape = grammar::check(&tokens).map_err(syntax)?;
        changed = true;
    }
    if shape.depth > MAX_DEPTH {
        return Err(Fault::Unsupported(format!("branches are nested more than {MAX_DEPTH} deep")));
    }
    let repairs = lexer::repairs(&tokens);
    if shape.dot_in_branch {
        let (text, order) = write::with_components_apart(tokens);
        return Ok(Spelling { text: text.into(), order: Some(order), repairs });
    }
    let text = if changed { write::text(&tokens).into() } else { smiles.into() };
    Ok(Spelling { text, order: None, repairs })
}

/// The characters of SMILES that URLs escape.
const URL_ESCAPES: [&str; 13] =
    ["%20", "%23", "%25", "%28", "%29", "%2B", "%2F", "%3A", "%3D", "%40", "%5B", "%5C", "%5D"];

/// What to say about a text that looks as if another format had escaped it.
fn escape_hint(smiles: &str) -> &'static str {
    let has = |part: &str| smiles.contains(part);
    let upper = smiles.to_ascii_uppercase();
    if has("\\/") || has("\\\\") || has("\\u") || has("\\x") || has("\\\"") || has("\\n") || has("\\t") {
        "; the backslashes look like escapes (as in JSON): undo the escaping"
    } else if has("&") && has(";") {
        "; `&...;` looks like an escape of HTML or XML: undo the escaping"
    } else if has("\"") || has("'") || has("`") {
        "; it holds quotation marks: remove them"
    } else if URL_ESCAPES.iter().any(|escape| upper.contains(escape)) {
        "; `%` and two digits may be an escape of a URL: undo the escaping"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests;
