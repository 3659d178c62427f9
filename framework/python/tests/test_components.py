"""Components without an arena: what they describe, and how they answer frames."""

import copy
import io
import json
import sys
import tempfile
import time
import types
import unittest
import uuid
from unittest import mock
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Optional

import numpy as np

import molarena
from molarena._components import schema_of
from molarena._data import Exchange, Labels, Molecules
from molarena._serve import _Server


@dataclass
class Config:
    width: int = field(default=3, metadata={"description": "Number of columns"})
    kind: Literal["a", "b"] = "a"
    sizes: list[int] = field(default_factory=lambda: [1, 2])
    name: Optional[str] = None
    rate: float = field(kw_only=True)


@molarena.encoder
def lengths(smiles):
    """Numbers of characters."""
    return [len(text) for text in smiles]


@molarena.baseline(id="mean")
def mean_of_labels(x, labels, seed):
    means = np.nanmean(labels.values, axis=0)
    return lambda x: np.tile(means, (len(x), 1))


class Means(molarena.TaskBaseline):
    """The mean label of each task, and how many molecules have one."""

    seen = ()

    def fit_task(self, x, y, call):
        self.seen += (len(y),)
        return {"mean": float(y.mean())}

    def predict_task(self, model, x, call):
        return np.full((len(x), 1), model["mean"])


class Estimator:
    """As scikit-learn's, with parameters of its own and of a part."""

    def __init__(self):
        self.parameters = {"random_state": None, "n_jobs": None, "part__random_state": None, "depth": 3}

    def get_params(self):
        return self.parameters

    def set_params(self, **values):
        self.parameters = self.parameters | values

    def fit(self, x, y):
        self.mean, self.classes = float(np.mean(y)), y.dtype.kind == "i"
        return self

    def predict(self, x):
        return np.full(len(x), self.mean)

    def predict_proba(self, x):
        return np.tile([1 - self.mean, self.mean], (len(x), 1))


def sklearn():
    """A stand-in for the part of scikit-learn that the package uses."""
    base = types.ModuleType("sklearn.base")
    base.clone = copy.deepcopy
    return mock.patch.dict(sys.modules, {"sklearn": types.ModuleType("sklearn"), "sklearn.base": base})


class Answers:
    """A server and what it answers."""

    def __init__(self, *components):
        self.folder = tempfile.TemporaryDirectory()
        self.answers = io.BytesIO()
        self.server = _Server(components, io.BytesIO(), self.answers)
        self.ask("hello", folder=self.folder.name)

    def ask(self, call, **rest):
        self.answers.seek(0)
        self.answers.truncate()
        self.server._answer({"id": 1, "call": call, **rest})
        lines = self.answers.getvalue().splitlines()
        return json.loads(lines[-1])

    def write(self, name, array):
        np.save(Path(self.folder.name) / name, array)
        return name


CONTEXT = {"seed": 3, "threads": 1, "device": "cpu", "folder": None}


class Descriptions(unittest.TestCase):
    def test_schemas_are_those_of_the_dataclass(self):
        schema = schema_of(Config)
        self.assertEqual(schema["properties"]["width"], {"type": "integer", "default": 3, "description": "Number of columns"})
        self.assertEqual(schema["properties"]["kind"], {"enum": ["a", "b"], "default": "a"})
        self.assertEqual(schema["properties"]["sizes"], {"type": "array", "items": {"type": "integer"}, "default": [1, 2]})
        self.assertEqual(schema["properties"]["name"], {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None})
        self.assertEqual(schema["required"], ["rate"])
        self.assertIs(schema["additionalProperties"], False)
        with self.assertRaises(TypeError):
            schema_of(int)

    def test_ranges_of_options_are_in_the_schema(self):
        @dataclass
        class Ranges:
            trees: int = molarena.option(200, "Number of trees", minimum=1)
            rate: float = molarena.option(0.1, above=0, maximum=1)
            share: float = molarena.option(0.5, minimum=0, below=1)
            others: dict = molarena.option({})

        properties = schema_of(Ranges)["properties"]
        self.assertEqual(properties["trees"], {"type": "integer", "default": 200, "description": "Number of trees", "minimum": 1})
        self.assertEqual(properties["rate"], {"type": "number", "default": 0.1, "exclusiveMinimum": 0, "maximum": 1})
        self.assertEqual(properties["share"], {"type": "number", "default": 0.5, "minimum": 0, "exclusiveMaximum": 1})
        Ranges().others["x"] = 1
        self.assertEqual(Ranges().others, {}, "each configuration has a dictionary of its own")
        with self.assertRaises(TypeError):
            molarena.option(1, least=0)

    def test_functions_are_described(self):
        described = lengths._describe()
        self.assertEqual((described["kind"], described["id"]), ("encoder", "lengths"))
        self.assertEqual(described["summary"], "Numbers of characters.")
        self.assertEqual(mean_of_labels._describe()["id"], "mean")

    def test_two_of_one_name_are_refused(self):
        with self.assertRaises(ValueError):
            _Server((lengths, lengths), io.BytesIO(), io.BytesIO())


