"""Encoders, decoders and baselines, and the shortest ways to make one."""

from __future__ import annotations

import dataclasses
import inspect
import pickle
import types
import typing
from typing import Any, Callable, ClassVar, Literal, Sequence

import numpy as np

from ._data import Array, Call, Corpus, Labels, Molecules
from ._errors import ConfigError, Unsupported


class Component:
    """What encoders, decoders and baselines have in common.

    The configuration is a dataclass, ``Config`` inside the class; its fields are the keys of a method file, with their types
    and defaults. Without one, a component has no configuration.
    """

    kind: ClassVar[str]
    id: ClassVar[str] = ""
    """Name of the component; by default the name of the class in small letters."""
    summary: ClassVar[str] = ""
    """One sentence; by default the first line of the class's documentation."""
    inputs: ClassVar[Sequence[str]] = ("smiles",)
    """Forms of molecules that it reads, the preferred one first: ``smiles``, ``bits``, ``dense``, ``graphs``."""
    devices: ClassVar[Sequence[str]] = ("cpu",)
    determinism: ClassVar[str] = "tolerance"
    """What two equal runs have in common: ``bitwise``, ``tolerance`` or ``none``."""
    uses_seed: ClassVar[bool] = True
    """Whether the seed of a call changes the results; if not, the arena fits once for all seeds."""
    corpora: ClassVar[Sequence[str]] = ()
    """Corpora that its weights were pretrained on, so that boards can say what they have of the test molecules."""
    Config: ClassVar[type | None] = None

    def __init__(self, config: Any = None) -> None:
        self.config = config

    def save(self) -> bytes:
        """The state as bytes."""
        raise Unsupported("this component does not save its state")

    def load(self, state: bytes) -> None:
        """Restores what :meth:`save` returned."""
        raise Unsupported("this component does not load a state")

    @classmethod
    def _describe(cls) -> dict[str, Any]:
        text = (inspect.getdoc(cls) or "").strip().split("\n")[0] if "__doc__" in vars(cls) else ""
        return {
            "kind": cls.kind,
            "id": cls.id or cls.__name__.lower(),
            "summary": cls.summary or text,
            "inputs": list(cls.inputs),
            "devices": list(cls.devices),
            "determinism": cls.determinism,
            "uses_seed": cls.uses_seed,
            "corpora": list(cls.corpora),
            "config_schema": schema_of(cls.Config),
        }

    @classmethod
    def _create(cls, config: dict[str, Any]) -> Component:
        if cls.Config is None:
            if config:
                raise ConfigError(f"there is no configuration, and `{next(iter(config))}` is given")
            return cls()
        try:
            return cls(cls.Config(**config))
        except TypeError as error:
            raise ConfigError(str(error)) from error


class Encoder(Component):
    """Turns molecules into vectors."""

    kind = "encoder"

    def fit(self, corpus: Corpus, call: Call) -> None:
        """Pretrains on a context graph."""
        raise Unsupported("this encoder is not pretrained here; leave `corpus` out of the method")

    def encode(self, molecules: Molecules, call: Call) -> Any:
        """The vectors of the molecules, ``[n, width]``."""
        raise NotImplementedError


class Decoder(Component):
    """Turns vectors into profiles, or scores profiles for them."""

    kind = "decoder"
    inputs = ("dense",)

    def decode(self, z: Array, space: str, call: Call) -> Any:
        """The profiles of vectors ``float32[n, d]``, ``[n, columns of the space]``."""
        raise Unsupported("this decoder makes no profiles")

    def score(self, z: Array, candidates: Array, space: str, call: Call) -> Any:
        """How well each of c profiles fits each of n vectors, higher is better: ``[n, c]``."""
        raise NotImplementedError


class Baseline(Component):
    """Predicts labels from features or vectors."""

    kind = "baseline"
    inputs = ("dense", "bits")

    def fit(self, molecules: Molecules, labels: Labels, valid: Molecules, valid_labels: Labels, call: Call) -> None:
        """Learns from the training molecules; the validation molecules are for choosing only."""
        raise NotImplementedError

    def predict(self, molecules: Molecules, call: Call) -> Any:
        """``[n, tasks]``: probabilities of 1, or values."""
        raise NotImplementedError


def encoder(
    function: Callable[..., Any] | None = None,
    *,
    id: str = "",
    summary: str = "",
    form: str = "smiles",
    determinism: str = "bitwise",
) -> Any:
    """Makes an encoder of a function from one form of the molecules to an array ``[n, width]``.

    The function gets SMILES as a list of texts, or with ``form`` ``bits`` or ``dense`` a matrix, or ``graphs``.
    """

    def make(function: Callable[..., Any]) -> type[Encoder]:
        def encode(self: Encoder, molecules: Molecules, call: Call) -> Any:
            return function(getattr(molecules, form))

        first = (inspect.getdoc(function) or function.__name__).strip().split("\n")[0]
        members = {
            "id": id or function.__name__.replace("_", "-"),
            "summary": summary or first,
            "inputs": (form,),
            "determinism": determinism,
            "uses_seed": False,
            "encode": encode,
        }
        return type(function.__name__, (Encoder,), members)

    return make if function is None else make(function)


