//! Tokens of a SMILES.

use std::borrow::Cow;

use super::{Repair, bracket};

/// A token and the byte at which it begins.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) at: usize,
    pub(super) kind: Kind<'a>,
}

#[derive(Clone, Debug)]
pub(super) enum Kind<'a> {
    /// An atom as the library reads it, and the values that it cannot read.
    Atom(Cow<'a, str>, Option<(i8, u8)>),
    /// A bond, as the library reads it.
    Bond(Cow<'a, str>),
    /// A ring closure: the label, whether the library reads its spelling, and its bond (see [`super::rings`]).
    Ring {
        label: u32,
        plain: bool,
        bond: Option<Cow<'a, str>>,
    },
    Open,
    Close,
    Dot,
}

impl Token<'_> {
    /// Whether the library needs another spelling than that of the text.
    pub(super) fn is_respelled(&self) -> bool {
        match &self.kind {
            Kind::Atom(text, _) | Kind::Bond(text) => matches!(text, Cow::Owned(_)),
            Kind::Ring { plain, bond, .. } => !plain || matches!(bond, Some(Cow::Owned(_))),
            Kind::Open | Kind::Close | Kind::Dot => false,
        }
    }
}

/// The values to set after reading, by atom.
pub(super) fn repairs(tokens: &[Token<'_>]) -> Vec<Repair> {
    let atoms = tokens.iter().filter_map(|token| match &token.kind {
        Kind::Atom(_, repair) => Some(*repair),
        _ => None,
    });
    let repair = |(atom, values): (usize, Option<(i8, u8)>)| {
        values.map(|(charge, hydrogens)| Repair { atom: atom as u32, charge, hydrogens })
    };
    atoms.enumerate().filter_map(repair).collect()
}

/// Cuts a SMILES into tokens.
pub(super) fn tokens(smiles: &str) -> Result<Vec<Token<'_>>, String> {
    let mut tokens = Vec::with_capacity(smiles.len());
    let mut at = 0;
    while at < smiles.len() {
        let rest = &smiles[at..];
        let (kind, length) = match rest.as_bytes()[0] {
            b'[' => bracket::atom(rest, at)?,
            b'(' => (Kind::Open, 1),
            b')' => (Kind::Close, 1),
            b'.' => (Kind::Dot, 1),
            b'0'..=b'9' | b'%' => ring(rest, at)?,
            _ => match atom_or_bond(rest) {
                Some(found) => found,
                None => return Err(unexpected(rest, at)),
            },
        };
        push(&mut tokens, Token { at, kind });
        at += length;
    }
    Ok(tokens)
}

/// Adds a token. A bond before a ring closure becomes the closure's.
fn push<'a>(tokens: &mut Vec<Token<'a>>, mut token: Token<'a>) {
    if let Kind::Ring { bond, .. } = &mut token.kind
        && let Some(Token { kind: Kind::Bond(_), .. }) = tokens.last()
        && let Some(Token { kind: Kind::Bond(before), .. }) = tokens.pop()
    {
        *bond = Some(before);
    }
    tokens.push(token);
}

fn atom_or_bond(rest: &str) -> Option<(Kind<'_>, usize)> {
    let kind = match rest.as_bytes() {
        // A doubled backslash is an escaped one, and RDKit reads it as one.
        [b'\\', b'\\', ..] => return Some((Kind::Bond(Cow::Owned("\\".to_owned())), 2)),
        [b'C', b'l', ..] | [b'B', b'r', ..] => return Some((Kind::Atom(rest[..2].into(), None), 2)),
        [b'-', b'>', ..] | [b'<', b'-', ..] => return Some((Kind::Bond(rest[..2].into()), 2)),
        [first, ..] if b"BCNOPSFI*bcnops".contains(first) => Kind::Atom(rest[..1].into(), None),
        [b'-' | b'=' | b'#' | b'$' | b':' | b'~' | b'/' | b'\\', ..] => Kind::Bond(rest[..1].into()),
        _ => return None,
    };
    Some((kind, 1))
}

fn unexpected(rest: &str, at: usize) -> String {
    let shown = rest.chars().next().unwrap_or_default().escape_debug();
    let why = match rest.as_bytes()[0] {
        b'>' | b'<' => "; arrows are of reactions",
        b'@' => "; chirality is written inside brackets",
        b']' => "; no bracket is open",
        b'|' => "; a CXSMILES extension follows a blank",
        b if b.is_ascii_alphabetic() => "; it is no atom outside brackets",
        _ => "",
    };
    format!("unexpected character '{shown}' at position {at}{why}")
}

/// `1`, `%12` or `%(123)` with one to five digits.
fn ring(rest: &str, at: usize) -> Result<(Kind<'_>, usize), String> {
    let fault = || format!("ring closure at position {at} needs one digit, % and two digits or %(...)");
    let digits_of = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, length) = match rest.as_bytes() {
        [b'%', b'(', ..] => {
            let count = digits_of(&rest[2..]);
            if !(1..=5).contains(&count) || rest.as_bytes().get(2 + count) != Some(&b')') {
                return Err(fault());
            }
            (&rest[2..2 + count], count + 3)
        }
        [b'%', b'1'..=b'9', b'0'..=b'9', ..] => (&rest[1..3], 3),
        [b'0'..=b'9', ..] => (&rest[..1], 1),
        _ => return Err(fault()),
    };
    let label = digits.parse().map_err(|_| fault())?;
    let plain = length <= 3 && !rest.starts_with("%(");
    Ok((Kind::Ring { label, plain, bond: None }, length))
}
