"""An encoder: from SMILES to counts."""

import re
from collections import Counter

import numpy as np

import molarena

ELEMENTS = ("C", "N", "O", "F", "P", "S", "Cl", "Br", "I")
ATOM = re.compile(r"\[\d*([A-Z][a-z]?|se|as|te|[a-z*])[^]]*\]|(Cl|Br|[BCNOPSFI]|[bcnops*])")


def counts(smiles: str) -> list[int]:
    """Atoms of each element and of all others, aromatic atoms, double and triple bonds, rings, branches."""
    symbols = [in_brackets or alone for in_brackets, alone in ATOM.findall(smiles)]
    rest = ATOM.sub("", smiles)
    elements = Counter(symbol.capitalize() for symbol in symbols)
    known = [elements.pop(element, 0) for element in ELEMENTS]
    aromatic = sum(symbol.islower() for symbol in symbols)
    rings = len(re.findall(r"%\d\d|\d", rest)) // 2
    return [*known, sum(elements.values()), aromatic, rest.count("="), rest.count("#"), rings, rest.count("(")]


@molarena.encoder(id="element-counts", summary="Counts of elements, bonds and rings in the SMILES")
def element_counts(smiles: list[str]) -> np.ndarray:
    return np.array([counts(text) for text in smiles]).reshape(len(smiles), len(counts("")))


if __name__ == "__main__":
    molarena.serve(element_counts)