class Shifted(molarena.Encoder):
    """The number of characters plus what labels taught."""

    @dataclass
    class FineTuneConfig:
        share: float = molarena.option(1.0, "Share of the mean label", minimum=0)

    def __init__(self, config=None):
        super().__init__(config)
        self.shift = 5.0

    def encode(self, molecules, call):
        return [len(text) + self.shift for text in molecules.smiles]

    def finetune(self, config):
        return ShiftedModel(self.shift, config.share)


class ShiftedModel(molarena.Baseline):
    def __init__(self, shift, share):
        super().__init__()
        self.shift, self.share = shift, share

    def fit(self, molecules, labels, valid, valid_labels, call):
        self.shift += self.share * np.nanmean(labels.values, axis=0)

    def predict(self, molecules, call):
        return np.array([[len(text)] for text in molecules.smiles]) + self.shift

    def save(self):
        return np.asarray(self.shift, dtype=float).tobytes()

    def load(self, state):
        self.shift = np.frombuffer(state)


class FineTuning(unittest.TestCase):
    def test_it_is_described_where_it_is_offered(self):
        self.assertNotIn("finetune", lengths._describe())
        schema = Shifted._describe()["finetune"]["config_schema"]
        self.assertEqual(schema["properties"]["share"]["minimum"], 0)
        self.assertIs(schema["additionalProperties"], False)

    def test_a_model_starts_from_the_encoder_and_is_an_instance_of_its_own(self):
        answers = Answers(Shifted, lengths)
        encoder = answers.ask("create", kind="encoder", component="shifted", config={})["ok"]
        model = answers.ask("finetune", **encoder, config={"share": 2.0})["ok"]
        self.assertNotEqual(model, encoder)
        answers.ask("drop", **encoder)
        (Path(answers.folder.name) / "0.json").write_text(json.dumps(["CC", "C"]))
        x = {"rows": 2, "smiles": "0.json"}
        labels = {"kind": "regression", "values": answers.write("1.npy", np.array([[1, np.nan], [3, 4]], np.float32))}
        parts = {"train": x, "train_labels": labels, "valid": x, "valid_labels": labels}
        self.assertEqual(answers.ask("fit", **model, **parts, context=CONTEXT), {"id": 1, "ok": {}})

        def predicted(model):
            answer = answers.ask("predict", **model, inputs=x, tasks=2, context=CONTEXT)
            return np.load(Path(answers.folder.name) / answer["ok"]["values"])

        np.testing.assert_array_equal(predicted(model), [[11, 15], [10, 14]])
        state = answers.ask("save", **model)["ok"]["state"]
        encoder = answers.ask("create", kind="encoder", component="shifted", config={})["ok"]
        other = answers.ask("finetune", **encoder, config={})["ok"]
        answers.ask("load", **other, state=state)
        np.testing.assert_array_equal(predicted(other), predicted(model))

    def test_what_is_wrong_has_a_status(self):
        answers = Answers(Shifted, lengths)
        encoder = answers.ask("create", kind="encoder", component="lengths", config={})["ok"]
        self.assertEqual(answers.ask("finetune", **encoder, config={})["error"]["status"], "unsupported")
        encoder = answers.ask("create", kind="encoder", component="shifted", config={})["ok"]
        error = answers.ask("finetune", **encoder, config={"shape": 2.0})["error"]
        self.assertEqual(error["status"], "invalid-config")
        self.assertIn("shape", error["message"])


