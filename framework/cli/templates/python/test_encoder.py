import unittest
from types import SimpleNamespace

import molarena
from plugin import ELEMENTS, counts, element_counts


class Counts(unittest.TestCase):
    def test_of_caffeine_and_a_salt(self):
        caffeine = counts("Cn1c(=O)c2c(ncn2C)n(C)c1=O")
        self.assertEqual(dict(zip(ELEMENTS, caffeine))["C"], 8)
        self.assertEqual(caffeine, [8, 4, 2, 0, 0, 0, 0, 0, 0, 0, 9, 2, 0, 2, 3])
        self.assertEqual(counts("[Na+].[O-]C(=O)[C@@H](Br)C#N"), [3, 1, 2, 0, 0, 0, 0, 1, 0, 1, 0, 1, 1, 0, 2])

    def test_each_molecule_is_a_row(self):
        encode = lambda smiles: element_counts().encode(SimpleNamespace(smiles=smiles), molarena.Call())
        self.assertEqual(encode(["C", "CO"]).shape, (2, 15))
        self.assertEqual(encode([]).shape, (0, 15))


if __name__ == "__main__":
    unittest.main()
