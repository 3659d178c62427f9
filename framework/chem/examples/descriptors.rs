//! Prints the descriptors of the SMILES on standard input as comma-separated values with a header. The line of a
//! refused SMILES is empty.
//!
//! `tests/descriptors_vs_rdkit.py` uses it. The time that it took is on standard error.

use std::io::{BufWriter, Write, stdin, stdout};
use std::time::{Duration, Instant};

use molarena_chem::{DESCRIPTOR_NAMES, Molecule};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = BufWriter::new(stdout().lock());
    writeln!(out, "{}", DESCRIPTOR_NAMES.join(","))?;
    let (mut parsing, mut computing) = (Duration::ZERO, Duration::ZERO);
    for line in stdin().lines() {
        let line = line?;
        let start = Instant::now();
        let molecule = Molecule::parse(&line);
        let parsed = Instant::now();
        let values = molecule.map_or_else(|_| Vec::new(), |molecule| molecule.descriptors());
        computing += parsed.elapsed();
        parsing += parsed - start;
        let cells: Vec<String> = values.iter().map(f64::to_string).collect();
        writeln!(out, "{}", cells.join(","))?;
    }
    eprintln!("parsing {parsing:.2?}, descriptors {computing:.2?}");
    Ok(())
}
