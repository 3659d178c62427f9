#!/usr/bin/env python3
"""Times InfoAlign's pretraining and encoding against the same network in PyTorch, on the same graphs and cores, in one run.

    python3 benches/infoalign_vs_torch.py                        # ChEMBL2K, 2 threads, three turns
    python3 benches/infoalign_vs_torch.py --threads 1 --batch 128
    python3 benches/infoalign_vs_torch.py --our-device libtorch --features libtorch --libtorch TREE/lib     # built with LIBTORCH=TREE
    python3 benches/infoalign_vs_torch.py --torch-device cuda --our-device libtorch-cuda:0 --features libtorch --libtorch LIB

Both sides use a GIN with 5 layers and 300 dimensions, bond embeddings, a virtual node, batch norm, residuals, dropout 0.5 and
sum readout, a Gaussian head, one decoder (1200 hidden units) to the molecule's own 1024 Morgan bits, Adam and float32. They
take turns, so a machine that is busy for a while slows both. PyTorch's side gathers and adds along bonds by index, as the
reference implementation does through PyTorch Geometric, and uses its fused Adam. Its batches are made beforehand, outside the
timed part; our time includes making them.

PyTorch is installed from PyPI into a separate virtual environment (--venv).
"""

import argparse
import json
import os
import subprocess
import time
from pathlib import Path

import comparison

LAYERS, WIDTH, DROPOUT, HIDDEN, BITS = 5, 300, 0.5, 1200, 1024
ATOMS, BONDS = [119, 5, 12, 12, 10, 6, 6, 2, 2], [5, 6, 2]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="chembl2k", choices=comparison.DATASETS)
    parser.add_argument("--molecules", type=int, default=1024)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--our-device", default="cpu")
    parser.add_argument("--torch-device", default="cpu")
    parser.add_argument("--features", nargs="*", default=[], help="features of our build, such as x86-v4")
    parser.add_argument("--libtorch", type=Path, help="folder of LibTorch's libraries, for our side")
    parser.add_argument("--venv", type=Path, default=Path("/tmp/molarena-torch"))
    parser.add_argument("--arrays", type=Path, default=Path("/tmp/molarena-graphs"), help="where the arrays go")
    parser.add_argument("--binary", type=Path, help="a built infoalign_time; built with cargo if left out")
    parser.add_argument("--json", type=Path, help="write the table here too")
    return parser.parse_args()


