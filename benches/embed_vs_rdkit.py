"""Compares molarena embed with RDKit from Python: Morgan radius 2, 2048 bits, from SMILES in a CSV to packed bits in a .npy.

    python benches/embed_vs_rdkit.py --molarena target/release/molarena --data shared/data --rows 1000000

Needs rdkit and numpy. The molecules are those of the four datasets, repeated. Both programs read the same file and write
the same kind of file. They take turns, pinned to one processor and then to two; RDKit uses one process per processor. The
bits must be equal in every row that both can read. On a busy machine, molecules per second of processor time are more
reliable than molecules per second of wall time; the script prints both.
"""

import argparse
import csv
import gzip
import json
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

DATASETS = ["chembl2k", "broad6k", "toxcast", "biogen3k"]


def write_input(data, path, rows):
    smiles = []
    for name in DATASETS:
        for file in sorted((data / name).glob("assays.csv*")):
            opener = gzip.open if file.suffix == ".gz" else open
            with opener(file, "rt", newline="") as handle:
                smiles += [row["smiles"] for row in csv.DictReader(handle)]
    with open(path, "w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["smiles"])
        writer.writerows([smiles[row % len(smiles)]] for row in range(rows))
    return len(smiles)


def rdkit_rows(smiles):
    from rdkit import Chem, RDLogger
    from rdkit.Chem import rdFingerprintGenerator

    RDLogger.DisableLog("rdApp.*")
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    rows = np.zeros((len(smiles), 256), dtype=np.uint8)
    for index, text in enumerate(smiles):
        molecule = Chem.MolFromSmiles(text)
        if molecule is not None:
            rows[index] = np.packbits(generator.GetFingerprintAsNumPy(molecule), bitorder="little")
    return rows


def rdkit_file(source, target, processes):
    with open(source, newline="") as handle:
        smiles = [row[0] for row in csv.reader(handle)][1:]
    chunks = [smiles[start : start + 4096] for start in range(0, len(smiles), 4096)]
    if processes == 1:
        rows = [rdkit_rows(chunk) for chunk in chunks]
    else:
        with multiprocessing.Pool(processes) as pool:
            rows = pool.map(rdkit_rows, chunks)
    np.save(target, np.concatenate(rows))


def timed(command, processors):
    """Wall and processor seconds and peak memory in MiB of a command pinned to this many processors."""
    allowed = sorted(os.sched_getaffinity(0))[:processors]
    started = time.perf_counter()
    child = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, allowed),
    )
    _, status, usage = os.wait4(child.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 10):
        sys.exit(f"{command[0]} ended with {code}")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--molarena", default="target/release/molarena")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("MOLARENA_DATA", "shared/data")))
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rdkit-rows", type=int, help="rows that RDKit gets, if it is to take less time")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/embed_vs_rdkit"))
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        source, target, processes = args.worker
        rdkit_file(source, target, int(processes))
        return
    args.folder.mkdir(parents=True, exist_ok=True)
    rdkit_count = args.rdkit_rows or args.rows
    ours, theirs = args.folder / "all.csv", args.folder / "rdkit.csv"
    distinct = write_input(args.data, ours, args.rows)
    write_input(args.data, theirs, rdkit_count)
    results = []
    for _ in range(args.rounds):
        for processors in (1, 2):
            wall, work, memory = timed(
                [args.molarena, "embed", str(ours), "--features", "morgan:radius=2,bits=2048", "--threads",
                 str(processors), "--output", str(args.folder / "ours.npy"), "--force"], processors)
            rdkit_wall, rdkit_work, rdkit_memory = timed(
                [sys.executable, __file__, "--worker", str(theirs), str(args.folder / "rdkit.npy"),
                 str(processors)], processors)
            results.append({
                "processors": processors,
                "molarena_per_second": round(args.rows / wall),
                "molarena_per_processor_second": round(args.rows / work),
                "molarena_peak_mib": round(memory),
                "rdkit_per_second": round(rdkit_count / rdkit_wall),
                "rdkit_per_processor_second": round(rdkit_count / rdkit_work),
                "rdkit_peak_mib": round(rdkit_memory),
                "ratio_of_wall": round(args.rows / wall / (rdkit_count / rdkit_wall), 2),
                "ratio_of_processor_time": round(args.rows / work / (rdkit_count / rdkit_work), 2),
            })
            print(json.dumps(results[-1]), flush=True)
    one = np.load(args.folder / "ours.npy", mmap_mode="r")[:rdkit_count]
    other = np.load(args.folder / "rdkit.npy", mmap_mode="r")
    differ = int((one != other).any(axis=1).sum())
    print(json.dumps({"rows": args.rows, "distinct": distinct, "rows_compared": rdkit_count, "rows_that_differ": differ}))
    if differ:
        sys.exit(1)


if __name__ == "__main__":
    main()
