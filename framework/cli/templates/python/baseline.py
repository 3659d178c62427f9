"""A baseline: ridge regression of each task."""

import io
from dataclasses import dataclass, field

import numpy as np

import molarena


def solved(x: np.ndarray, y: np.ndarray, penalty: float) -> np.ndarray:
    """The w that makes |x w - y|² + penalty |w|² least, from the smaller of two equal systems."""
    if len(x) < x.shape[1]:
        return x.T @ np.linalg.solve(x @ x.T + penalty * np.eye(len(x)), y)
    return np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)


class Ridge(molarena.Baseline):
    """Ridge regression of each task, on the molecules that have a label."""

    uses_seed = False

    @dataclass
    class Config:
        penalty: float = field(default=10.0, metadata={"description": "Weight of the squared weights, above 0"})

    def __init__(self, config):
        super().__init__(config)
        if not config.penalty > 0:
            raise molarena.ConfigError(f"`penalty` is {config.penalty}, must be above 0")

    def fit(self, molecules, labels, valid, valid_labels, call):
        x = molecules.matrix.astype(float)
        self.is_classification = labels.is_classification
        self.weights = np.zeros((x.shape[1], labels.tasks))
        # What a task without labels predicts.
        self.offsets = np.full(labels.tasks, 0.5 if labels.is_classification else 0.0)
        for task in range(labels.tasks):
            call.check()
            labelled = ~np.isnan(labels.values[:, task])
            if labelled.any():
                own, y = x[labelled], labels.values[labelled, task].astype(float)
                weights = solved(own - own.mean(axis=0), y - y.mean(), self.config.penalty)
                self.weights[:, task] = weights
                self.offsets[task] = y.mean() - own.mean(axis=0) @ weights
            call.progress((task + 1) / labels.tasks, f"task {task + 1} of {labels.tasks}")

    def predict(self, molecules, call):
        values = molecules.matrix @ self.weights + self.offsets
        return np.clip(values, 0, 1) if self.is_classification else values

    def save(self):
        state = io.BytesIO()
        np.savez(state, weights=self.weights, offsets=self.offsets, is_classification=self.is_classification)
        return state.getvalue()

    def load(self, state):
        with np.load(io.BytesIO(state), allow_pickle=False) as arrays:
            self.weights, self.offsets = arrays["weights"], arrays["offsets"]
            self.is_classification = bool(arrays["is_classification"])


if __name__ == "__main__":
    molarena.serve(Ridge)
