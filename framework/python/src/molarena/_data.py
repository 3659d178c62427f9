"""What a component gets: molecules, labels, a corpus, and the circumstances of a call."""

from __future__ import annotations

import importlib
import json
import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Callable

import numpy as np
from numpy.typing import NDArray

from ._errors import Cancelled, DataError

Array = NDArray[Any]


class Exchange:
    """The folder that arrays are exchanged in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._next = 0

    def array(self, name: str) -> Array:
        """An array that a frame names."""
        return np.load(self.folder / name, allow_pickle=False)

    def write(self, values: Any, what: str) -> str:
        """Writes a float32 matrix and returns its name."""
        try:
            matrix = np.asarray(values, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise DataError(f"{what} gave what is no matrix of numbers: {error}") from error
        if matrix.ndim == 1:
            matrix = matrix[:, None]
        if matrix.ndim != 2:
            raise DataError(f"{what} gave an array of {matrix.ndim} dimensions, not a matrix")
        name = f"answer-{self._next}.npy"
        self._next += 1
        np.save(self.folder / name, np.ascontiguousarray(matrix), allow_pickle=False)
        return name

    def write_bytes(self, state: bytes) -> str:
        """Writes a state and returns its name."""
        name = f"answer-{self._next}.state"
        self._next += 1
        (self.folder / name).write_bytes(state)
        return name


@dataclass(frozen=True)
class Graphs:
    """Molecular graphs: molecule i has the atoms ``atom_offsets[i]:atom_offsets[i + 1]`` and likewise its bonds."""

    atom_offsets: Array
    """``int64[n + 1]``"""
    bond_offsets: Array
    """``int64[n + 1]``"""
    atom_features: Array
    """``int8[atoms, 9]``: the Open Graph Benchmark's atom features."""
    bonds: Array
    """``uint32[bonds, 2]``: atoms of the molecule, from 0; each bond once."""
    bond_features: Array
    """``int8[bonds, 3]``"""


class Molecules:
    """Molecules in the forms that the arena offers; a form that the method's features are not raises an error by name."""

    def __init__(self, forms: dict[str, Any], exchange: Exchange) -> None:
        self._forms = forms
        self._exchange = exchange

    def __len__(self) -> int:
        return int(self._forms["rows"])

    @property
    def forms(self) -> tuple[str, ...]:
        """The forms that are there: of ``smiles``, ``bits``, ``dense`` and ``graphs``."""
        return tuple(name for name in ("smiles", "bits", "dense", "graphs") if name in self._forms)

    def _form(self, name: str) -> Any:
        if name not in self._forms:
            raise DataError(f"the molecules come as {' and '.join(self.forms)}, not as {name}")
        return self._forms[name]

    @cached_property
    def smiles(self) -> list[str]:
        """SMILES, one for each molecule."""
        path = self._exchange.folder / self._form("smiles")
        return list(json.loads(path.read_text(encoding="utf-8")))

    @cached_property
    def bits(self) -> Array:
        """``uint8[n, bits]``: fingerprints, 0 or 1."""
        form = self._form("bits")
        words = self._exchange.array(form["words"]).astype("<u8", copy=False)
        unpacked = np.unpackbits(np.ascontiguousarray(words).view(np.uint8), axis=1, bitorder="little")
        return unpacked[:, : form["n_bits"]]

    @cached_property
    def dense(self) -> Array:
        """``float32[n, columns]``: dense features."""
        return self._exchange.array(self._form("dense"))

    @cached_property
    def graphs(self) -> Graphs:
        """Molecular graphs."""
        form = self._form("graphs")
        return Graphs(**{name: self._exchange.array(form[name]) for name in Graphs.__annotations__})

    @property
    def matrix(self) -> Array:
        """``float32[n, columns]``: dense features, or bits as 0 and 1."""
        return self.dense if "dense" in self._forms else self.bits.astype(np.float32)


