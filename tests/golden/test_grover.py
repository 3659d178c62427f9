"""plugins/grover against jax-grover, and what it says of files and molecules that it cannot use.

plugins/grover/.venv/bin/python -m unittest discover -s tests/golden -p test_grover.py
"""

import argparse
import csv
import importlib.util
import io
import os
import types
import unittest
from pathlib import Path

import numpy as np
import torch

import molarena

HERE = Path(__file__).resolve().parent
SPEC = importlib.util.spec_from_file_location("grover_plugin", HERE.parents[1] / "plugins/grover/plugin.py")
plugin = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(plugin)
STATE = (HERE / "grover_small.pt").read_bytes()


class Molecules(types.SimpleNamespace):
    def __len__(self):
        return len(self.smiles)


def encoded(smiles, state=STATE, seed=0, **config):
    encoder = plugin.Grover(plugin.Grover.Config(**config))
    if state is not None:
        encoder.load(state)
    return encoder.encode(Molecules(smiles=list(smiles)), molarena.Call(seed=seed, threads=1))


def changed(args=None, drop=(), forget=(), legacy=False, **tensors):
    """The small checkpoint with other `args` and tensors."""
    found = plugin.read(STATE)
    args = {name: value for name, value in (vars(found["args"]) | (args or {})).items() if name not in forget}
    found["args"] = argparse.Namespace(**args)
    found["state_dict"] = {name: value for name, value in found["state_dict"].items() if name not in drop} | tensors
    state = io.BytesIO()
    torch.save(found, state, _use_new_zipfile_serialization=not legacy)
    return state.getvalue()


class Grover(unittest.TestCase):
    def setUp(self):
        with open(HERE / "grover.csv", newline="") as file:
            rows = [(int(places), smiles, [float(value) for value in values]) for places, smiles, *values in csv.reader(file)]
        self.known = {
            places: ([row[1] for row in rows if row[0] == places], np.array([row[2] for row in rows if row[0] == places]))
            for places in (0, 4, 6)
        }

    def refused(self, part, call):
        with self.assertRaisesRegex(molarena.DataError, part):
            call()

    def test_vectors_are_those_of_the_reference(self):
        for places, (smiles, vectors) in self.known.items():
            with self.subTest(places=places):
                np.testing.assert_allclose(encoded(smiles, padding=places), vectors, atol=1e-4)
        smiles, vectors = self.known[0]
        np.testing.assert_allclose(encoded(smiles, padding=0, view="atom"), vectors[:, :16], atol=1e-4)
        np.testing.assert_allclose(encoded(smiles, padding=0, view="bond"), vectors[:, 16:], atol=1e-4)

    def test_company_changes_nothing(self):
        smiles, _ = self.known[0]
        together = encoded(smiles)
        np.testing.assert_allclose(np.vstack([encoded([text]) for text in smiles]), together, atol=1e-5)
        np.testing.assert_allclose(encoded(smiles[::-1] * 3)[: len(smiles)][::-1], together, atol=1e-5)
        # Sulphur of six neighbours stands beside those of four with places of its own.
        np.testing.assert_allclose(encoded(["FS(F)(F)(F)(F)F", "CCO"])[1:], encoded(["CCO"]), atol=1e-5)

    def test_a_molecule_without_bonds_has_zeros_for_them(self):
        vectors = encoded(["C", "[Na+].[Cl-]"])
        self.assertTrue((vectors[:, 16:] == 0).all() and (vectors[:, :16] != 0).all())
        self.assertEqual(encoded([]).shape[0], 0)

    def test_a_checkpoint_of_an_older_torch_is_read_and_a_state_read_again(self):
        smiles, _ = self.known[0]
        np.testing.assert_array_equal(encoded(smiles, changed(legacy=True)), encoded(smiles))
        other = changed({"device": torch.device("cpu"), "save_dir": "model", "gpu": None}, forget=["dense", "bias"])
        np.testing.assert_array_equal(encoded(smiles, other), encoded(smiles))
        encoder = plugin.Grover(plugin.Grover.Config())
        encoder.load(STATE)
        np.testing.assert_array_equal(encoded(smiles, encoder.save()), encoded(smiles))

    def test_the_random_twin_has_the_size_of_the_base_model_and_follows_the_seed(self):
        count = sum(int(np.prod(shape)) for shape in plugin.Network.shapes(plugin.BASE).values())
        self.assertAlmostEqual(count * 4 / 193_589_423, 1.0, delta=0.005)
        first, again, other = (encoded(["CCO"], None, seed) for seed in (1, 1, 2))
        self.assertEqual(first.shape, (1, 3200))
        np.testing.assert_allclose(first, again, atol=1e-5)
        self.assertGreater(np.abs(first - other).max(), 0.1)
        with self.assertRaises(molarena.Unsupported):
            plugin.Grover(plugin.Grover.Config()).save()

    def test_other_files_are_refused_with_what_is_wrong(self):
        def load(state):
            return lambda: plugin.Grover(plugin.Grover.Config()).load(state)

        class Evil:
            def __reduce__(self):
                return os.mkdir, ("must-not-be-made",)

        other, evil = io.BytesIO(), io.BytesIO()
        torch.save({"model": {}}, other)
        torch.save({"args": Evil(), "state_dict": {}}, evil)
        self.refused("no file of `torch.save`", load(b"no checkpoint"))
        self.refused("no file of `torch.save`", load(STATE[: len(STATE) // 2]))
        self.refused("weights only", load(evil.getvalue()))
        self.assertFalse(Path("must-not-be-made").exists())
        self.refused("has `args` and `state_dict`; this has model", load(other.getvalue()))
        self.refused("backbone.*dualtrans", load(changed({"backbone": "dualtrans"})))
        self.refused("`activation` is 'GELU'", load(changed({"activation": "GELU"})))
        self.refused("`hidden_size` is 'wide'", load(changed({"hidden_size": "wide"})))
        self.refused("`args` of this checkpoint has no depth", load(changed(forget=["depth"])))
        self.refused("no multiple", load(changed({"num_attn_head": 3})))
        self.refused("no `encoders.node_blocks.2", load(changed({"num_mt_block": 3})))
        self.refused(
            "1 tensors differ, first no `encoders.node_blocks.0.W_o",
            load(changed(drop={"grover.encoders.node_blocks.0.W_o.weight"})),
        )
        wide = {"grover.encoders.node_blocks.0.W_i.weight": torch.zeros(8, 133)}
        self.refused(r"W_i.weight` \(8, 133\), not \(8, 151\)", load(changed(**wide)))

    def test_molecules_that_cannot_be_read_are_named(self):
        self.refused("does not read `C1CC`", lambda: encoded(["CCO", "C1CC"]))
        self.refused("does not read ``", lambda: encoded([""]))
        self.refused(r"`C\*` has an atom `\*`; GROVER knows elements 1 to 100", lambda: encoded(["C*"]))


if __name__ == "__main__":
    unittest.main()
