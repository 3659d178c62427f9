"""plugins/unimol against unimol_tools, and what it says of files and molecules that it cannot use.

plugins/unimol/.venv/bin/python -m unittest discover -s tests/golden -p test_unimol.py
"""

import argparse
import csv
import importlib.util
import io
import types
import unittest
from pathlib import Path

import numpy as np
import torch

import molarena

HERE = Path(__file__).resolve().parent
SPEC = importlib.util.spec_from_file_location("unimol_plugin", HERE.parents[1] / "plugins/unimol/plugin.py")
plugin = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(plugin)
STATE = (HERE / "unimol_small.pt").read_bytes()


class Molecules(types.SimpleNamespace):
    def __len__(self):
        return len(self.smiles)


def encoded(smiles, state=STATE, seed=0, **config):
    encoder = plugin.UniMol(plugin.UniMol.Config(**{"unknown": "keep"} | config))
    if state is not None:
        encoder.load(state)
    return encoder.encode(Molecules(smiles=list(smiles)), molarena.Call(seed=seed, threads=1))


def saved(found):
    state = io.BytesIO()
    torch.save(found, state)
    return state.getvalue()


class UniMol(unittest.TestCase):
    def setUp(self):
        with open(HERE / "unimol.csv", newline="") as file:
            rows = [
                (hydrogens == "1", smiles, [float(value) for value in values]) for hydrogens, smiles, *values in csv.reader(file)
            ]
        self.known = {
            hydrogens: (
                [row[1] for row in rows if row[0] == hydrogens],
                np.array([row[2] for row in rows if row[0] == hydrogens]),
            )
            for hydrogens in (True, False)
        }

    def refused(self, part, call):
        with self.assertRaisesRegex(molarena.DataError, part):
            call()

    def test_vectors_are_those_of_the_reference(self):
        for hydrogens, (smiles, vectors) in self.known.items():
            with self.subTest(hydrogens=hydrogens):
                np.testing.assert_allclose(encoded(smiles, hydrogens=hydrogens), vectors, atol=1e-4)

    def test_company_changes_nothing(self):
        smiles, _ = self.known[True]
        together = encoded(smiles)
        np.testing.assert_allclose(np.vstack([encoded([text]) for text in smiles]), together, atol=1e-5)
        np.testing.assert_allclose(encoded(smiles[::-1])[::-1], together, atol=1e-5)
        np.testing.assert_allclose(encoded(["CCO"] * 40), np.repeat(encoded(["CCO"]), 40, axis=0), atol=1e-5)
        self.assertEqual(encoded([]).shape[0], 0)

    def test_a_molecule_without_a_place_in_space_lies_in_the_plane(self):
        # RDKit finds no conformer of a ring of three with a triple bond.
        self.assertFalse(plugin.conformer("C1#CC1", 42)[2])
        symbols, coordinates, found = plugin.conformer("CCO", 42)
        self.assertTrue(found and len(symbols) == len(coordinates) == 9)
        self.assertTrue(np.isfinite(encoded(["C1#CC1"])).all())

    def test_layouts_of_the_release_of_the_package_and_of_a_state_are_read(self):
        smiles, _ = self.known[True]
        tensors = plugin.read(STATE)["model"]
        more = tensors | {"lm_head.bias": torch.zeros(31), "encoder.final_head_layer_norm.weight": torch.zeros(4)}
        encoder = plugin.UniMol(plugin.UniMol.Config())
        encoder.load(STATE)
        for layout in (
            {"args": argparse.Namespace(arch="unimol_base"), "model": more, "extra_state": {"epoch": 3}},
            {"model_state_dict": more},
            more,
        ):
            np.testing.assert_array_equal(encoded(smiles, saved(layout)), encoded(smiles))
        np.testing.assert_array_equal(encoded(smiles, encoder.save()), encoded(smiles))

    def test_the_random_twin_has_the_released_width_and_follows_the_seed(self):
        first, again, other = (encoded(["CCO"], None, seed) for seed in (1, 1, 2))
        self.assertEqual(first.shape, (1, 512))
        np.testing.assert_allclose(first, again, atol=1e-5)
        self.assertGreater(np.abs(first - other).max(), 0.1)
        with self.assertRaises(molarena.Unsupported):
            plugin.UniMol(plugin.UniMol.Config()).save()

    def test_other_files_are_refused_with_what_is_wrong(self):
        def load(state):
            return lambda: plugin.UniMol(plugin.UniMol.Config()).load(state)

        tensors = plugin.read(STATE)["model"]
        self.refused("no file of `torch.save`", load(b"no checkpoint"))
        self.refused("no file of `torch.save`", load(STATE[: len(STATE) // 2]))
        self.refused("name mol_pre_all_h_220816.pt", load(saved({"state_dict": {}})))
        self.refused("name mol_pre_all_h_220816.pt", load(saved([1.0])))
        self.refused(
            "1 tensors differ, first no `encoder.layers.1.fc2.bias",
            load(saved({k: v for k, v in tensors.items() if k != "encoder.layers.1.fc2.bias"})),
        )
        crystals = tensors | {"embed_tokens.weight": torch.zeros(92, 16)}
        self.refused(r"embed_tokens.weight` \(92, 16\), not \(31, 16\); the dictionary", load(saved({"model": crystals})))
        self.refused("no multiple of its 3 heads", load(saved(tensors | {"gbf_proj.linear2.weight": torch.zeros(3, 128)})))

    def test_molecules_that_cannot_be_read_are_named(self):
        self.refused("does not read `C1CC`", lambda: encoded(["CCO", "C1CC"]))
        self.refused(r"has 9 atoms with hydrogens, and `max_atoms` is 8", lambda: encoded(["CCO"], max_atoms=8))
        self.refused(
            r"has 3 atoms without hydrogens, and `max_atoms` is 2", lambda: encoded(["CCO"], max_atoms=2, hydrogens=False)
        )
        self.refused(r"`\[Cu\+2\]` has Cu, .*`unknown = 'keep'`", lambda: encoded(["[Cu+2]"], unknown="refuse"))
        self.refused("has hydrogens only", lambda: encoded(["[H][H]"], hydrogens=False))


if __name__ == "__main__":
    unittest.main()
