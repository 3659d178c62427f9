#!/usr/bin/env python3
"""Write reference_cases.json beside this file: what scikit-learn and scipy give on generated cases.

    python3 -m venv /tmp/sk-venv && /tmp/sk-venv/bin/pip install scikit-learn scipy
    /tmp/sk-venv/bin/python framework/metrics/tests/make_reference_cases.py

Inputs are float32 values, written exactly; the references are computed from them in float64. An undefined score is
null. Where these libraries return a number for what molarena-metrics leaves undefined (average precision and balanced
accuracy of one class, R2 of equal labels), null is written too, by the rules marked below. The Brier score and the
expected calibration error are there for probabilities alone: scikit-learn refuses others.
"""

import json
import pathlib
import platform
import warnings

import numpy as np
import scipy
import sklearn
from scipy.stats import kendalltau, spearmanr
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)

SEED = 20240612
rng = np.random.default_rng(SEED)


def grid(values, steps):
    """Round to multiples of 1/steps, a power of two: exact in float32, and short to write."""
    return np.round(np.asarray(values, dtype=np.float64) * steps) / steps


def number(value):
    """An integer where that is as exact (-0.0 is not 0), to keep the file short."""
    return int(value) if value.is_integer() and (value != 0 or not np.signbit(value)) else float(value)


def calibration_error(labels, probabilities, bins=15):
    """The weighted gap of scikit-learn's reliability diagram, which leaves out empty bins."""
    shares, means = calibration_curve(labels, probabilities, n_bins=bins, strategy="uniform")
    places = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], probabilities)
    counts = np.bincount(places, minlength=bins)
    return np.sum(counts[counts > 0] * np.abs(shares - means)) / len(labels)


def score(name, labels, predictions):
    same_labels = len(np.unique(labels)) == 1
    if name in ("roc_auc", "average_precision", "balanced_accuracy", "r2") and same_labels:  # rule: undefined
        return None
    if name in ("spearman", "kendall") and (same_labels or len(np.unique(predictions)) == 1):  # scipy: nan
        return None
    value = {
        "roc_auc": roc_auc_score,
        "average_precision": average_precision_score,
        "mae": mean_absolute_error,
        "rmse": root_mean_squared_error,
        "r2": r2_score,
        "spearman": lambda y, p: spearmanr(y, p).statistic,
        "balanced_accuracy": lambda y, p: balanced_accuracy_score(y, p > 0.5),
        "brier": lambda y, p: brier_score_loss(y, p, pos_label=1),
        "ece": calibration_error,
        "kendall": lambda y, p: kendalltau(y, p).statistic,
    }[name](labels, predictions)
    assert np.isfinite(value)
    return float(value)


cases = []


def add(name, metrics, labels, predictions):
    labels, predictions = (np.asarray(a).astype(np.float32).astype(np.float64) for a in (labels, predictions))
    if metrics == CLASSIFICATION and predictions.min() >= 0 and predictions.max() <= 1:
        metrics += PROBABILITY
    cases.append(
        {
            "name": name,
            "labels": [number(v) for v in labels],
            "predictions": [number(v) for v in predictions],
            "expected": {metric: score(metric, labels, predictions) for metric in metrics},
        }
    )


CLASSIFICATION = ("roc_auc", "average_precision", "balanced_accuracy")
PROBABILITY = ("brier", "ece")
REGRESSION = ("mae", "rmse", "r2", "spearman", "kendall")


def classes(n, positives):
    labels = np.zeros(n)
    labels[rng.permutation(n)[:positives]] = 1
    return labels


