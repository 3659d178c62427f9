//! Ring closures: pairs of labels, and the bond of each pair.

use std::collections::{HashMap, HashSet};

use super::lexer::{Kind, Token};

/// A ring closure that waits for its partner.
struct Half {
    token: usize,
    atom: usize,
}

/// Moves the bonds before ring closures into them, checks that each closure has a partner that is another atom without
/// a bond to this one, and leaves one bond where two disagree. Returns whether bonds were left out.
pub(super) fn pair(tokens: &mut Vec<Token<'_>>) -> Result<bool, String> {
    if !tokens.iter().any(|token| matches!(token.kind, Kind::Ring { .. })) {
        return Ok(false);
    }
    join_bonds(tokens);
    let mut open: HashMap<u32, Half> = HashMap::new();
    let mut bonded = HashSet::new();
    let mut closures = Vec::new();
    let (mut atoms, mut branches, mut last) = (0, Vec::new(), None);
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Atom(..) => {
                if let Some(last) = last {
                    bonded.insert((last, atoms));
                }
                last = Some(atoms);
                atoms += 1;
            }
            Kind::Open => branches.push(last),
            Kind::Close => last = branches.pop().flatten(),
            Kind::Dot => last = None,
            Kind::Bond(_) => {}
            Kind::Ring { label, .. } => {
                let atom = last.unwrap_or_default();
                match open.remove(&label) {
                    None => drop(open.insert(label, Half { token: index, atom })),
                    Some(half) => closures.push((label, token.at, half, Half { token: index, atom })),
                }
            }
        }
    }
    for (label, at, one, other) in &closures {
        if one.atom == other.atom {
            return Err(format!("ring closure {label} at position {at} bonds an atom to itself"));
        }
        if !bonded.insert((one.atom, other.atom)) {
            return Err(format!(
                "ring closure {label} at position {at} bonds two atoms that are bonded already"
            ));
        }
    }
    if let Some(label) = open.keys().min() {
        let end = tokens.last().map_or(0, |token| token.at + 1);
        return Err(format!("unmatched ring closure {label} at position {end}"));
    }
    Ok(closures
        .iter()
        .fold(false, |changed, (_, _, one, other)| agree(tokens, one.token, other.token) | changed))
}

/// Puts each bond that stands before a ring closure into the closure.
fn join_bonds(tokens: &mut Vec<Token<'_>>) {
    let mut kept: Vec<Token<'_>> = Vec::with_capacity(tokens.len());
    for mut token in tokens.drain(..) {
        if let Kind::Ring { bond, .. } = &mut token.kind
            && let Some(Token { kind: Kind::Bond(text), .. }) = kept.last()
        {
            *bond = Some(text.clone());
            kept.pop();
        }
        kept.push(token);
    }
    *tokens = kept;
}

/// Leaves one bond where the two ends of a closure name different ones, and returns whether any was left out.
fn agree(tokens: &mut [Token<'_>], opening: usize, closing: usize) -> bool {
    let (first, second) = (bond_of(tokens, opening), bond_of(tokens, closing));
    if first == second && matches!(first, None | Some("-" | "=" | "#" | "$" | ":")) {
        return false;
    }
    let keep = kept(first, second);
    let mut changed = false;
    for (index, keep) in [opening, closing].into_iter().zip(keep) {
        if let Kind::Ring { bond, .. } = &mut tokens[index].kind
            && bond.is_some()
            && !keep
        {
            *bond = None;
            changed = true;
        }
    }
    changed
}

/// Which of the bonds at the opening and the closing end of a closure count for `RDKit`.
///
/// The opening one does, unless there is none; but `/` and `\` give way to an order such as `=`, and `-` and `~` give
/// way to them. The bond `~` at a closure says nothing.
fn kept(opening: Option<&str>, closing: Option<&str>) -> [bool; 2] {
    let directed = |bond| matches!(bond, Some("/" | "\\"));
    let weak = |bond| matches!(bond, Some("-" | "~"));
    let opening_counts = match (opening, closing) {
        (None, _) => false,
        (_, None) => true,
        (one, other) if directed(one) => weak(other),
        (one, other) => !(weak(one) && directed(other)),
    };
    [opening_counts && opening != Some("~"), !opening_counts && closing != Some("~")]
}

fn bond_of<'t>(tokens: &'t [Token<'_>], index: usize) -> Option<&'t str> {
    match &tokens[index].kind {
        Kind::Ring { bond, .. } => bond.as_deref(),
        _ => None,
    }
}
