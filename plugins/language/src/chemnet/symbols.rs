//! The symbols of a SMILES as `ChemNet` reads it.

/// Places of a row.
pub(super) const LENGTH: usize = 350;

/// The symbols; `X` stands for any other.
const SYMBOLS: [&str; 35] = [
    "C", "N", "O", "H", "F", "Cl", "P", "B", "Br", "S", "I", "Si", "#", "(", ")", "+", "-", "1", "2", "3",
    "4", "5", "6", "7", "8", "=", "[", "]", "@", "c", "n", "o", "s", "X", ".",
];

/// Number of symbols.
pub(super) const COUNT: usize = SYMBOLS.len();
const OTHER: usize = COUNT - 2;
const END: usize = COUNT - 1;

/// The number of the symbol at each place, and the end after the last. As in the reference, only what stands before the first `.` is
/// read, and what does not fit is cut off; whether it fits.
pub(super) fn symbols(smiles: &str) -> (Vec<usize>, bool) {
    let component = smiles.split('.').next().unwrap_or_default();
    let characters: Vec<char> = component.chars().collect();
    let (mut found, mut place) = (Vec::new(), 0);
    while place < characters.len() && found.len() < LENGTH - 1 {
        let two = characters.get(place + 1).is_some_and(|next| "ril".contains(*next));
        let end = place + if two { 2 } else { 1 };
        let symbol: String = characters[place..end].iter().collect();
        found.push(SYMBOLS.iter().position(|known| *known == symbol).unwrap_or(OTHER));
        place = end;
    }
    found.push(END);
    (found, place == characters.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_two_letters_are_one_symbol() {
        let names = |smiles: &str| -> Vec<&str> {
            symbols(smiles).0.into_iter().map(|symbol| SYMBOLS[symbol]).collect()
        };
        assert_eq!(names("ClCBr"), ["Cl", "C", "Br", "."]);
        assert_eq!(names("C[Si]C"), ["C", "[", "Si", "]", "C", "."]);
        assert_eq!(names("[Li]%"), ["[", "X", "]", "X", "."]);
        assert_eq!(names("CC.O"), ["C", "C", "."]);
        assert_eq!(names(""), ["."]);
    }

    #[test]
    fn what_does_not_fit_is_cut_off() {
        assert!(symbols(&"C".repeat(349)).1);
        let (found, fits) = symbols(&"C".repeat(350));
        assert_eq!((found.len(), fits), (350, false));
        assert_eq!(found.last(), Some(&END));
    }
}
