//! Ring closures: pairs of labels, and the bond of each pair.

use super::lexer::{Kind, Token};

/// A ring closure that waits for its partner.
#[derive(Clone, Copy)]
struct Half {
    token: usize,
    atom: usize,
}

/// Checks that each ring closure has a partner that is another atom without a bond to this one, and leaves one bond where
/// two disagree. Returns whether bonds were left out.
pub(super) fn pair(tokens: &mut [Token<'_>]) -> Result<bool, String> {
    if !tokens.iter().any(|token| matches!(token.kind, Kind::Ring { .. })) {
        return Ok(false);
    }
    let mut open: Vec<(u32, Half)> = Vec::new();
    let mut closures = Vec::new();
    // The atom before each atom in its chain.
    let mut chain: Vec<Option<usize>> = Vec::with_capacity(tokens.len());
    let (mut branches, mut last) = (Vec::new(), None);
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Atom(..) => {
                chain.push(last);
                last = Some(chain.len() - 1);
            }
            Kind::Open => branches.push(last),
            Kind::Close => last = branches.pop().flatten(),
            Kind::Dot => last = None,
            Kind::Bond(_) => {}
            Kind::Ring { label, .. } => {
                let half = Half { token: index, atom: last.unwrap_or_default() };
                match open.iter().position(|(other, _)| *other == label) {
                    None => open.push((label, half)),
                    Some(place) => closures.push((label, open.swap_remove(place).1, half)),
                }
            }
        }
    }
    refuse_repeated_bonds(tokens, &chain, &closures)?;
    if let Some((label, _)) = open.iter().min_by_key(|(label, _)| *label) {
        let end = tokens.last().map_or(0, |token| token.at + 1);
        return Err(format!("unmatched ring closure {label} at position {end}"));
    }
    Ok(closures
        .iter()
        .fold(false, |changed, (_, one, other)| agree(tokens, one.token, other.token) | changed))
}

fn refuse_repeated_bonds(
    tokens: &[Token<'_>],
    chain: &[Option<usize>],
    closures: &[(u32, Half, Half)],
) -> Result<(), String> {
    let mut pairs = Vec::with_capacity(closures.len());
    for (label, one, other) in closures {
        let at = tokens[other.token].at;
        let (first, second) = (one.atom.min(other.atom), one.atom.max(other.atom));
        if first == second {
            return Err(format!("ring closure {label} at position {at} bonds an atom to itself"));
        }
        if chain[second] == Some(first) {
            return Err(repeated(*label, at));
        }
        pairs.push((first, second, at, *label));
    }
    pairs.sort_unstable();
    let same = |pair: &&[(usize, usize, usize, u32)]| (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1);
    pairs.windows(2).find(same).map_or(Ok(()), |pair| Err(repeated(pair[1].3, pair[1].2)))
}

fn repeated(label: u32, at: usize) -> String {
    format!("ring closure {label} at position {at} bonds two atoms that are bonded already")
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