@dataclass(frozen=True)
class Labels:
    """Labels of several tasks."""

    values: Array
    """``float32[n, tasks]``: 0 or 1 for classification, NaN where missing."""
    kind: str
    """``classification`` or ``regression``."""

    @property
    def is_classification(self) -> bool:
        """Whether predictions are probabilities of 1."""
        return self.kind == "classification"

    @property
    def tasks(self) -> int:
        """Number of tasks."""
        return int(self.values.shape[1])


@dataclass(frozen=True)
class Space:
    """Profiles or other features of nodes of a context graph, each column in [0, 1]."""

    name: str
    kind: int
    """0 molecule, 1 gene, 2 morphology, 3 expression."""
    nodes: Array
    """``uint64[rows]``: the node of each row."""
    values: Array
    """``float32[rows, columns]``, NaN where missing."""
    batches: Array | None = None
    """``uint32[rows]``: number of each row's batch, if it is known."""
    cell_counts: Array | None = None
    """``float32[rows]``: number of cells behind each row, if it is known."""


@dataclass(frozen=True)
class Corpus:
    """A context graph without the molecules under evaluation."""

    molecules: Molecules
    molecule_nodes: Array
    """``uint64[molecules]``: the node of each molecule."""
    node_kinds: Array
    """``uint8[nodes]``: 0 molecule, 1 gene, 2 morphology, 3 expression."""
    spaces: list[Space]
    edge_sources: Array
    edge_targets: Array
    edge_weights: Array

    @staticmethod
    def _read(frame: dict[str, Any], exchange: Exchange) -> Corpus:
        def optional(space: dict[str, Any], name: str) -> Array | None:
            return exchange.array(space[name]) if name in space else None

        spaces = [
            Space(
                name=space["name"],
                kind=int(space["kind"]),
                nodes=exchange.array(space["nodes"]),
                values=exchange.array(space["values"]),
                batches=optional(space, "batches"),
                cell_counts=optional(space, "cell_counts"),
            )
            for space in frame["spaces"]
        ]
        arrays = ("molecule_nodes", "node_kinds", "edge_sources", "edge_targets", "edge_weights")
        return Corpus(
            molecules=Molecules(frame["molecules"], exchange),
            spaces=spaces,
            **{name: exchange.array(frame[name]) for name in arrays},
        )


@dataclass
class Call:
    """The circumstances of a call."""

    seed: int = 0
    """Seed of every random choice."""
    threads: int = 1
    """Number of threads that the call may use."""
    device: str = "cpu"
    """Device, such as ``cpu`` or ``cuda:0``."""
    folder: Path | None = None
    """Of a pretraining: a folder that outlives it, for checkpoints. After a kill the next run gets the same one."""
    _report: Callable[[float, str], None] = field(default=lambda _fraction, _message: None, repr=False)
    _cancelled: Callable[[], bool] = field(default=lambda: False, repr=False)

    def progress(self, fraction: float, message: str = "") -> None:
        """Reports the share done, 0 to 1, and a short text."""
        self._report(float(fraction), message)

    def cancelled(self) -> bool:
        """Whether the call should end soon."""
        return self._cancelled()

    def check(self) -> None:
        """Raises :class:`Cancelled` if the call should end soon."""
        if self.cancelled():
            raise Cancelled("cancelled by the arena")

    def import_packages(self, *names: str) -> None:
        """Imports packages that take seconds, so that a call that the arena cancels meanwhile ends.

        After it, ``import`` finds them loaded. Without it such an import belongs where a component is made.
        """
        failed: list[BaseException] = []

        def load() -> None:
            try:
                for name in names:
                    importlib.import_module(name)
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=load, daemon=True)
        thread.start()
        while thread.is_alive():
            self.check()
            thread.join(0.05)
        if failed:
            raise failed[0]

    def random(self) -> np.random.Generator:
        """A generator of random numbers that the seed determines."""
        return np.random.default_rng(self.seed)
