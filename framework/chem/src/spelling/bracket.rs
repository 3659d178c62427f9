//! Atoms in brackets: `[` isotope, element, chirality, hydrogens, charge, `:` map number `]`.

use std::borrow::Cow;

use chematic_core::Element;

use super::lexer::Kind;

/// `RDKit` refuses greater numbers.
const MAX_NUMBER: u64 = 2_147_483_639;

/// The aromatic elements.
const AROMATIC: [&str; 10] = ["as", "se", "si", "te", "b", "c", "n", "o", "p", "s"];

/// Names of elements before they had one, and the atomic numbers.
const SYSTEMATIC: [(&str, u8); 9] = [
    ("Uun", 110),
    ("Uuu", 111),
    ("Uub", 112),
    ("Uut", 113),
    ("Uuq", 114),
    ("Uup", 115),
    ("Uuh", 116),
    ("Uus", 117),
    ("Uuo", 118),
];

/// The greatest numbers of the classes of chirality.
const CLASSES: [(&str, u64); 5] = [("TH", 2), ("AL", 2), ("SP", 3), ("TB", 20), ("OH", 30)];

/// The greatest atomic number. `RDKit` gives an ion the valences of the element with as many electrons, unless it is a
/// metal, and refuses an atom without such an element.
const MAX_ELECTRONS: u32 = 118;

/// What stands in the brackets.
struct Parts<'a> {
    isotope: Option<u64>,
    element: Cow<'a, str>,
    chirality: &'a str,
    hydrogens: Option<u64>,
    /// The charge without its sign, and whether it is negative.
    charge: Option<(u64, bool)>,
    map: bool,
}

/// A cursor in the brackets; `at` counts from the beginning of the SMILES.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

/// Reads the atom at the beginning of `rest`, which starts with `[` at byte `at` of the SMILES.
pub(super) fn atom(rest: &str, at: usize) -> Result<(Kind<'_>, usize), String> {
    let Some(end) = rest.find(']') else {
        return Err(format!("the bracket that opens at position {at} is not closed"));
    };
    let inside = &rest[1..end];
    if inside.is_empty() {
        return Err(format!("empty brackets at position {at}"));
    }
    let mut cursor = Cursor { text: inside, at: at + 1 };
    let parts = parts(&mut cursor).map_err(|reason| format!("atom [{}]: {reason}", shown(inside)))?;
    if !cursor.text.is_empty() {
        let place = cursor.at;
        let found = shown(cursor.text);
        return Err(format!("atom [{}]: '{found}' is out of place at position {place}", shown(inside)));
    }
    if parts.electrons() > MAX_ELECTRONS {
        return Err(format!("atom [{}]: the charge is too large", shown(inside)));
    }
    Ok((parts.kind(&rest[..=end]), end + 1))
}

fn shown(text: &str) -> String {
    crate::text::shorten(text, 20, "...").escape_debug().to_string()
}

fn parts<'a>(cursor: &mut Cursor<'a>) -> Result<Parts<'a>, String> {
    let isotope = cursor.number("isotope")?;
    let element = cursor.element()?;
    // RDKit knows no chirality of `H`.
    let chirality = if matches!(element, Cow::Borrowed("H")) { "" } else { cursor.chirality()? };
    let hydrogens =
        if cursor.skip("H") { Some(cursor.number("number of hydrogens")?.unwrap_or(1)) } else { None };
    let charge = cursor.charge()?;
    let map = cursor.skip(":");
    if map && cursor.number("atom-map number")?.is_none() {
        return Err("the atom-map number is missing after ':'".to_owned());
    }
    Ok(Parts { isotope, element, chirality, hydrogens, charge, map })
}

