#!/usr/bin/env python3
"""Writes the results of scikit-learn's Gaussian processes on small cases as the constants of a Rust module.

    python3 benches/gp_reference.py > plugins/baselines/src/gp/reference.rs && cargo fmt

Needs scikit-learn 1.8 or later. The kernels are subclasses of scikit-learn's `Kernel`. Nothing is optimised, so both sides
solve the same equations.
"""

import numpy as np
import sklearn
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Kernel, NormalizedKernelMixin
from sklearn.preprocessing import StandardScaler

TRAIN, TEST, BITS, COLUMNS = 14, 5, 24, 6
NOISE, AMPLITUDE, LENGTH_SCALE = 0.3, 4.0, 1.5


class MinMax(NormalizedKernelMixin, Kernel):
    """Sum of the smaller counts divided by the sum of the larger ones; on bits this is Tanimoto."""

    def __init__(self):
        pass

    def __call__(self, x, y=None, eval_gradient=False):
        y = x if y is None else y
        least = np.minimum(x[:, None], y[None]).sum(-1)
        most = np.maximum(x[:, None], y[None]).sum(-1)
        return np.where(most > 0, least / np.maximum(most, 1), 1.0)

    def is_stationary(self):
        return False


def regression(kernel, x, y, test):
    model = GaussianProcessRegressor(kernel, alpha=NOISE, normalize_y=True, optimizer=None)
    return model.fit(x, y).predict(test)


def grouped(value):
    """Twelve decimals in groups of three, as Clippy requires."""
    whole, _, part = f"{float(value):.12f}".rstrip("0").partition(".")
    return whole + "." + "_".join(part[i : i + 3] for i in range(0, len(part), 3) or [0]) if part else whole + ".0"


def constant(name, what, kind, values):
    values = np.asarray(values)
    text = ", ".join(f"{int(value):_}" if kind == "u64" else grouped(value) for value in values)
    print(f"/// {what}\npub(super) const {name}: [{kind}; {len(values)}] = [{text}];")


def scalar(name, what, value):
    print(f"/// {what}\npub(super) const {name}: f64 = {grouped(value)};")


def main():
    random = np.random.default_rng(7)
    rows = TRAIN + TEST
    bits = (random.random((rows, BITS)) < 0.3).astype(float)
    bits[3] = bits[2]  # equal molecules
    bits[5] = 0  # an empty fingerprint, in training and in testing
    bits[TRAIN] = 0
    counts = random.poisson(0.8, (rows, COLUMNS)).astype(float)
    dense = (random.normal(size=(rows, COLUMNS)) * [1, 2, 3, 0.1, 1, 1]).round(2)
    dense[:, 4] = 2.5  # a constant column
    numbers = (bits[:, :6].sum(1) + random.normal(size=rows) * 0.5 + 3).round(2)[:TRAIN]
    classes = (numbers > np.median(numbers)).astype(float)
    print(f"//! Made by `benches/gp_reference.py` with scikit-learn {sklearn.__version__}: do not edit.\n")
    constant("BITS", f"{rows} fingerprints of {BITS} bits; the first {TRAIN} are for training.", "u64", bits @ 2.0 ** np.arange(BITS))
    constant("COUNTS", f"[{rows}, {COLUMNS}].", "f32", counts.ravel())
    constant("DENSE", f"[{rows}, {COLUMNS}].", "f32", dense.ravel())
    constant("NUMBERS", "Labels of the training rows.", "f32", numbers)
    constant("CLASSES", "Labels of the training rows.", "f32", classes)
    scalar("NOISE", "Variance of the noise of the regressions.", NOISE)
    scalar("AMPLITUDE", "Amplitude of the classification's kernel.", AMPLITUDE)
    scalar("LENGTH_SCALE", "Length scale of the RBF kernel.", LENGTH_SCALE)
    means = regression(MinMax(), bits[:TRAIN], numbers, bits[TRAIN:])
    constant("TANIMOTO_MEANS", "`GaussianProcessRegressor` on the bits.", "f64", means)
    means = regression(MinMax(), counts[:TRAIN], numbers, counts[TRAIN:])
    constant("MINMAX_MEANS", "`GaussianProcessRegressor` on the counts.", "f64", means)
    scaler = StandardScaler().fit(dense[:TRAIN])
    means = regression(RBF(LENGTH_SCALE), scaler.transform(dense[:TRAIN]), numbers, scaler.transform(dense[TRAIN:]))
    constant("RBF_MEANS", "`GaussianProcessRegressor` on the standardised dense features.", "f64", means)
    model = GaussianProcessClassifier(ConstantKernel(AMPLITUDE) * MinMax(), optimizer=None)
    model.fit(bits[:TRAIN], classes)
    latent, variance = model.latent_mean_and_variance(bits[TRAIN:])
    constant("LATENT_MEANS", "`GaussianProcessClassifier` on the bits.", "f64", latent)
    constant("LATENT_VARIANCES", "Of the same.", "f64", variance)
    scalar("LOG_MARGINAL_LIKELIHOOD", "Of the same.", model.log_marginal_likelihood_value_)
    averages = [
        quad(lambda f, m=m, s=s: expit(f) * norm.pdf(f, m, s), m - 12 * s, m + 12 * s, epsabs=1e-12)[0]
        for m, s in zip(latent, np.sqrt(variance), strict=True)
    ]
    constant("PROBABILITIES", "The logistic function averaged over these, by `scipy.integrate.quad`.", "f64", averages)
    probabilities = model.predict_proba(bits[TRAIN:])[:, 1]
    constant("SKLEARN_PROBABILITIES", "The same by `predict_proba`, which approximates.", "f64", probabilities)


if __name__ == "__main__":
    main()
