#!/usr/bin/env python3
"""Compares the steps per second of random walks with NumPy's, on the same random graph of the InfoAlign paper's size, in one run.

    python3 benches/walks_vs_numpy.py                       # 276,855 nodes, 366,384 edges, 129,592 walks of 4 steps
    python3 benches/walks_vs_numpy.py --threads 1 --length 10

NumPy's side is vectorised over walks: at each step it draws a neighbour of every walk's node from compressed rows and multiplies
alpha, as torch_cluster's uniform walk does. A walk at a node without neighbours stays, and its step does not count. The sides
take turns; neither time includes building the compressed rows. NumPy is installed from PyPI into --venv.
"""

import argparse
import json
import subprocess
import time
from pathlib import Path

import comparison
import infoalign_vs_torch


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=276_855)
    parser.add_argument("--edges", type=int, default=366_384)
    parser.add_argument("--starts", type=int, default=129_592)
    parser.add_argument("--length", type=int, default=4)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2, help="of our side; NumPy has one")
    parser.add_argument("--features", nargs="*", default=[])
    parser.add_argument("--venv", type=Path, default=Path("/tmp/molarena-numpy"))
    parser.add_argument("--arrays", type=Path, default=Path("/tmp/molarena-edges.npz"))
    parser.add_argument("--binary", type=Path, help="a built infoalign_time; built with cargo if left out")
    return parser.parse_args()


def main():
    options = arguments()
    comparison.enter_venv(options.venv, ["numpy"])
    options.binary = options.binary or infoalign_vs_torch.build(options)
    import numpy as np

    random = np.random.default_rng(0)
    ends = random.integers(0, options.nodes, (2, options.edges)).astype(np.uint64)
    ends = ends[:, ends[0] != ends[1]]
    weights = random.uniform(0.1, 1, ends.shape[1]).astype(np.float32)
    np.savez(options.arrays, sources=ends[0], targets=ends[1], weights=weights)
    source = np.concatenate([ends[0], ends[1]]).astype(np.int64)
    order = np.argsort(source, kind="stable")
    target = np.concatenate([ends[1], ends[0]]).astype(np.int64)[order]
    weight = np.concatenate([weights, weights])[order]
    degree = np.bincount(source, minlength=options.nodes)
    first = np.concatenate([[0], np.cumsum(degree)])

    def ours():
        command = [str(options.binary), "walk", "--edges", str(options.arrays), "--nodes", str(options.nodes)]
        command += ["--starts", str(options.starts), "--length", str(options.length)]
        command += ["--threads", str(options.threads)]
        result = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        return result["steps"], result["seconds"]

    def theirs():
        start = time.perf_counter()
        node, alpha, steps = np.arange(options.starts), np.ones(options.starts, np.float32), 0
        paths = []
        for _ in range(options.length):
            count = degree[node]
            moves = count > 0
            place = first[node] + np.minimum((random.random(len(node)) * count).astype(np.int64), count - 1)
            place = np.where(moves, place, 0)
            node = np.where(moves, target[place], node)
            alpha = np.where(moves, alpha * weight[place], alpha)
            steps += int(moves.sum())
            paths.append((node, alpha))
        return steps, time.perf_counter() - start

    sides = {"ours": [], "numpy": []}
    for _ in range(options.turns):
        sides["ours"].append(ours())
        sides["numpy"].append(theirs())
    rates = {side: sum(steps for steps, _ in turns) / sum(s for _, s in turns) for side, turns in sides.items()}
    print(f"steps per second: ours {rates['ours']:.3g} ({options.threads} threads), NumPy {rates['numpy']:.3g}; ", end="")
    print(f"ours / NumPy {rates['ours'] / rates['numpy']:.1f}")


if __name__ == "__main__":
    main()
