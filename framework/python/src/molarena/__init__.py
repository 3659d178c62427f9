"""Plugins for molarena in Python, and its stores and boards as data frames.

A plugin is a folder with a ``plugin.toml`` and a program that calls :func:`serve`. The shortest one is a function from
SMILES to an array::

    import numpy as np
    import molarena

    @molarena.encoder(summary="Number of characters and of rings")
    def lengths(smiles):
        return np.array([[len(text), text.count("1") / 2] for text in smiles])

    molarena.serve(lengths)

Classes do the rest: :class:`Encoder`, :class:`Decoder` and :class:`Baseline`, with a configuration, training on a context
graph, and state.
"""

from ._boards import Board, Boards, read_boards, read_records
from ._components import (
    Baseline,
    Decoder,
    Encoder,
    SklearnBaseline,
    TaskBaseline,
    baseline,
    encoder,
    option,
    sklearn_baseline,
)
from ._data import Call, Corpus, Graphs, Labels, Molecules, Space
from ._errors import Cancelled, ConfigError, DataError, Unsupported
from ._serve import PROTOCOL, serve

__all__ = [
    "PROTOCOL",
    "Baseline",
    "Board",
    "Boards",
    "Call",
    "Cancelled",
    "ConfigError",
    "Corpus",
    "DataError",
    "Decoder",
    "Encoder",
    "Graphs",
    "Labels",
    "Molecules",
    "SklearnBaseline",
    "Space",
    "TaskBaseline",
    "Unsupported",
    "baseline",
    "encoder",
    "option",
    "read_boards",
    "read_records",
    "serve",
    "sklearn_baseline",
]
__version__ = "0.1.0"
