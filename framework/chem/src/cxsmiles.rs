//! Where a SMILES ends, and the `CXSMILES` extension that may follow it.

use crate::spelling::Fault;
use crate::text::shorten;

/// `RDKit` does not ignore this one at the ends.
const DELETE: char = '\u{7f}';

/// The SMILES at the beginning of a text, and what follows the first blank.
///
/// As in `RDKit`: a blank at the very beginning separates nothing, bytes that are not visible ASCII are ignored at both
/// ends, and the SMILES ends with its line.
pub(crate) fn split(text: &str) -> (&str, &str) {
    let (structure, rest) = match text.find([' ', '\t']) {
        Some(blank) if blank > 0 => (&text[..blank], text[blank..].trim()),
        _ => (text, ""),
    };
    let structure = structure.trim_matches(|c: char| !c.is_ascii_graphic() && c != DELETE);
    (structure.split_once('\n').map_or(structure, |(line, _)| line), rest)
}

/// Checks that what follows a SMILES is a name, or an extension that leaves the molecule as it is: atom labels and
/// values, properties, plane coordinates and groups of stereocentres.
///
/// `RDKit` applies the others (radicals, bonds, geometry of bonds, coordinates in space), so they are refused.
pub(crate) fn check(rest: &str) -> Result<(), Fault> {
    let Some(rest) = rest.strip_prefix('|') else {
        return Ok(());
    };
    let Some((extension, _)) = rest.split_once('|') else {
        return Err(Fault::Syntax("the CXSMILES extension after it has no second '|'".to_owned()));
    };
    let mut left = extension;
    loop {
        left = left.trim_start_matches([',', ' ']);
        if left.is_empty() {
            return Ok(());
        }
        left = harmless(left).ok_or_else(|| {
            let shown = shorten(left, 20, "...");
            Fault::Unsupported(format!("its CXSMILES extension `{shown}` may change the molecule"))
        })?;
    }
}

/// What follows the section at the beginning of `text`, if that section is known to change nothing.
fn harmless(text: &str) -> Option<&str> {
    if let Some(inside) = text.strip_prefix('$') {
        let (labels, left) = inside.split_once('$')?;
        // Labels such as `Q_e` and `X_p` make an atom a wildcard.
        let plain = |label: &str| !label.ends_with("_e") && !label.ends_with("_p");
        return (labels.starts_with("_AV:") || labels.split(';').all(plain)).then_some(left);
    }
    if let Some(inside) = text.strip_prefix('(') {
        let (points, left) = inside.split_once(')')?;
        let flat = |point: &str| point.split(',').nth(2).is_none_or(|z| z.trim().is_empty());
        return points.split(';').all(flat).then_some(left);
    }
    if let Some(inside) = text.strip_prefix("atomProp:") {
        let (properties, left) = inside.split_once(',').unwrap_or((inside, ""));
        let whole = |property: &str| {
            let parts: Vec<&str> = property.split('.').collect();
            parts.len() == 3 && is_number(parts[0])
        };
        return properties.split(':').all(whole).then_some(left);
    }
    if let Some(left) = text.strip_prefix('r').filter(|left| left.is_empty() || left.starts_with(',')) {
        return Some(left);
    }
    stereo_group(text)
}

/// `a:1,2`, `o1:1,2` or `&1:1,2`.
fn stereo_group(text: &str) -> Option<&str> {
    let (head, atoms) = text.split_once(':')?;
    let number = head.strip_prefix(['o', '&']);
    if !(head == "a" || number.is_some_and(is_number)) {
        return None;
    }
    let end = atoms.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(atoms.len());
    let (listed, left) = atoms.split_at(end);
    let whole = left.is_empty() || listed.ends_with(',');
    (whole && listed.trim_end_matches(',').split(',').all(is_number)).then_some(left)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() < 10 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smiles_ends_at_the_first_blank_or_with_its_line() {
        for (text, parts) in [
            ("CC", ("CC", "")),
            ("CC name", ("CC", "name")),
            ("CC\t|r|", ("CC", "|r|")),
            (" CC", ("CC", "")),
            ("\u{feff}CC\r\n", ("CC", "")),
            ("C\nN name", ("C", "name")),
            (" \t ", ("", "")),
            // A blank at the beginning separates nothing, so the name stays part of it and is refused.
            (" CC name", ("CC name", "")),
        ] {
            assert_eq!(split(text), parts, "{text:?}");
        }
    }

    #[test]
    fn extensions_that_change_nothing_are_read() {
        for rest in [
            "",
            "a name | with bars |",
            "||",
            "|$a;b$|",
            "|$a;b$,r|",
            "|$_AV:1;2$| name",
            "|(0,0,;1,0,),$;$|",
            "|atomProp:0.a.b:1.c.d,r|",
            "|a:1|",
            "|o1:1,2,&12:3,r|",
        ] {
            assert_eq!(check(rest), Ok(()), "{rest:?}");
        }
    }

    #[test]
    fn others_are_named() {
        for (rest, named) in [
            ("|^1:0|", "^1:0"),
            ("|$Q_e;$|", "$Q_e;$"),
            ("|(0,0,0;1,0,1)|", "(0,0,0;1,0,1)"),
            ("|a:1,wU:1.0|", "wU:1.0"),
            ("|atomProp:0|", "atomProp:0"),
            ("|c:1|", "c:1"),
            ("|o1:x|", "o1:x"),
            ("|rb:0:*|", "rb:0:*"),
            ("|foo|", "foo"),
        ] {
            let reason = format!("its CXSMILES extension `{named}` may change the molecule");
            assert_eq!(check(rest), Err(Fault::Unsupported(reason)), "{rest:?}");
        }
        assert!(matches!(check("|$a;b$"), Err(Fault::Syntax(_))));
    }
}
