import unittest
from types import SimpleNamespace

import numpy as np

import molarena
from plugin import Ridge, solved

MISSING = float("nan")


class Solved(unittest.TestCase):
    def test_both_systems_agree(self):
        random = np.random.default_rng(0)
        x, y = random.standard_normal((5, 5)), random.standard_normal(5)
        wide = solved(np.hstack([x, np.zeros((5, 1))]), y, 2.0)
        np.testing.assert_allclose(wide[:5], solved(x, y, 2.0))


class Fitted(unittest.TestCase):
    def setUp(self):
        x = np.array([[0.0], [1.0], [2.0], [3.0]], dtype=np.float32)
        self.molecules = SimpleNamespace(matrix=x)
        self.values = np.hstack([x, x, x]).astype(np.float32)
        self.values[:, 0] = [MISSING, 2.0, 4.0, MISSING]
        self.values[:, 1] = MISSING

    def fitted(self, kind, values):
        ridge = Ridge(Ridge.Config(penalty=1e-6))
        labels = molarena.Labels(values=values, kind=kind)
        ridge.fit(self.molecules, labels, None, None, molarena.Call())
        return ridge

    def test_missing_labels_are_left_out(self):
        predictions = self.fitted("regression", self.values).predict(self.molecules, molarena.Call())
        np.testing.assert_allclose(predictions[:, 0], [0, 2, 4, 6], atol=1e-4)
        np.testing.assert_array_equal(predictions[:, 1], 0)

    def test_classes_become_probabilities(self):
        classes = np.array([[0, MISSING], [0, MISSING], [1, MISSING], [1, MISSING]], dtype=np.float32)
        ridge = self.fitted("classification", classes)
        predictions = ridge.predict(self.molecules, molarena.Call())
        self.assertTrue(((predictions >= 0) & (predictions <= 1)).all() and predictions[0, 0] < predictions[3, 0])
        np.testing.assert_array_equal(predictions[:, 1], 0.5)
        other = Ridge(Ridge.Config())
        other.load(ridge.save())
        np.testing.assert_array_equal(other.predict(self.molecules, molarena.Call()), predictions)

    def test_a_penalty_of_0_is_refused(self):
        with self.assertRaises(molarena.ConfigError):
            Ridge(Ridge.Config(penalty=0.0))


if __name__ == "__main__":
    unittest.main()