class Frames(unittest.TestCase):
    def test_a_function_encodes(self):
        answers = Answers(lengths)
        made = answers.ask("create", kind="encoder", component="lengths", config={})
        (Path(answers.folder.name) / "0.json").write_text(json.dumps(["CC", "C", "CCO"]))
        inputs = {"rows": 3, "smiles": "0.json"}
        answer = answers.ask("encode", instance=made["ok"]["instance"], inputs=inputs, context=CONTEXT)
        values = np.load(Path(answers.folder.name) / answer["ok"]["values"])
        self.assertEqual(values.dtype, np.float32)
        np.testing.assert_array_equal(values, [[2], [1], [3]])

    def test_a_function_learns(self):
        answers = Answers(mean_of_labels)
        made = answers.ask("create", kind="baseline", component="mean", config={})["ok"]
        x = {"rows": 2, "dense": answers.write("0.npy", np.zeros((2, 1), np.float32))}
        labels = {"kind": "regression", "values": answers.write("1.npy", np.array([[1, np.nan], [3, 4]], np.float32))}
        parts = {"train": x, "train_labels": labels, "valid": x, "valid_labels": labels}
        self.assertEqual(answers.ask("fit", **made, **parts, context=CONTEXT), {"id": 1, "ok": {}})
        answer = answers.ask("predict", **made, inputs=x, tasks=2, context=CONTEXT)
        np.testing.assert_array_equal(np.load(Path(answers.folder.name) / answer["ok"]["values"]), [[2, 4], [2, 4]])

    def test_what_is_wrong_has_a_status_and_a_place(self):
        answers = Answers(lengths)
        error = answers.ask("create", kind="encoder", component="other", config={})["error"]
        self.assertEqual(error["status"], "invalid-config")
        self.assertIn("there are: lengths", error["message"])
        error = answers.ask("create", kind="encoder", component="lengths", config={"width": 3})["error"]
        self.assertIn("`width` is given", error["message"])
        made = answers.ask("create", kind="encoder", component="lengths", config={})["ok"]
        dense = {"rows": 1, "dense": answers.write("0.npy", np.zeros((1, 1), np.float32))}
        error = answers.ask("encode", **made, inputs=dense, context=CONTEXT)["error"]
        self.assertEqual(error["status"], "data")
        self.assertIn("come as dense, not as smiles", error["message"])
        self.assertEqual(answers.ask("save", **made)["error"]["status"], "unsupported")
        self.assertEqual(answers.ask("fly", **made)["error"]["status"], "unsupported")

    def test_progress_and_cancellation_reach_a_call(self):
        class Slow(molarena.Encoder):
            def encode(self, molecules, call):
                call.progress(0.5, "half")
                call.check()
                return np.zeros((len(molecules), 1))

        answers = Answers(Slow)
        made = answers.ask("create", kind="encoder", component="slow", config={})["ok"]
        answers.ask("encode", **made, inputs={"rows": 1}, context=CONTEXT)
        first = json.loads(answers.answers.getvalue().splitlines()[0])
        self.assertEqual(first, {"id": 1, "progress": 0.5, "message": "half"})
        answers.server.cancelled.add(1)
        error = answers.ask("encode", **made, inputs={"rows": 1}, context=CONTEXT)["error"]
        self.assertEqual(error["status"], "cancelled")


