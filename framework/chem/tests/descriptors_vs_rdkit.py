"""Compares descriptors with RDKit's, and writes the tables that tests/descriptors.rs and the golden tests check.

    cargo build --release -p molarena-chem --examples
    python descriptors_vs_rdkit.py compare target/release/examples/descriptors smiles.txt
    python descriptors_vs_rdkit.py table target/release/examples/descriptors > expected_descriptors.csv
    python descriptors_vs_rdkit.py summary target/release/examples/descriptors smiles.txt > summary.csv

Each line of smiles.txt is a SMILES. Values must agree within 1e-4, relative above 1 and absolute below. Where RDKit returns
no finite value, ours must be 0. `compare` also prints both times; run it on an otherwise idle machine. `summary` prints the
mean and root mean square of each descriptor by RDKit. Needs rdkit (2026.09.1 was used) and numpy.
"""

import subprocess
import sys
import time

import numpy
from rdkit import Chem, RDLogger
from rdkit.Chem import Descriptors

from molecules import VARIED


def run(program, smiles):
    lines = "".join(text + "\n" for text in smiles)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, check=True)
    header, *rows = done.stdout.rstrip("\n").split("\n")
    names = header.split(",")
    values = [[float(cell) for cell in row.split(",")] if row else [0.0] * len(names) for row in rows]
    return names, numpy.array(values), done.stderr.strip()


def rdkit_values(names, smiles):
    functions = dict(Descriptors.descList)
    rows, spent = [], 0.0
    for text in smiles:
        start = time.perf_counter()
        molecule = Chem.MolFromSmiles(text)
        row = []
        for name in names:
            try:
                row.append(float(functions[name](molecule)))
            except Exception:
                row.append(float("nan"))
        rows.append(row)
        spent += time.perf_counter() - start
    return numpy.array(rows), spent


def compare(program, path):
    smiles = [line.rstrip("\n") for line in open(path)]
    names, ours, said = run(program, smiles)
    theirs, spent = rdkit_values(names, smiles)
    known = numpy.isfinite(theirs)
    agree = numpy.isclose(ours, theirs, rtol=1e-4, atol=1e-4) | (~known & (ours == 0))
    order = [name for name, _ in Descriptors.descList if name in names]
    print(len(smiles), "molecules,", len(names), "descriptors, in RDKit's order:", order == names)
    print("all finite:", bool(numpy.isfinite(ours).all()), "| ours:", said, f"| RDKit from Python: {spent:.2f} s")
    for place, name in enumerate(names):
        wrong = numpy.flatnonzero(~agree[:, place])
        if len(wrong) or not known[:, place].all():
            cases = [(smiles[i], theirs[i, place], ours[i, place]) for i in wrong[:3]]
            print(f"{name}: {len(wrong)} differ, {(~known[:, place]).sum()} unknown to RDKit", cases)
    print("differing values:", int((~agree).sum()), "of", agree.size)


def table(program):
    names, _, _ = run(program, ["C"])
    values, _ = rdkit_values(names, VARIED)
    print(",".join(["smiles", *names]))
    for text, row in zip(VARIED, values):
        print(",".join([text, *(format(value, ".9g") if numpy.isfinite(value) else "" for value in row)]))


def summary(program, path):
    names, _, _ = run(program, ["C"])
    values, _ = rdkit_values(names, [line.rstrip("\n") for line in open(path)])
    values = numpy.where(numpy.isfinite(values), values, 0.0)
    print("name,mean,root_mean_square")
    for name, column in zip(names, values.T):
        print(f"{name},{column.mean():.9g},{numpy.sqrt((column**2).mean()):.9g}")


if __name__ == "__main__":
    RDLogger.DisableLog("rdApp.*")
    {"compare": compare, "table": table, "summary": summary}[sys.argv[1]](*sys.argv[2:])
