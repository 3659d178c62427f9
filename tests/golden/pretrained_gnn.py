"""Vectors of the networks of Hu et al. 2020 by PyTorch alone, which tests/golden/pretrained_gnn.rs compares with.

    python tests/golden/pretrained_gnn.py DATA/weights

writes pretrained_gnn.csv and gin_small.pth beside itself. Needs torch and rdkit. DATA/weights holds the released state dicts of
snap-stanford/pretrain-gnns (../shared/data/README.md). gin_small.pth is a random network of the same layout, because no state dict of
a GIN is among them. The networks are written after the paper (arXiv 1905.12265, appendix A) and its released code's conventions: each
atom sends itself a message along a bond of type 4; the attention of each sender's messages adds up to 1. The numbers are computed in double precision.
"""

import csv
import sys
from pathlib import Path

import torch
from rdkit import Chem
from torch.nn import functional

# Without marks of direction, which the arena leaves out.
MOLECULES = [
    "C",
    "[Na+].[Cl-]",
    "CCO",
    "CC(=O)Oc1ccccc1C(=O)O",
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "C[C@H](N)C(=O)O",
    "N#Cc1ccc(Br)cc1",
    "OB(O)c1ccccc1",
    "C1CC2CCC1C2",
    "CC(C)(C)c1ccc(cc1)S(=O)(=O)NC1=CC=CS1",
]
COLUMNS = 12
EPSILON = 1e-5


def graph(smiles):
    """Element and chirality of each atom; sender, receiver and type of each message."""
    molecule = Chem.MolFromSmiles(smiles)
    tags = [Chem.ChiralType.CHI_UNSPECIFIED, Chem.ChiralType.CHI_TETRAHEDRAL_CW, Chem.ChiralType.CHI_TETRAHEDRAL_CCW]
    kinds = [Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE, Chem.BondType.AROMATIC]
    atoms = [(atom.GetAtomicNum() - 1, tags.index(atom.GetChiralTag())) for atom in molecule.GetAtoms()]
    messages = [(atom, atom, 4) for atom in range(len(atoms))]
    for bond in molecule.GetBonds():
        ends = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        kind = kinds.index(bond.GetBondType())
        messages += [(*ends, kind), (*ends[::-1], kind)]
    return torch.tensor(atoms), torch.tensor(messages)


def convolve(state, name, atoms, messages):
    """One layer's sums, before batch norm."""
    senders, receivers, kinds = messages.T
    bonds = state[f"{name}.edge_embedding1.weight"][kinds] + state[f"{name}.edge_embedding2.weight"][0]
    degrees = torch.bincount(receivers, minlength=len(atoms)).double()

    def linear(part, rows):
        return rows @ state[f"{name}.{part}.weight"].T + state[f"{name}.{part}.bias"]

    def received(sent):
        return torch.zeros(len(atoms), sent.shape[1], dtype=torch.double).index_add(0, receivers, sent)

    if f"{name}.mlp.0.weight" in state:
        return linear("mlp.2", torch.relu(linear("mlp.0", received(atoms[senders] + bonds))))
    if f"{name}.att" in state:
        heads, width = 2, atoms.shape[1]
        mapped = linear("weight_linear", atoms).view(-1, heads, width)
        sent = mapped[senders] + bonds.view(-1, heads, width)
        pairs = torch.cat([mapped[receivers], sent], dim=2)
        scores = functional.leaky_relu((pairs * state[f"{name}.att"]).sum(2), 0.2)
        shares = torch.zeros_like(scores)
        for sender in range(len(atoms)):
            of_sender = senders == sender
            shares[of_sender] = torch.softmax(scores[of_sender], dim=0)
        sums = received((sent * shares[:, :, None]).flatten(1)).view(-1, heads, width)
        return sums.mean(1) + state[f"{name}.bias"]
    sent = linear("linear", atoms)[senders] + bonds
    if state["is_sage"]:
        return functional.normalize(received(sent) / degrees[:, None])
    return received(sent / (degrees[senders] * degrees[receivers]).sqrt()[:, None])


def vector(state, layers, smiles):
    atoms, messages = graph(smiles)
    rows = state["x_embedding1.weight"][atoms[:, 0]] + state["x_embedding2.weight"][atoms[:, 1]]
    for layer in range(layers):
        rows = convolve(state, f"gnns.{layer}", rows, messages)
        norm = {part: state[f"batch_norms.{layer}.{part}"] for part in ["weight", "bias", "running_mean", "running_var"]}
        rows = (rows - norm["running_mean"]) / (norm["running_var"] + EPSILON).sqrt() * norm["weight"] + norm["bias"]
        rows = torch.relu(rows) if layer < layers - 1 else rows
    return rows.mean(0)


def small_gin(layers=2, width=16):
    random = torch.Generator().manual_seed(1)

    def draw(*shape):
        return torch.randn(*shape, generator=random) * 0.3

    state = {"x_embedding1.weight": draw(120, width), "x_embedding2.weight": draw(3, width)}
    for layer in range(layers):
        name = f"gnns.{layer}"
        state |= {f"{name}.edge_embedding1.weight": draw(6, width), f"{name}.edge_embedding2.weight": draw(3, width)}
        state |= {f"{name}.mlp.0.weight": draw(2 * width, width), f"{name}.mlp.0.bias": draw(2 * width)}
        state |= {f"{name}.mlp.2.weight": draw(width, 2 * width), f"{name}.mlp.2.bias": draw(width)}
        norm = {"weight": 1 + draw(width), "bias": draw(width), "running_mean": draw(width), "running_var": draw(width).exp()}
        state |= {f"batch_norms.{layer}.{part}": values for part, values in norm.items()}
        state[f"batch_norms.{layer}.num_batches_tracked"] = torch.tensor(1)
    return state


def main():
    here, weights = Path(__file__).parent, Path(sys.argv[1])
    torch.save(small_gin(), here / "gin_small.pth", _use_new_zipfile_serialization=False)
    files = [here / "gin_small.pth", *sorted(weights.glob("pretrain-gnns_*.pth"))]
    with (here / "pretrained_gnn.csv").open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["weights", "smiles", *(f"column_{column}" for column in range(COLUMNS))])
        for path in files:
            state = torch.load(path, map_location="cpu", weights_only=True)
            state = {name: values.double() for name, values in state.items()}
            state["is_sage"] = "graphsage" in path.name
            layers = sum(name.endswith(".running_mean") for name in state if isinstance(name, str))
            for smiles in MOLECULES:
                values = vector(state, layers, smiles)[:COLUMNS]
                table.writerow([path.name, smiles, *(f"{value:.6f}" for value in values.tolist())])


if __name__ == "__main__":
    main()
