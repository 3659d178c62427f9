//! Which token may follow which.

use super::lexer::{Kind, Token};

/// What the check found about a SMILES.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shape {
    /// The deepest nesting of branches.
    pub(super) depth: usize,
    /// Whether a branch holds a dot.
    pub(super) dot_in_branch: bool,
}

/// Checks the order of the tokens and that branches are closed.
pub(super) fn check(tokens: &[Token<'_>]) -> Result<Shape, String> {
    let mut shape = Shape::default();
    let mut open = Vec::new();
    let mut before = None;
    for token in tokens {
        let at = token.at;
        follows(before.map(|before: &Token<'_>| &before.kind), &token.kind, at)?;
        match token.kind {
            Kind::Open => {
                open.push(at);
                shape.depth = shape.depth.max(open.len());
            }
            Kind::Close if open.pop().is_none() => {
                return Err(format!("mismatched parenthesis: ')' at position {at} closes no branch"));
            }
            Kind::Dot => shape.dot_in_branch |= !open.is_empty(),
            _ => {}
        }
        before = Some(token);
    }
    match before {
        Some(Token { at, kind: Kind::Bond(bond) }) => {
            Err(format!("the bond '{bond}' at position {at} leads to no atom"))
        }
        Some(Token { at, kind: Kind::Dot }) => {
            Err(format!("an empty component after the dot at position {at}"))
        }
        _ => match open.last() {
            Some(at) => {
                Err(format!("mismatched parenthesis: the branch that opens at position {at} is not closed"))
            }
            None => Ok(shape),
        },
    }
}

/// Whether `next`, at byte `at`, may follow `before`, which is `None` at the beginning.
fn follows(before: Option<&Kind<'_>>, next: &Kind<'_>, at: usize) -> Result<(), String> {
    let reason = match (before, next) {
        (_, Kind::Atom(..))
        | (Some(Kind::Atom(..) | Kind::Ring { .. } | Kind::Close), _)
        | (Some(Kind::Open), Kind::Bond(_)) => return Ok(()),
        (None | Some(Kind::Dot), Kind::Dot) => format!("an empty component before the dot at position {at}"),
        (None, Kind::Bond(bond)) => format!("the bond '{bond}' at position {at} begins at no atom"),
        (None, Kind::Ring { .. }) => format!("the ring closure at position {at} follows no atom"),
        (None, Kind::Open) => format!("the branch at position {at} follows no atom"),
        (None, Kind::Close) => format!("mismatched parenthesis: ')' at position {at} closes no branch"),
        (Some(Kind::Bond(one)), Kind::Bond(other)) => {
            format!("two bonds, '{one}' and '{other}', in a row at position {at}")
        }
        (Some(Kind::Bond(bond)), Kind::Open) => {
            format!("the bond '{bond}' before the branch at position {at} belongs inside the branch")
        }
        (Some(Kind::Bond(one)), Kind::Ring { bond: Some(other), .. }) => {
            format!("two bonds, '{one}' and '{other}', in a row before the ring closure at position {at}")
        }
        (Some(Kind::Bond(bond)), _) => format!("the bond '{bond}' before position {at} leads to no atom"),
        (Some(Kind::Open), Kind::Close) => format!("an empty branch before position {at}"),
        (Some(Kind::Open), Kind::Dot) => format!("a branch cannot begin with the dot at position {at}"),
        (Some(Kind::Open), Kind::Ring { .. }) => {
            format!("a branch cannot begin with a ring closure (position {at})")
        }
        (Some(Kind::Open), Kind::Open) => format!("a branch cannot begin with the branch at position {at}"),
        (Some(Kind::Dot), _) => format!("an empty component after the dot before position {at}"),
    };
    Err(reason)
}
