#!/usr/bin/env python3
"""Writes the results of scikit-learn's logistic and ridge regression on small cases as the constants of a Rust module.

    python3 benches/linear_reference.py > plugins/baselines/src/linear/reference.rs && cargo fmt
"""

import numpy as np
import sklearn
from gp_reference import constant, scalar
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

TRAIN, TEST, BITS, COLUMNS, ALPHA = 16, 4, 20, 5, 0.7


def main():
    random = np.random.default_rng(11)
    rows = TRAIN + TEST
    bits = (random.random((rows, BITS)) < 0.3).astype(float)
    dense = (random.normal(size=(rows, COLUMNS)) * [1, 20, 3, 0.1, 1] + 1).round(2)
    dense[:, 4] = -7  # a constant column
    numbers = (bits[:, :5].sum(1) + dense[:, 0] + random.normal(size=rows) * 0.5).round(2)[:TRAIN]
    classes = (numbers > np.median(numbers)).astype(float)
    print(f"//! Made by `benches/linear_reference.py` with scikit-learn {sklearn.__version__}: do not edit.\n")
    what = f"{rows} fingerprints of {BITS} bits; the first {TRAIN} are for training."
    constant("BITS", what, "u64", bits @ 2.0 ** np.arange(BITS))
    constant("DENSE", f"[{rows}, {COLUMNS}].", "f32", dense.ravel())
    constant("NUMBERS", "Labels of the training rows.", "f32", numbers)
    constant("CLASSES", "Labels of the training rows.", "f32", classes)
    scalar("ALPHA", "Weight of the penalty.", ALPHA)
    scaled = StandardScaler().fit(dense[:TRAIN]).transform(dense)
    for name, features in (("BITS", bits), ("DENSE", scaled)):
        ridge = Ridge(ALPHA).fit(features[:TRAIN], numbers)
        constant(f"RIDGE_{name}", "`Ridge` on the test rows.", "f64", ridge.predict(features[TRAIN:]))
        logistic = LogisticRegression(C=1 / ALPHA, tol=1e-12, max_iter=10_000).fit(features[:TRAIN], classes)
        probabilities = logistic.predict_proba(features[TRAIN:])[:, 1]
        constant(f"LOGISTIC_{name}", "`LogisticRegression` on the test rows.", "f64", probabilities)


if __name__ == "__main__":
    main()
