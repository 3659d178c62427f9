"""Components without an arena: what they describe, and how they answer frames."""

import io
import json
import tempfile
import unittest
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

    def test_functions_are_described(self):
        described = lengths._describe()
        self.assertEqual((described["kind"], described["id"]), ("encoder", "lengths"))
        self.assertEqual(described["summary"], "Numbers of characters.")
        self.assertEqual(mean_of_labels._describe()["id"], "mean")

    def test_two_of_one_name_are_refused(self):
        with self.assertRaises(ValueError):
            _Server((lengths, lengths), io.BytesIO(), io.BytesIO())


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