def baseline(
    function: Callable[..., Any] | None = None,
    *,
    id: str = "",
    summary: str = "",
    determinism: str = "tolerance",
) -> Any:
    """Makes a baseline of a function that fits and returns a predictor.

    ``function(x, labels, seed)`` gets ``float32[n, columns]`` and :class:`Labels`, and returns a function from such a
    matrix to predictions ``[n, tasks]``.
    """

    def make(function: Callable[..., Any]) -> type[Baseline]:
        def fit(
            self: Any, molecules: Molecules, labels: Labels, valid: Molecules, valid_labels: Labels, call: Call
        ) -> None:
            self.predictor = function(molecules.matrix, labels, call.seed)

        def predict(self: Any, molecules: Molecules, call: Call) -> Any:
            return self.predictor(molecules.matrix)

        first = (inspect.getdoc(function) or function.__name__).strip().split("\n")[0]
        members = {
            "id": id or function.__name__.replace("_", "-"),
            "summary": summary or first,
            "determinism": determinism,
            "fit": fit,
            "predict": predict,
        }
        return type(function.__name__, (Baseline,), members)

    return make if function is None else make(function)


def sklearn_baseline(
    classifier: Any = None,
    regressor: Any = None,
    *,
    id: str,
    summary: str = "",
    inputs: Sequence[str] = ("dense", "bits"),
    determinism: str = "tolerance",
) -> type[Baseline]:
    """Makes a baseline of scikit-learn estimators or pipelines as they are.

    Each task is fitted by a clone of its own on the molecules that have a label. A task without labels predicts 0.5 or 0; a
    task with one distinct label predicts that label. The seed of a call becomes every ``random_state`` that is a parameter,
    and the thread budget every ``n_jobs``.
    """

    class Sklearn(Baseline):
        def _estimator(self, is_classification: bool, call: Call) -> Any:
            from sklearn.base import clone

            estimator = classifier if is_classification else regressor
            if estimator is None:
                what = "classification" if is_classification else "regression"
                raise Unsupported(f"this baseline has no estimator for {what}")
            estimator = clone(estimator)
            values = {"random_state": call.seed % 2**32, "n_jobs": call.threads}
            known = estimator.get_params()
            estimator.set_params(**{key: values[key.split("__")[-1]] for key in known if key.split("__")[-1] in values})
            return estimator

        def fit(
            self, molecules: Molecules, labels: Labels, valid: Molecules, valid_labels: Labels, call: Call
        ) -> None:
            x = molecules.matrix
            self.is_classification = labels.is_classification
            self.fitted: list[Any] = []
            for task in range(labels.tasks):
                call.check()
                y = labels.values[:, task]
                rows = ~np.isnan(y)
                distinct = np.unique(y[rows])
                if len(distinct) == 0:
                    self.fitted.append(0.5 if labels.is_classification else 0.0)
                elif len(distinct) == 1:
                    self.fitted.append(float(distinct[0]))
                else:
                    estimator = self._estimator(labels.is_classification, call)
                    target = y[rows].astype(int) if labels.is_classification else y[rows]
                    self.fitted.append(estimator.fit(x[rows], target))
                call.progress((task + 1) / labels.tasks, f"task {task + 1} of {labels.tasks}")

        def predict(self, molecules: Molecules, call: Call) -> Array:
            x = molecules.matrix
            columns = []
            for fitted in self.fitted:
                if isinstance(fitted, float):
                    columns.append(np.full(len(x), fitted))
                elif self.is_classification:
                    columns.append(fitted.predict_proba(x)[:, 1])
                else:
                    columns.append(fitted.predict(x))
            return np.stack(columns, axis=1)

        def save(self) -> bytes:
            return pickle.dumps((self.is_classification, self.fitted))

        def load(self, state: bytes) -> None:
            self.is_classification, self.fitted = pickle.loads(state)

    Sklearn.id = id
    Sklearn.summary = summary or f"{type(classifier or regressor).__name__} of scikit-learn, one for each task"
    Sklearn.inputs = tuple(inputs)
    Sklearn.determinism = determinism
    return Sklearn


_TYPES = {int: "integer", float: "number", bool: "boolean", str: "string", dict: "object"}


def schema_of(config: type | None) -> dict[str, Any]:
    """The JSON Schema of a configuration's dataclass: types, defaults, descriptions; unknown keys are refused."""
    schema: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": {}}
    if config is None:
        return schema
    if not dataclasses.is_dataclass(config):
        raise TypeError(f"{config.__name__} must be a dataclass")
    hints = typing.get_type_hints(config)
    required = []
    for field in dataclasses.fields(config):
        described = _schema_of_type(hints[field.name], field.name)
        if "description" in field.metadata:
            described["description"] = field.metadata["description"]
        if field.default is not dataclasses.MISSING:
            described["default"] = field.default
        elif field.default_factory is not dataclasses.MISSING:
            described["default"] = field.default_factory()
        else:
            required.append(field.name)
        schema["properties"][field.name] = described
    if required:
        schema["required"] = required
    return schema


def _schema_of_type(hint: Any, name: str) -> dict[str, Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in _TYPES:
        return {"type": _TYPES[hint]}
    if hint is Any:
        return {}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (list, tuple, Sequence) or hint in (list, tuple):
        items = [argument for argument in arguments if argument is not Ellipsis]
        return {"type": "array", **({"items": _schema_of_type(items[0], name)} if items else {})}
    if origin is dict:
        return {"type": "object"}
    if origin in (typing.Union, types.UnionType):
        options = [{"type": "null"} if a is type(None) else _schema_of_type(a, name) for a in arguments]
        return {"anyOf": options}
    raise TypeError(f"the type {hint} of `{name}` has no place in a JSON configuration")
