//! Writing tokens as the library reads them.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::lexer::{Kind, Token};

/// The SMILES of the tokens.
pub(super) fn text(tokens: &[Token<'_>]) -> String {
    tokens.iter().fold(String::new(), |mut text, token| {
        push(&mut text, token);
        text
    })
}

fn push(text: &mut String, token: &Token<'_>) {
    match &token.kind {
        Kind::Atom(atom, _) => text.push_str(atom),
        Kind::Bond(bond) => text.push_str(bond),
        Kind::Ring { label, bond, .. } => {
            text.push_str(bond.as_deref().unwrap_or_default());
            let written = match label {
                0..=9 => write!(text, "{label}"),
                10..=99 => write!(text, "%{label}"),
                _ => write!(text, "%({label})"),
            };
            written.expect("writing to a string does not fail");
        }
        Kind::Open => text.push('('),
        Kind::Close => text.push(')'),
        Kind::Dot => text.push('.'),
    }
}

/// Removes the parentheses of branches after which their atom has nothing more: `C(C(C))` is `CCC`.
pub(super) fn drop_needless_branches(tokens: &mut Vec<Token<'_>>) {
    let mut partners = HashMap::new();
    let mut open = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Open => open.push(index),
            Kind::Close => drop(open.pop().map(|opened| partners.insert(index, opened))),
            _ => {}
        }
    }
    let mut kept = vec![true; tokens.len()];
    let mut nothing_follows = true;
    for index in (0..tokens.len()).rev() {
        match tokens[index].kind {
            Kind::Close if nothing_follows => {
                for place in [Some(index), partners.get(&index).copied()].into_iter().flatten() {
                    kept[place] = false;
                }
            }
            // Inside a branch that stays, nothing follows before its end either.
            Kind::Close | Kind::Dot => nothing_follows = true,
            Kind::Open if !kept[index] => {}
            _ => nothing_follows = false,
        }
    }
    let mut kept = kept.into_iter();
    tokens.retain(|_| kept.next().unwrap_or(true));
}

/// The SMILES with the components that begin inside branches moved behind the others, and the place there of each atom
/// as written.
///
/// Ring closures get labels of their own, in `RDKit`'s order of closing, because moving changes which ends are next to
/// each other.
pub(super) fn with_components_apart(mut tokens: Vec<Token<'_>>) -> (String, Vec<u32>) {
    number_closures(&mut tokens);
    let mut parts: Vec<(String, Vec<u32>)> = vec![Default::default()];
    let (mut current, mut branches, mut atoms) = (0, Vec::new(), 0);
    for token in &tokens {
        match token.kind {
            Kind::Open => branches.push(current),
            Kind::Close => current = branches.pop().unwrap_or_default(),
            Kind::Dot if !branches.is_empty() => {
                current = parts.len();
                parts.push(Default::default());
                continue;
            }
            Kind::Atom(..) => {
                parts[current].1.push(atoms);
                atoms += 1;
            }
            _ => {}
        }
        push(&mut parts[current].0, token);
    }
    let texts: Vec<&str> = parts.iter().map(|(text, _)| text.as_str()).collect();
    let moved = parts.iter().flat_map(|(_, atoms)| atoms);
    let mut places = vec![0; atoms as usize];
    for (place, atom) in moved.enumerate() {
        places[*atom as usize] = place as u32;
    }
    (texts.join("."), places)
}

/// Gives every pair of ring closures a label of its own, ordered by the old label and then as written.
fn number_closures(tokens: &mut [Token<'_>]) {
    let mut open: HashMap<u32, usize> = HashMap::new();
    let mut pairs = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if let Kind::Ring { label, .. } = token.kind {
            match open.remove(&label) {
                None => drop(open.insert(label, index)),
                Some(opening) => pairs.push((label, opening, index)),
            }
        }
    }
    pairs.sort_unstable();
    for (number, (_, opening, closing)) in pairs.into_iter().enumerate() {
        for index in [opening, closing] {
            if let Kind::Ring { label, .. } = &mut tokens[index].kind {
                *label = 100 + number as u32;
            }
        }
    }
}