def build(options):
    command = ["cargo", "build", "--release", "-p", "molarena-benches-networks", "--bin", "infoalign_time"]
    command += ["--message-format=json"]
    command += ["--features", ",".join(options.features)] if options.features else []
    output = subprocess.run(command, cwd=comparison.ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = (json.loads(line) for line in output.splitlines())
    return next(path for m in messages if (path := m.get("executable")) and m["target"]["name"] == "infoalign_time")


def ours(options, arrays, seed):
    config = {"epochs": options.epochs, "batch_size": options.batch, "walk_length": 0}
    command = [str(options.binary), "run", "--arrays", str(arrays), "--config", json.dumps(config)]
    command += ["--molecules", str(options.molecules), "--seed", str(seed), "--threads", str(options.threads)]
    command += ["--device", options.our_device]
    environment = comparison.with_libraries(options.libtorch)
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    result = json.loads(output)
    return result["fit_seconds"], result["encode_seconds"]


def network():
    import torch
    from torch import nn

    def mlp(*layers):
        return nn.Sequential(*layers)

    class Convolution(nn.Module):
        def __init__(self):
            super().__init__()
            self.eps = nn.Parameter(torch.zeros(1))
            self.bonds = nn.ModuleList(nn.Embedding(count, WIDTH) for count in BONDS)
            self.mlp = mlp(nn.Linear(WIDTH, 2 * WIDTH), nn.BatchNorm1d(2 * WIDTH), nn.ReLU(), nn.Linear(2 * WIDTH, WIDTH))

        def forward(self, h, source, target, bonds):
            edge = sum(table(bonds[:, i]) for i, table in enumerate(self.bonds))
            message = torch.relu(h[source] + edge)
            return self.mlp((1 + self.eps) * h + torch.zeros_like(h).index_add_(0, target, message))

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.atoms = nn.ModuleList(nn.Embedding(count, WIDTH) for count in ATOMS)
            self.start = nn.Parameter(torch.zeros(1, WIDTH))
            self.convolutions = nn.ModuleList(Convolution() for _ in range(LAYERS))
            self.norms = nn.ModuleList(nn.BatchNorm1d(WIDTH) for _ in range(LAYERS))
            self.virtual = nn.ModuleList(
                mlp(
                    nn.Linear(WIDTH, 2 * WIDTH),
                    nn.BatchNorm1d(2 * WIDTH),
                    nn.ReLU(),
                    nn.Linear(2 * WIDTH, WIDTH),
                    nn.BatchNorm1d(WIDTH),
                    nn.ReLU(),
                )
                for _ in range(LAYERS - 1)
            )
            self.drop = nn.Dropout(DROPOUT)
            self.head = mlp(nn.SiLU(), nn.Linear(WIDTH, 2 * WIDTH))
            self.decoder = mlp(nn.Linear(WIDTH, HIDDEN), nn.BatchNorm1d(HIDDEN), nn.GELU(), nn.Linear(HIDDEN, BITS))

        def forward(self, batch):
            atoms, source, target, bonds, owner, count = batch
            h = sum(table(atoms[:, i]) for i, table in enumerate(self.atoms))
            node = self.start.expand(count, -1)
            for layer in range(LAYERS):
                h = h + node[owner]
                new = self.norms[layer](self.convolutions[layer](h, source, target, bonds))
                new = self.drop(torch.relu(new) if layer < LAYERS - 1 else new) + h
                if layer < LAYERS - 1:
                    heard = torch.zeros_like(node).index_add_(0, owner, h) + node
                    node = node + self.drop(self.virtual[layer](heard))
                h = new
            pooled = torch.zeros(count, WIDTH, device=h.device).index_add_(0, owner, h)
            mu, spread = self.head(pooled).chunk(2, 1)
            return mu, torch.nn.functional.softplus(spread) + 1e-7

    return Network()


def batch_of(data, rows, device):
    import numpy as np
    import torch

    atoms, pairs, bonds, owner, first = [], [], [], [], 0
    for place, row in enumerate(rows):
        a = slice(data["atom_offsets"][row], data["atom_offsets"][row + 1])
        b = slice(data["bond_offsets"][row], data["bond_offsets"][row + 1])
        atoms.append(data["atom_features"][a])
        pairs.append(data["bonds"][b].astype(np.int64) + first)
        bonds.append(data["bond_features"][b])
        owner.append(np.full(a.stop - a.start, place))
        first += a.stop - a.start
    pairs, bonds = np.concatenate(pairs), np.concatenate(bonds).astype(np.int64)
    source, target = np.concatenate([pairs[:, 0], pairs[:, 1]]), np.concatenate([pairs[:, 1], pairs[:, 0]])
    arrays = [np.concatenate(atoms).astype(np.int64), source, target, np.concatenate([bonds, bonds])]
    arrays.append(np.concatenate(owner))
    return tuple(torch.from_numpy(array).to(device) for array in arrays) + (len(rows),)


def theirs(options, arrays, seed):
    import numpy as np
    import torch

    torch.set_num_threads(options.threads)
    torch.manual_seed(seed)
    device = torch.device(options.torch_device)
    data = {name: array for name, array in np.load(arrays).items()}
    count = min(options.molecules, len(data["words"]))
    bits = np.unpackbits(data["words"][:count].view(np.uint8), axis=1, bitorder="little")
    bits = torch.from_numpy(bits.astype(np.float32)).to(device)
    orders = [torch.randperm(count).split(options.batch) for _ in range(options.epochs)]
    batches = [[(batch_of(data, rows.tolist(), device), bits[rows]) for rows in order] for order in orders]
    model = network().to(device)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)

    def wait():
        if device.type == "cuda":
            torch.cuda.synchronize()

    wait()
    start = time.perf_counter()
    for epoch in batches:
        for batch, y in epoch:
            mu, sigma = model(batch)
            divergence = ((mu**2 + sigma**2 - 1) / 2 - sigma.log()).sum(1).mean()
            loss = torch.nn.functional.binary_cross_entropy_with_logits(model.decoder(mu), y) + 1e-9 * divergence
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            loss.item()
    wait()
    fit = time.perf_counter() - start
    chunks = [batch_of(data, list(rows), device) for rows in np.array_split(np.arange(count), -(-count // 170))]
    model.eval()
    start = time.perf_counter()
    with torch.no_grad():
        for chunk in chunks:
            model(chunk)
    wait()
    return fit, time.perf_counter() - start


def main():
    options = arguments()
    os.environ["MKL_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(options.threads)
    comparison.enter_venv(options.venv, ["torch", "numpy"])
    options.binary = options.binary or build(options)
    options.arrays.mkdir(parents=True, exist_ok=True)
    arrays = options.arrays / f"{options.dataset}.npz"
    if not arrays.exists():
        command = [str(options.binary), "export", "--arrays", str(arrays), "--dataset", options.dataset]
        environment = comparison.with_libraries(options.libtorch)
        subprocess.run(command, check=True, cwd=comparison.ROOT, env=environment)
    sides = {"ours": [], "torch": []}
    for turn in range(options.turns):
        for side, run in (("ours", ours), ("torch", theirs)):
            sides[side].append(run(options, arrays, turn))
    import torch

    count = options.molecules * options.epochs * options.turns
    print(f"{options.dataset}, batches of {options.batch}, {options.threads} threads, PyTorch {torch.__version__}")
    print(f"ours on {options.our_device}, PyTorch on {options.torch_device}")
    print(f"{'side':8}{'molecules/s: training':>24}{'encoding':>12}")
    rates = {}
    for side, turns in sides.items():
        fit, encode = (sum(turn[i] for turn in turns) for i in range(2))
        rates[side] = (count / fit, options.molecules * options.turns / encode)
        print(f"{side:8}{rates[side][0]:24.1f}{rates[side][1]:12.1f}", flush=True)
    ratios = [rates["ours"][i] / rates["torch"][i] for i in range(2)]
    print(f"ours / PyTorch: training {ratios[0]:.2f}, encoding {ratios[1]:.2f}")
    if options.json:
        options.json.write_text(json.dumps({"rates": rates, "ratios": ratios, "turns": sides}, indent=1) + "\n")


if __name__ == "__main__":
    main()
