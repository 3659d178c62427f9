//! Prints counted fingerprints of the SMILES on standard input, one line per SMILES, as `column:count` by column. The
//! line of a refused SMILES is empty.
//!
//! `counts RADIUS BITS CHIRALITY(0|1) < smiles.txt`, for `tests/counts_vs_rdkit.py`.

use std::io::{BufWriter, Write, stdin, stdout};

use molarena_chem::{Molecule, Morgan, morgan_counts};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<usize> =
        std::env::args().skip(1).map(|text| text.parse()).collect::<Result<_, _>>()?;
    let [radius, bits, chirality] = arguments[..] else {
        return Err("usage: counts RADIUS BITS CHIRALITY(0|1) < smiles.txt".into());
    };
    let spec = Morgan::new(radius as u32, bits, chirality == 1)?;
    let mut out = BufWriter::new(stdout().lock());
    for line in stdin().lines() {
        let counts =
            Molecule::parse(&line?).map_or_else(|_| Vec::new(), |molecule| morgan_counts(&molecule, &spec));
        let cells: Vec<String> = counts.iter().map(|(column, count)| format!("{column}:{count}")).collect();
        writeln!(out, "{}", cells.join(" "))?;
    }
    Ok(())
}
