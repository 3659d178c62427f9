"""Any estimator or pipeline of scikit-learn as a baseline, named in the configuration."""

import importlib
from dataclasses import dataclass
from typing import Any

import molarena

FORM = (
    "A dotted name, `sklearn.svm.SVR`; a table of it as `class` and its parameters, `{ class = 'sklearn.svm.SVR', C = 10.0 }`; or "
    "a list of these, a pipeline. A parameter may be such a table, or a list with some"
)


def build(what: Any, key: str) -> Any:
    """The object that a part of the configuration describes; `key` is the part's place, for messages."""
    if isinstance(what, list):
        from sklearn.pipeline import make_pipeline

        if not what:
            raise molarena.ConfigError(f"`{key}` is an empty pipeline")
        return make_pipeline(*(build(step, f"{key}[{index}]") for index, step in enumerate(what)))
    if isinstance(what, str):
        what = {"class": what}
    if not isinstance(what, dict) or not isinstance(what.get("class"), str):
        raise molarena.ConfigError(f"`{key}` has no `class`, the dotted name of an estimator such as 'sklearn.svm.SVR'")
    module, _, name = what["class"].rpartition(".")
    try:
        made = getattr(importlib.import_module(module), name)
    except (ImportError, ValueError, AttributeError) as error:
        raise molarena.ConfigError(f"`{key}` names {what['class']}, which cannot be imported: {error}") from error
    parameters = {name: parameter(value, f"{key}.{name}") for name, value in what.items() if name != "class"}
    try:
        return made(**parameters)
    except Exception as error:
        raise molarena.ConfigError(f"`{key}`: {what['class']} cannot be made of these parameters: {error}") from error


def parameter(value: Any, key: str) -> Any:
    """The value of a parameter: itself, or the object that it describes; a list may hold such objects, too."""
    if isinstance(value, list):
        return [parameter(part, f"{key}[{index}]") for index, part in enumerate(value)]
    return build(value, key) if isinstance(value, dict) and "class" in value else value


def estimator(what: Any, key: str, methods: tuple[str, ...]) -> Any:
    """The estimator that `key` of the configuration describes."""
    made = build(what, key)
    absent = [name for name in ("fit", *methods, "get_params") if not hasattr(made, name)]
    if absent:
        hint = " (sklearn.calibration.CalibratedClassifierCV adds probabilities)" if "predict_proba" in absent else ""
        raise molarena.ConfigError(f"`{key}`: {type(made).__name__} has no {' and no '.join(absent)}{hint}")
    return made


class Estimator(molarena.SklearnBaseline):
    """An estimator or pipeline of scikit-learn for each task; by default a forest of 100 trees."""

    inputs = ("dense", "bits")
    determinism = "none"

    @dataclass
    class Config:
        classifier: str | list | dict | None = molarena.option(None, f"For classes. {FORM}")
        regressor: str | list | dict | None = molarena.option(None, "For values, likewise")

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        classifier, regressor = config.classifier, config.regressor
        if classifier is None and regressor is None:
            classifier, regressor = (f"sklearn.ensemble.RandomForest{kind}" for kind in ("Classifier", "Regressor"))
        if classifier is not None:
            self.classifier = estimator(classifier, "classifier", ("predict_proba",))
        if regressor is not None:
            self.regressor = estimator(regressor, "regressor", ("predict",))


molarena.serve(Estimator)
