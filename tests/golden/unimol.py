"""A small random checkpoint in the layout of Uni-Mol 1, and its vectors by unimol_tools, which tests/golden/test_unimol.py compares with.

    python tests/golden/unimol.py

writes unimol_small.pt and unimol.csv beside itself. Needs unimol_tools 0.1.4.post1 beside what plugins/unimol/requirements.lock names. Not
0.1.5 or 0.1.6: their dictionary puts [CLS], [UNK], [PAD] and [SEP] in front of the file's own order, so that they read other rows of the
released embeddings than those that were trained.
"""

import csv
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "plugins/unimol"))
import plugin  # noqa: E402

FOLDER = os.environ["UNIMOL_WEIGHT_DIR"] = tempfile.mkdtemp()
os.chdir(FOLDER)  # It writes logs.
import numpy as np  # noqa: E402
import torch  # noqa: E402
from unimol_tools import UniMolRepr  # noqa: E402
from unimol_tools.models import unimol  # noqa: E402

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
    "O=C([O-])c1ccccc1O",
    "CP(=O)(O)O",
    "C1#CC1",
    "OB(O)c1ccccc1I",
    "[Cu+2].CC(=O)[O-].CC(=O)[O-]",
]
SIZES = {"layers": 2, "width": 16, "inner": 24, "heads": 4}


def write(path):
    made, tensors = torch.Generator().manual_seed(7), plugin.random(SIZES, 7)
    for name, shape in plugin.Network.shapes(SIZES).items():
        if name.startswith(("gbf.mul", "gbf.bias")) or len(shape) == 1:
            tensors[name] += 0.3 * torch.randn(shape, generator=made)
        elif not name.startswith("gbf."):
            tensors[name] = 1.5 * torch.randn(shape, generator=made) / shape[1] ** 0.5
    torch.save({"model": tensors}, path)


def small(of=unimol.molecule_architecture):
    sizes = of()
    sizes.encoder_layers, sizes.encoder_embed_dim = SIZES["layers"], SIZES["width"]
    sizes.encoder_ffn_embed_dim, sizes.encoder_attention_heads = SIZES["inner"], SIZES["heads"]
    return sizes


if __name__ == "__main__":
    assert version("unimol_tools").startswith("0.1.4"), "see above"
    write(HERE / "unimol_small.pt")
    unimol.molecule_architecture = small
    Path(FOLDER, "mol.dict.txt").write_text("\n".join(plugin.SYMBOLS[:-1]))
    with open(HERE / "unimol.csv", "w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        for hydrogens, name in (True, "mol_pre_all_h_220816.pt"), (False, "mol_pre_no_h_220816.pt"):
            Path(FOLDER, name).write_bytes((HERE / "unimol_small.pt").read_bytes())
            reference = UniMolRepr(data_type="molecule", remove_hs=not hydrogens, use_cuda=False)
            vectors = reference.get_repr(SMILES)
            for text, vector in zip(SMILES, np.array(vectors["cls_repr"] if isinstance(vectors, dict) else vectors)):
                rows.writerow([int(hydrogens), text, *(f"{value:.6g}" for value in vector)])
