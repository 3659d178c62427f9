"""Outputs of a small D-MPNN by chemprop itself, which tests/golden/dmpnn.rs compares with.

    python tests/golden/dmpnn.py

writes dmpnn.csv and dmpnn_small.pth, random weights, beside itself. Needs chemprop 2, as in plugins/chemprop/requirements.lock.
"""

import csv
from pathlib import Path

import torch
from chemprop import data, models, nn

MOLECULES = [
    "C",
    "[Na+].[Cl-]",
    "CCO",
    "CC(=O)Oc1ccccc1C(=O)O",
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "C[C@H](N)C(=O)O",
    "N#Cc1ccc(Br)cc1",
    "OB(O)c1ccccc1I",
    "F/C=C/F",
    "F/C=C\\Cl",
    "C1CC2CCC1C2",
    "C[N+](C)(C)CC[Se]C",
    "O=S(=O)(N)c1ccc(cc1)C#C",
    "[O-][Cl+3]([O-])([O-])[O-]",
]


def main():
    here = Path(__file__).parent
    torch.manual_seed(1)
    messages = nn.BondMessagePassing(d_h=16, depth=4)
    head = nn.BinaryClassificationFFN(n_tasks=3, input_dim=16, hidden_dim=12, n_layers=2)
    network = models.MPNN(messages, nn.NormAggregation(), head).eval()
    with torch.no_grad():
        for values in network.parameters():
            values.mul_(3.0)
    state = {name: values for name, values in network.state_dict().items() if name.endswith(("weight", "bias"))}
    torch.save(state, here / "dmpnn_small.pth", _use_new_zipfile_serialization=False)
    points = data.MoleculeDataset([data.MoleculeDatapoint.from_smi(smiles) for smiles in MOLECULES])
    batch = next(iter(data.build_dataloader(points, batch_size=len(MOLECULES), shuffle=False)))
    with torch.inference_mode():
        logits = network.predictor.ffn(network.fingerprint(batch.bmg))
    with (here / "dmpnn.csv").open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["smiles", "one", "two", "three"])
        for smiles, row in zip(MOLECULES, logits.tolist(), strict=True):
            table.writerow([smiles, *(f"{value:.6f}" for value in row)])


if __name__ == "__main__":
    main()