def classification():
    for n, positives in [(2, 1), (3, 1), (3, 2), (5, 2), (8, 4), (12, 1), (12, 11)]:
        labels = classes(n, positives)
        add(f"small n={n} positives={positives}", CLASSIFICATION, labels, grid(rng.random(n), 1024))
        add(f"small tied n={n} positives={positives}", CLASSIFICATION, labels, grid(rng.random(n), 2))
    for n, positives in [(40, 20), (100, 1), (100, 3), (100, 50), (100, 99), (200, 2), (200, 180)]:
        labels = classes(n, positives)
        add(f"informative n={n} positives={positives}", CLASSIFICATION, labels, grid(labels + rng.normal(size=n), 256))
    for steps in (2, 4, 16):
        labels = classes(150, 30)
        predictions = np.clip(labels * 0.3 + rng.random(150), 0, 1)
        add(f"tied in steps of 1/{steps}", CLASSIFICATION, labels, grid(predictions, steps))
    labels = classes(60, 15)
    add("constant predictions", CLASSIFICATION, labels, np.full(60, 0.25))
    add("hard predictions", CLASSIFICATION, labels, np.where(rng.random(60) < 0.8, labels, 1 - labels))
    add("perfect", CLASSIFICATION, labels, labels * 0.5 + grid(rng.random(60), 256) / 4)
    add("reversed", CLASSIFICATION, labels, 1 - labels)
    add("zeros of both signs", CLASSIFICATION, [0, 1, 0, 1, 1], [-0.0, 0.0, 0.0, -0.0, 1.0])
    add("full float32 precision", CLASSIFICATION, classes(80, 25), rng.random(80))
    add("logits", CLASSIFICATION, classes(80, 25), rng.normal(scale=8, size=80))
    add("large", CLASSIFICATION, labels := classes(500, 60), grid(labels + rng.normal(size=500), 256))
    add("large tied", CLASSIFICATION, labels := classes(500, 10), grid(labels / 4 + rng.random(500), 8))
    add("only positives", CLASSIFICATION, np.ones(6), grid(rng.random(6), 64))
    add("only negatives", CLASSIFICATION, np.zeros(6), grid(rng.random(6), 64))
    add("one row", CLASSIFICATION, [1], [0.75])


def regression():
    for n in (2, 3, 5, 10, 30, 100):
        labels = grid(rng.normal(size=n), 1024)
        add(f"noisy n={n}", REGRESSION, labels, grid(labels + rng.normal(scale=0.7, size=n), 1024))
        labels = grid(rng.normal(size=n), 2)
        labels[0] = labels[-1] + 1
        add(f"tied n={n}", REGRESSION, labels, grid(0.5 * labels + rng.normal(size=n), 2))
    labels = grid(rng.normal(size=60), 256)
    add("unrelated", REGRESSION, labels, grid(rng.normal(size=60), 256))
    add("perfect", REGRESSION, labels, labels)
    add("reversed", REGRESSION, labels, -labels)
    add("constant predictions", REGRESSION, labels, np.full(60, 0.5))
    add("equal labels", REGRESSION, np.full(20, 1.5), grid(rng.normal(size=20), 256))
    add("one row", REGRESSION, [1.5], [1.25])
    add("far from zero", REGRESSION, 100 + labels, 100 + grid(labels + rng.normal(scale=0.3, size=60), 256))
    add("heavy tails", REGRESSION, tails := grid(rng.standard_t(2, size=80), 256), grid(tails * 0.8, 16))
    add("full float32 precision", REGRESSION, full := rng.normal(size=80), full + rng.normal(scale=0.2, size=80))
    add("large", REGRESSION, large := grid(rng.normal(size=500), 256), grid(large + rng.normal(size=500), 256))
    add("large tied", REGRESSION, large := grid(rng.normal(size=500), 4), grid(large + rng.normal(size=500), 4))


warnings.simplefilter("error")
classification()
regression()
document = {
    "generated_by": "framework/metrics/tests/make_reference_cases.py",
    "seed": SEED,
    "versions": {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
        "scipy": scipy.__version__,
    },
}
lines = [json.dumps(case, separators=(",", ":")) for case in cases]
text = json.dumps(document, indent=1)[:-2] + ',\n "cases": [\n' + ",\n".join(lines) + "\n ]\n}\n"
json.loads(text)
path = pathlib.Path(__file__).with_name("reference_cases.json")
path.write_text(text)
print(f"{len(cases)} cases, {len(text)} bytes: {path}")