impl<'a> Cursor<'a> {
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.text.split_at(bytes);
        self.text = rest;
        self.at += bytes;
        taken
    }

    fn skip(&mut self, prefix: &str) -> bool {
        let found = self.text.starts_with(prefix);
        if found {
            self.take(prefix.len());
        }
        found
    }

    /// A number without leading zeros, if there is one.
    fn number(&mut self, what: &str) -> Result<Option<u64>, String> {
        let digits = self.text.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Ok(None);
        }
        let text = self.take(digits);
        if text.len() > 1 && text.starts_with('0') {
            return Err(format!("the {what} begins with 0"));
        }
        let number = text.parse().ok().filter(|number| *number <= MAX_NUMBER);
        number.map(Some).ok_or_else(|| format!("the {what} is too large"))
    }

    fn element(&mut self) -> Result<Cow<'a, str>, String> {
        if self.skip("#") {
            return self.atomic_number();
        }
        if self.text.starts_with('*') {
            return Ok(self.take(1).into());
        }
        if let Some(symbol) = AROMATIC.iter().find(|symbol| self.text.starts_with(**symbol)) {
            return Ok(self.take(symbol.len()).into());
        }
        if let Some((name, number)) = SYSTEMATIC.iter().find(|(name, _)| self.text.starts_with(name)) {
            self.take(name.len());
            return symbol(u64::from(*number));
        }
        if let Some((quoted, _)) = self.text.strip_prefix('\'').and_then(|rest| rest.split_once('\'')) {
            // RDKit reads the elements from 104 in quotation marks, too.
            if Element::from_symbol(quoted).is_some_and(|element| element.atomic_number() >= 104) {
                self.take(quoted.len() + 2);
                return Ok(quoted.into());
            }
        }
        for length in [2, 1] {
            let known = |symbol: &str| {
                symbol.starts_with(|c: char| c.is_ascii_uppercase()) && Element::from_symbol(symbol).is_some()
            };
            if self.text.get(..length).is_some_and(known) {
                return Ok(self.take(length).into());
            }
        }
        Err(format!("unknown element at position {}", self.at))
    }

    fn atomic_number(&mut self) -> Result<Cow<'a, str>, String> {
        let number = self.number("atomic number")?.ok_or("the atomic number is missing after '#'")?;
        if number == 0 { Ok(Cow::Owned("*".to_owned())) } else { symbol(number) }
    }

    /// `@`, `@@` or a class with its number.
    fn chirality(&mut self) -> Result<&'a str, String> {
        let before = self.text;
        if !self.skip("@") {
            return Ok("");
        }
        if let Some((class, most)) = CLASSES.iter().find(|(class, _)| self.text.starts_with(class)) {
            self.take(class.len());
            let number = self.number("number of the chirality class")?;
            if number.is_some_and(|number| number == 0 || number > *most) {
                return Err(format!("the chirality class @{class} goes from 1 to {most}"));
            }
        } else {
            self.skip("@");
        }
        Ok(&before[..before.len() - self.text.len()])
    }

    /// `+`, `++`, `+2` and the like.
    fn charge(&mut self) -> Result<Option<(u64, bool)>, String> {
        for (sign, negative) in [("+", false), ("-", true)] {
            if self.skip(sign) {
                let number = if self.skip(sign) { 2 } else { self.number("charge")?.unwrap_or(1) };
                return Ok(Some((number, negative)));
            }
        }
        Ok(None)
    }
}

fn symbol<'a>(number: u64) -> Result<Cow<'a, str>, String> {
    let element = u8::try_from(number).ok().and_then(Element::from_atomic_number);
    element
        .map(|element| Cow::Owned(element.symbol().to_owned()))
        .ok_or_else(|| format!("no element has the atomic number {number}"))
}

impl Parts<'_> {
    /// As `RDKit` keeps it, in 8 bits.
    fn charge(&self) -> i8 {
        self.charge.map_or(0, |(number, negative)| {
            let number = number as i8;
            if negative { number.wrapping_neg() } else { number }
        })
    }

    /// Electrons of a negative ion of a non-metal; 0 for others.
    fn electrons(&self) -> u32 {
        if self.charge() >= 0 {
            return 0;
        }
        let mut symbol = self.element.to_string();
        if let Some(first) = symbol.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let number = Element::from_symbol(&symbol).map_or(0, Element::atomic_number);
        let non_metal = matches!(number, 0 | 1 | 2 | 5..=10 | 14..=18 | 33..=36 | 52..=54 | 85 | 86);
        if non_metal { u32::from(number) + u32::from(self.charge().unsigned_abs()) } else { 0 }
    }

    /// The atom in the library's spelling. As in `RDKit`, numbers are kept in 16 (isotope) and 8 bits.
    fn kind<'a>(&self, written: &'a str) -> Kind<'a> {
        let isotope = self.isotope.map_or(0, |number| number as u16);
        let hydrogens = self.hydrogens.map_or(0, |number| number as u8);
        let charge = self.charge();
        let repair = hydrogens > 99 || charge.unsigned_abs() > 99;
        let same = |number: Option<u64>, kept: u64| number.is_none_or(|number| number == kept && number > 0);
        let is_plain = !self.map
            && !repair
            && matches!(self.element, Cow::Borrowed(_) if !written.contains('\''))
            && same(self.isotope, isotope.into())
            && same(self.hydrogens, hydrogens.into())
            && same(self.charge.map(|(number, _)| number), charge.unsigned_abs().into());
        if is_plain {
            return Kind::Atom(written.into(), None);
        }
        let mut text = String::from("[");
        if isotope > 0 {
            text += &isotope.to_string();
        }
        text += &self.element;
        text += self.chirality;
        if !repair {
            match hydrogens {
                0 => {}
                1 => text.push('H'),
                _ => text.extend(["H", &hydrogens.to_string()]),
            }
            if charge != 0 {
                text.push(if charge < 0 { '-' } else { '+' });
            }
            if charge.unsigned_abs() > 1 {
                text += &charge.unsigned_abs().to_string();
            }
        }
        text.push(']');
        Kind::Atom(text.into(), repair.then_some((charge, hydrogens)))
    }
}
