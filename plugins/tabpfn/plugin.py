"""TabPFN: a network pretrained on synthetic tables that predicts a task from its training molecules in one pass."""

import os
from dataclasses import dataclass
from pathlib import Path

import molarena

HERE = Path(__file__).resolve().parent


class TabPFN(molarena.TaskBaseline):
    """TabPFN with the weights of a file, for features of few columns: each task's training molecules are its context."""

    inputs = ("dense", "bits")
    determinism = "none"

    @dataclass
    class Config:
        classifier: str = molarena.option("weights/tabpfn-v2-classifier.ckpt", "Weights for classes: a file, from this folder")
        regressor: str = molarena.option("weights/tabpfn-v2-regressor.ckpt", "Weights for values, likewise")
        members: int = molarena.option(8, "Passes over differently prepared tables, averaged", minimum=1)
        ignore_limits: bool = molarena.option(False, "Accept more molecules or columns than the weights were made for")

    def weights(self):
        """The file of weights for these labels."""
        key = "classifier" if self.is_classification else "regressor"
        path = HERE / getattr(self.config, key)
        if not path.is_file():
            raise molarena.ConfigError(
                f"`{key}`: {path} cannot be read. A worker has no network: download the file once from the Hugging Face hub "
                f"(Prior-Labs/TabPFN-v2-clf or -reg) into {HERE / 'weights'}, or name another folder in `readable` of plugin.toml"
            )
        return path

    def fit(self, molecules, labels, valid, valid_labels, call):
        self.is_classification = labels.is_classification
        self.weights()
        super().fit(molecules, labels, valid, valid_labels, call)

    def fit_task(self, x, y, call):
        # Nothing is trained: the molecules are the model. The state holds no weights.
        return x, y.astype(int) if self.is_classification else y, call.seed % 2**32

    def predict_task(self, model, x, call):
        # Its own way to say that a processor is slow; the suite's wall-clock limit is ours.
        os.environ["TABPFN_ALLOW_CPU_LARGE_DATASET"] = "1"
        call.import_packages("tabpfn")
        import torch
        from tabpfn import TabPFNClassifier, TabPFNRegressor

        torch.set_num_threads(call.threads)
        known, y, seed = model
        kind = TabPFNClassifier if self.is_classification else TabPFNRegressor
        members, ignore = self.config.members, self.config.ignore_limits
        network = kind(
            model_path=self.weights(), device="cpu", n_estimators=members, random_state=seed, ignore_pretraining_limits=ignore
        )
        network.fit(known, y)
        return network.predict_proba(x)[:, 1] if self.is_classification else network.predict(x)


molarena.serve(TabPFN)