class Tasks(unittest.TestCase):
    """Baselines that fit each task by itself."""

    CLASSES = [[0, np.nan, 1, 0], [1, np.nan, 1, np.nan], [1, np.nan, np.nan, 1], [1, np.nan, 1, np.nan]]

    def fitted(self, kind, values, component=Means, **call):
        with tempfile.TemporaryDirectory() as folder:
            np.save(Path(folder) / "0.npy", np.zeros((4, 2), np.float32))
            x = Molecules({"rows": 4, "dense": "0.npy"}, Exchange(Path(folder)))
            labels = Labels(np.array(values, np.float32), kind)
            made = component()
            made.fit(x, labels, x, labels, molarena.Call(**call))
            return made, made.predict(x, molarena.Call())

    def test_missing_labels_are_no_labels(self):
        reported = []
        made, predictions = self.fitted("classification", self.CLASSES, _report=lambda *what: reported.append(what))
        np.testing.assert_array_equal(predictions, np.tile(np.float32([0.75, 0.5, 1, 0.5]), (4, 1)))
        self.assertEqual(made.seen, (4, 2), "tasks with one class or none are not fitted")
        self.assertEqual(reported[0], (0.25, "task 1 of 4"))
        _, predictions = self.fitted("regression", [[2, np.nan], [4, np.nan], [np.nan, np.nan], [6, np.nan]])
        np.testing.assert_array_equal(predictions[0], [4, 0])

    def test_states_are_restored_and_damaged_ones_refused(self):
        made, _ = self.fitted("classification", self.CLASSES)
        state = made.save()
        other = Means()
        other.load(state)
        self.assertEqual((other.models, other.is_classification), (made.models, True))
        for damaged in (b"", b"x" * 100, state[:-1], state[: len(state) // 2], state[:30]):
            with self.assertRaises(molarena.DataError):
                Means().load(damaged)

    def test_a_cancelled_fit_ends(self):
        with self.assertRaises(molarena.Cancelled):
            self.fitted("classification", self.CLASSES, _cancelled=lambda: True)

    def test_estimators_get_the_seed_and_the_threads(self):
        component = molarena.sklearn_baseline(Estimator(), id="own")
        self.assertEqual(component._describe()["summary"], "Estimator of scikit-learn, one for each task")
        with sklearn():
            made, predictions = self.fitted("classification", self.CLASSES, component, seed=2**32 + 5, threads=3)
            with self.assertRaises(molarena.Unsupported) as raised:
                self.fitted("regression", self.CLASSES, component)
        self.assertIn("no estimator for regression", str(raised.exception))
        np.testing.assert_array_equal(predictions[:, 0], [0.75] * 4)
        self.assertTrue(made.models[0].classes, "classes are whole numbers")
        self.assertEqual(
            made.models[0].parameters, {"random_state": 5, "n_jobs": 3, "part__random_state": 5, "depth": 3}
        )
        self.assertIsNone(component.classifier.parameters["n_jobs"], "the estimator of the class is left as it is")


class Imports(unittest.TestCase):
    def module(self, text):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        # A name that is never given again: a cancelled import may still run when the next test starts.
        name = f"molarena_test_{uuid.uuid4().hex}"
        self.addCleanup(sys.modules.pop, name, None)
        (Path(folder.name) / f"{name}.py").write_text(text)
        patched = mock.patch.object(sys, "path", [folder.name, *sys.path])
        patched.start()
        self.addCleanup(patched.stop)
        return name

    def test_packages_are_imported(self):
        name = self.module("value = 3")
        molarena.Call().import_packages("json", name)
        self.assertEqual(sys.modules[name].value, 3)

    def test_what_fails_is_raised(self):
        with self.assertRaises(ZeroDivisionError):
            molarena.Call().import_packages(self.module("1 / 0"))
        with self.assertRaises(ModuleNotFoundError):
            molarena.Call().import_packages("molarena_no_such_package")

    def test_a_cancelled_call_does_not_wait(self):
        name = self.module("import time\ntime.sleep(3)")
        started = time.monotonic()
        with self.assertRaises(molarena.Cancelled):
            molarena.Call(_cancelled=lambda: True).import_packages(name)
        self.assertLess(time.monotonic() - started, 2)


class Data(unittest.TestCase):
    def test_bits_are_unpacked_in_order(self):
        with tempfile.TemporaryDirectory() as folder:
            words = np.array([[1 | 1 << 5, 1 << 1], [0, 1]], np.uint64)
            np.save(Path(folder) / "0.npy", words)
            molecules = Molecules({"rows": 2, "bits": {"words": "0.npy", "n_bits": 100}}, Exchange(Path(folder)))
            self.assertEqual(molecules.bits.shape, (2, 100))
            self.assertEqual(np.flatnonzero(molecules.bits[0]).tolist(), [0, 5, 65])
            self.assertEqual(np.flatnonzero(molecules.bits[1]).tolist(), [64])
            self.assertEqual(molecules.matrix.dtype, np.float32)

    def test_labels_know_their_kind(self):
        labels = Labels(np.zeros((2, 3), np.float32), "classification")
        self.assertTrue(labels.is_classification)
        self.assertEqual(labels.tasks, 3)


if __name__ == "__main__":
    unittest.main()
