"""Compares counted Morgan fingerprints with RDKit's, and writes the table that tests/counts.rs checks.

    cargo build --release -p molarena-chem --examples
    python counts_vs_rdkit.py compare target/release/examples/counts smiles.txt
    python counts_vs_rdkit.py table > expected_counts.tsv

Each line of smiles.txt is a SMILES. Needs rdkit (2026.09.1 was used).
"""

import subprocess
import sys

from rdkit import Chem, RDLogger
from rdkit.Chem import rdFingerprintGenerator

from molecules import VARIED

SPECS = [(2, 2048, 0), (2, 4096, 0), (3, 1024, 0), (4, 4096, 0), (2, 4096, 1), (3, 2048, 1), (4, 1024, 1)]


def generator(radius, bits, chirality):
    return rdFingerprintGenerator.GetMorganGenerator(radius, fpSize=bits, includeChirality=bool(chirality))


def cells(make, molecule):
    if molecule is None:
        return ""
    counts = make.GetCountFingerprint(molecule).GetNonzeroElements()
    return " ".join(f"{column}:{counts[column]}" for column in sorted(counts))


def compare(program, path):
    smiles = [line.rstrip("\n") for line in open(path)]
    molecules = [Chem.MolFromSmiles(text) for text in smiles]
    for spec in SPECS:
        command = [program, *map(str, spec)]
        ours = subprocess.run(command, stdin=open(path), capture_output=True, text=True, check=True).stdout.split("\n")
        make = generator(*spec)
        differ = [text for text, molecule, line in zip(smiles, molecules, ours) if line != cells(make, molecule)]
        print(spec, len(smiles), "molecules,", len(differ), "differ", differ[:3])


def table():
    print("smiles\tradius\tbits\tchirality\tcounts")
    for text in VARIED:
        for spec in SPECS:
            print(text, *spec, cells(generator(*spec), Chem.MolFromSmiles(text)), sep="\t")


if __name__ == "__main__":
    RDLogger.DisableLog("rdApp.*")
    compare(*sys.argv[2:]) if sys.argv[1] == "compare" else table()
