"""A small random checkpoint in the layout of GROVER's authors, and its vectors by jax-grover, which tests/golden/test_grover.py compares with.

    python tests/golden/grover.py

writes grover_small.pt and grover.csv beside itself. Needs jax-grover 0.2.1 beside what plugins/grover/requirements.lock names (jax 0.10.2 was
used). The rows with padding are jax-grover's, too: an atom of zeros has a bond of zeros to every empty place of a neighbour, which is what
the authors' code sums there.
"""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np
import torch
from jax_grover.convert import load_grover_checkpoint
from jax_grover.fingerprint import grover_fingerprint
from jax_grover.graph import Batch, smiles_list_to_batch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "plugins/grover"))
import plugin  # noqa: E402

SMILES = [
    "C",
    "CCO",
    "c1ccccc1",
    "CC(=O)Oc1ccccc1C(=O)O",
    "CC(C)(C)OC(=O)N[C@@H](Cc1ccccc1)C(=O)O",
    "[Na+].[Cl-]",
    "F/C=C/F",
    "C1CC1C#N",
    "CC[N+](C)(C)C.[Br-]",
    "O=S(=O)(N)c1ccc(cc1)N",
    "c1ccc2[nH]ccc2c1",
    "O=C([O-])c1ccccc1O",
    "CP(=O)(O)O",
    "[Se]1C=CC=C1",
    "FS(F)(F)(F)(F)F",
]
SIZES = plugin.BASE | {"hidden_size": 8, "depth": 4, "num_attn_head": 2, "num_mt_block": 2}


def write(path):
    made = torch.Generator().manual_seed(7)
    tensors = {}
    for name, shape in plugin.Network.shapes(SIZES).items():
        scale = 1.5 * (2 / sum(shape)) ** 0.5 if len(shape) == 2 else 0.3
        tensors[f"grover.{name}"] = scale * torch.randn(shape, generator=made) + float(name.endswith("norm.weight"))
    args = argparse.Namespace(**SIZES, backbone="gtrans", undirected=False, embedding_output_type="both", dropout=0.1)
    torch.save({"args": args, "state_dict": tensors}, path)


def padded(smiles, places):
    batch = smiles_list_to_batch(smiles)
    atom, bonds = len(batch.x), batch.edge_index.shape[1]
    if not places:
        return batch
    neighbours = np.bincount(batch.edge_index[1], minlength=atom)
    ends = [atom] * places + [end for end in range(atom) for _ in range(places - neighbours[end])]
    links = np.concatenate([batch.edge_index, np.array([[atom] * len(ends), ends], dtype=np.int32)], 1)
    owners = np.append(batch.atom_batch, batch.num_graphs).astype(np.int32)
    return Batch(
        x=np.vstack([batch.x, np.zeros((1, plugin.ATOM), np.float32)]),
        edge_index=links,
        edge_attr=np.vstack([batch.edge_attr, np.zeros((len(ends), batch.edge_attr.shape[1]), np.float32)]),
        # The reverse of a bond of zeros is one of zeros.
        rev_index=np.append(batch.rev_index, np.full(len(ends), bonds)).astype(np.int32),
        atom_batch=owners,
        edge_batch=owners[links[0]],
        num_graphs=batch.num_graphs + 1,
    )


if __name__ == "__main__":
    write(HERE / "grover_small.pt")
    parameters, config = load_grover_checkpoint(str(HERE / "grover_small.pt"))
    with open(HERE / "grover.csv", "w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        for places in (0, 4, 6):
            # A batch of the authors' code has as many places as its largest degree.
            smiles = SMILES if places != 4 else [text for text in SMILES if not text.startswith("FS")]
            vectors = grover_fingerprint(parameters, config, padded(smiles, places))
            for text, vector in zip(smiles, np.asarray(vectors)):
                rows.writerow([places, text, *(f"{value:.6g}" for value in vector)])
