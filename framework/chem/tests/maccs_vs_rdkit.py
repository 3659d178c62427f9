"""Writes the table of RDKit's MACCS keys that tests/maccs.rs checks.

    python maccs_vs_rdkit.py > expected_maccs.tsv

Needs rdkit (2026.03.6 was used).
"""

from rdkit import Chem
from rdkit.Chem import MACCSkeys

from molecules import VARIED

print("smiles\tkeys")
for text in VARIED:
    keys = MACCSkeys.GenMACCSKeys(Chem.MolFromSmiles(text)).GetOnBits()
    print(text, " ".join(map(str, keys)), sep="\t")
