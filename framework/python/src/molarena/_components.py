"""Encoders, decoders and baselines, and the shortest ways to make one."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import types
import typing
from typing import Any, Callable, ClassVar, Literal, Sequence

import numpy as np

from ._data import Array, Call, Corpus, Labels, Molecules
from ._errors import ConfigError, DataError, Unsupported


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
            _configured(None, config)
            return cls()
        try:
            return cls(cls.Config(**config))
        except TypeError as error:
            raise ConfigError(str(error)) from error


def _configured(of: type | None, config: dict[str, Any]) -> Any:
    """The configuration as an object of its dataclass; ``None`` where there is none."""
    if of is None:
        if config:
            raise ConfigError(f"there is no configuration, and `{next(iter(config))}` is given")
        return None
    try:
        return of(**config)
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

    FineTuneConfig: ClassVar[type | None] = None
    """The configuration of :meth:`finetune`, a dataclass like ``Config``."""

    def finetune(self, config: Any) -> Baseline:
        """A model that trains this encoder end to end with a head on labels, from its present state.

        It gets the encoder's molecules, is fitted and predicts like a :class:`Baseline`, and does not need the encoder
        afterwards. It must be made without a state, too: its ``fit`` says that one is missing, and its ``load`` restores
        encoder and head. An encoder that has this method is offered for it.
        """
        raise Unsupported("this encoder cannot be fine-tuned; put a baseline on its vectors")

    @classmethod
    def _describe(cls) -> dict[str, Any]:
        described = super()._describe()
        if cls.finetune is not Encoder.finetune:
            described["finetune"] = {"config_schema": schema_of(cls.FineTuneConfig)}
        return described

    def _finetune(self, config: dict[str, Any]) -> Baseline:
        return self.finetune(_configured(type(self).FineTuneConfig, config))


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


class TaskBaseline(Baseline):
    """Fits each task by itself, on the molecules that have its label.

    A subclass fits and predicts one task. A task without labels predicts 0.5 or 0, and a task with one distinct label predicts
    that label; neither is fitted. The call is checked for cancellation before each task, and progress is reported after it.
    The state is a pickle of the models.
    """

    is_classification: bool
    """Whether the labels are classes: set before :meth:`fit_task`."""

    def fit_task(self, x: Array, y: Array, call: Call) -> Any:
        """A model of the labels ``y``, ``float32[n]`` with two distinct values or more, given ``x``, ``float32[n, columns]``.

        A ``float`` is a model, too: the same prediction for every molecule.
        """
        raise NotImplementedError

    def predict_task(self, model: Any, x: Array, call: Call) -> Any:
        """The predictions of a model: ``[n]``, probabilities of 1 or values."""
        raise NotImplementedError

    def fit(self, molecules: Molecules, labels: Labels, valid: Molecules, valid_labels: Labels, call: Call) -> None:
        x = molecules.matrix
        self.is_classification = labels.is_classification
        self.models: list[Any] = []
        for task in range(labels.tasks):
            call.check()
            y = labels.values[:, task]
            rows = ~np.isnan(y)
            distinct = np.unique(y[rows])
            if len(distinct) == 0:
                self.models.append(0.5 if labels.is_classification else 0.0)
            elif len(distinct) == 1:
                self.models.append(float(distinct[0]))
            else:
                self.models.append(self.fit_task(x[rows], y[rows], call))
            call.progress((task + 1) / labels.tasks, f"task {task + 1} of {labels.tasks}")

    def predict(self, molecules: Molecules, call: Call) -> Array:
        x = molecules.matrix
        values = np.empty((len(x), len(self.models)), dtype=np.float32)
        for task, model in enumerate(self.models):
            call.check()
            column = model if isinstance(model, float) else self.predict_task(model, x, call)
            values[:, task] = np.reshape(column, -1)
        return values

    def save(self) -> bytes:
        return _MARK + pickle.dumps((self.is_classification, self.models))

    def load(self, state: bytes) -> None:
        if not state.startswith(_MARK):
            raise DataError("this is no state of a baseline that fits each task by itself")
        try:
            self.is_classification, self.models = pickle.loads(state[len(_MARK) :])
        except Exception as error:
            raise DataError(f"the state is damaged: {error}") from error


_MARK = b"molarena.TaskBaseline/1\n"


class SklearnBaseline(TaskBaseline):
    """Scikit-learn estimators or pipelines as they are, a clone for each task.

    The seed of a call becomes every ``random_state`` that is a parameter, and the thread budget every ``n_jobs``.
    """

    classifier: Any = None
    """An estimator with ``predict_proba``; without one, classification is not supported."""
    regressor: Any = None
    """An estimator; without one, regression is not supported."""

    def fit_task(self, x: Array, y: Array, call: Call) -> Any:
        from sklearn.base import clone

        estimator = self.classifier if self.is_classification else self.regressor
        if estimator is None:
            what = "classification" if self.is_classification else "regression"
            raise Unsupported(f"this baseline has no estimator for {what}")
        estimator = clone(estimator)
        values = {"random_state": call.seed % 2**32, "n_jobs": call.threads}
        known = estimator.get_params()
        estimator.set_params(**{key: values[key.split("__")[-1]] for key in known if key.split("__")[-1] in values})
        return estimator.fit(x, y.astype(int) if self.is_classification else y)

    def predict_task(self, model: Any, x: Array, call: Call) -> Any:
        return model.predict_proba(x)[:, 1] if self.is_classification else model.predict(x)


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
) -> type[SklearnBaseline]:
    """Makes a baseline of scikit-learn estimators or pipelines as they are; see :class:`SklearnBaseline`."""
    members = {
        "id": id,
        "summary": summary or f"{type(regressor if classifier is None else classifier).__name__} of scikit-learn, one for each task",
        "inputs": tuple(inputs),
        "determinism": determinism,
        "classifier": classifier,
        "regressor": regressor,
    }
    return type("Sklearn", (SklearnBaseline,), members)


_LIMITS = {"minimum": "minimum", "above": "exclusiveMinimum", "maximum": "maximum", "below": "exclusiveMaximum"}


def option(default: Any, description: str = "", **limits: float) -> Any:
    """A field of a configuration with its default, what it is, and its range.

    The limits are ``minimum``, ``maximum``, ``above`` and ``below``; the last two are not allowed values themselves. The arena
    checks them before anything runs::

        @dataclass
        class Config:
            trees: int = molarena.option(200, "Number of trees", minimum=1)
            rate: float = molarena.option(0.1, "Weight of each tree", above=0, maximum=1)
    """
    for name in limits:
        if name not in _LIMITS:
            raise TypeError(f"`{name}` is no limit of an option; there are: {', '.join(_LIMITS)}")
    metadata: dict[str, Any] = {"description": description} if description else {}
    metadata |= {_LIMITS[name]: value for name, value in limits.items()}
    if isinstance(default, (dict, list)):
        return dataclasses.field(default_factory=lambda: copy.deepcopy(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


_TYPES = {int: "integer", float: "number", bool: "boolean", str: "string", dict: "object"}


_IN_SCHEMA = ("description", *_LIMITS.values())


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
        described |= {key: value for key, value in field.metadata.items() if key in _IN_SCHEMA}
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
