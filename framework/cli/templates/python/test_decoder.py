import unittest

import numpy as np

import molarena
from plugin import Cosine, cosines

MISSING = float("nan")


class Cosines(unittest.TestCase):
    def test_missing_values_do_not_count(self):
        found = cosines(np.array([[3.0, 4.0, 9.0]]), np.array([[3.0, 4.0, MISSING], [4.0, -3.0, MISSING]]))
        np.testing.assert_allclose(found, [[1.0, 0.0]], atol=1e-12)

    def test_what_cannot_be_compared_is_0(self):
        found = cosines(np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[1.0, 2.0], [MISSING, MISSING], [0.0, 0.0]]))
        np.testing.assert_array_equal(found[0], [0.0, 0.0, 0.0])
        np.testing.assert_array_equal(found[1, 1:], [0.0, 0.0])

    def test_other_widths_are_refused(self):
        decoder = Cosine(Cosine.Config())
        call = molarena.Call()
        self.assertEqual(decoder.score(np.ones((2, 3)), np.ones((4, 3)), "morphology", call).shape, (2, 4))
        with self.assertRaisesRegex(molarena.DataError, "3 columns, the profiles of morphology 5"):
            decoder.score(np.ones((2, 3)), np.ones((4, 5)), "morphology", call)


if __name__ == "__main__":
    unittest.main()
