"""What RDKit makes of odd_smiles.py: the table that tests/smiles.rs checks.

    python smiles_vs_rdkit.py > expected_smiles.tsv

A row has the kind, the text as JSON, and the answer: `-` for a text that RDKit refuses, else the number of atoms, the
number of fragments and the canonical SMILES, the last without atom-map numbers. Kinds that begin with `limit` are refused by
this crate by design. Needs rdkit (2026.09.1 was used).
"""

import json

from rdkit import Chem, RDLogger

from odd_smiles import KINDS, LIMITS


def answer(text):
    molecule = Chem.MolFromSmiles(text)
    if molecule is None:
        return ["-", "-", "-"]
    atoms, fragments = molecule.GetNumAtoms(), len(Chem.GetMolFrags(molecule))
    for atom in molecule.GetAtoms():
        atom.SetAtomMapNum(0)
    return [str(atoms), str(fragments), Chem.MolToSmiles(molecule)]


if __name__ == "__main__":
    RDLogger.DisableLog("rdApp.*")
    print("kind", "text", "atoms", "fragments", "canonical", sep="\t")
    seen = set()
    for kind, texts in [*KINDS.items(), *((f"limit: {kind}", texts) for kind, texts in LIMITS.items())]:
        for text in texts:
            if text not in seen:
                seen.add(text)
                print(kind, json.dumps(text), *answer(text), sep="\t")
