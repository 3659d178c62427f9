"""Gradient-boosted trees of LightGBM, XGBoost and CatBoost as baselines, one model for each task."""

import warnings
from dataclasses import dataclass

import numpy as np

import molarena

RESERVED = {
    "trees": {"n_estimators", "num_iterations", "num_boost_round", "iterations", "num_trees"},
    "learning_rate": {"learning_rate", "eta", "shrinkage_rate"},
    "subsample": {"subsample", "bagging_fraction", "bagging", "sub_row"},
    "threads, which a suite sets": {"num_threads", "num_thread", "n_jobs", "nthread", "thread_count"},
    "seed, which the arena sets": {"seed", "random_state", "random_seed"},
}


class Boosting(molarena.TaskBaseline):
    """What the three have in common."""

    inputs = ("dense", "bits")

    @dataclass
    class Config:
        trees: int = molarena.option(200, "Number of trees", minimum=1)
        learning_rate: float = molarena.option(0.05, "Weight of each tree", above=0)
        subsample: float = molarena.option(0.8, "Share of the molecules that each tree sees", above=0, maximum=1)
        parameters: dict = molarena.option({}, "Other parameters, by the library's names")

    def __init__(self, config):
        super().__init__(config)
        for key, names in RESERVED.items():
            if own := sorted(names & config.parameters.keys()):
                raise molarena.ConfigError(f"`{own[0]}` in `parameters` stands for {key}; leave it out")
        # A tree on four rows finds parameters that the library does not know, before any data are read.
        x = np.arange(4, dtype=np.float32)[:, None]
        for self.is_classification in (True, False):
            try:
                with warnings.catch_warnings(record=True) as said:
                    warnings.simplefilter("always")
                    self.train(x, x[:, 0] % 2, molarena.Call(), 1)
            except Exception as error:
                raise molarena.ConfigError(f"`parameters`: {str(error).split('Stack trace')[0]}") from error
            for text in (str(warning.message) for warning in said):
                if any(sign in text for sign in ("Unknown parameter", "will be ignored", "are not used")):
                    raise molarena.ConfigError(f"`parameters`: {text}")

    def fit_task(self, x, y, call):
        return float(y.mean()) if (x == x[0]).all() else self.train(x, y, call, self.config.trees)


class LightGBM(Boosting):
    """Gradient-boosted trees of LightGBM, by default 200, one model for each task."""

    determinism = "bitwise"

    def train(self, x, y, call, trees):
        import lightgbm

        lightgbm.register_logger(Warnings())
        # Of its warnings only those about parameters matter, which the first tree shows.
        own = {"learning_rate": self.config.learning_rate, "bagging_fraction": self.config.subsample, "bagging_freq": 1}
        run = {"num_threads": call.threads, "seed": call.seed % 2**31, "deterministic": True, "force_row_wise": True}
        run["verbosity"] = 0 if trees == 1 else -1
        objective = {"objective": "binary" if self.is_classification else "regression"}
        parameters = objective | own | run | self.config.parameters
        return lightgbm.train(parameters, lightgbm.Dataset(x, y), trees, callbacks=[lambda _: call.check()])

    def predict_task(self, model, x, call):
        return model.predict(x, num_threads=call.threads)


class XGBoost(Boosting):
    """Gradient-boosted trees of XGBoost, by default 200, one model for each task."""

    # Its sums may depend on the number of threads.
    determinism = "tolerance"

    def train(self, x, y, call, trees):
        import xgboost

        class Check(xgboost.callback.TrainingCallback):
            def after_iteration(self, model, epoch, evals_log):
                call.check()

        own = {"learning_rate": self.config.learning_rate, "subsample": self.config.subsample}
        run = {"nthread": call.threads, "seed": call.seed % 2**31}
        objective = {"objective": "binary:logistic" if self.is_classification else "reg:squarederror"}
        table = xgboost.DMatrix(x, y, nthread=call.threads)
        return xgboost.train(objective | own | run | self.config.parameters, table, trees, callbacks=[Check()])

    def predict_task(self, model, x, call):
        model.set_param({"nthread": call.threads})
        return model.inplace_predict(x)


class CatBoost(Boosting):
    """Gradient-boosted symmetric trees of CatBoost, by default 200, one model for each task."""

    determinism = "bitwise"

    @dataclass
    class Config(Boosting.Config):
        learning_rate: float | None = molarena.option(None, "Weight of each tree; by default CatBoost chooses it", above=0)

    def train(self, x, y, call, trees):
        import catboost

        class Check:
            def after_iteration(self, info):
                return not call.cancelled()

        own = {"iterations": trees, "learning_rate": self.config.learning_rate}
        if self.config.parameters.get("bootstrap_type") not in ("Bayesian", "No"):
            own["subsample"] = self.config.subsample
        run = {"thread_count": call.threads, "random_seed": call.seed % 2**31, "allow_writing_files": False, "verbose": False}
        objective = {"loss_function": "Logloss" if self.is_classification else "RMSE"}
        model = catboost.CatBoost(objective | own | run | self.config.parameters).fit(x, y, callbacks=[Check()])
        call.check()
        return model

    def predict_task(self, model, x, call):
        if self.is_classification:
            return model.predict(x, prediction_type="Probability", thread_count=call.threads)[:, 1]
        return model.predict(x, thread_count=call.threads)


class Warnings:
    """Makes Python's warnings of what LightGBM prints."""

    def info(self, text):
        warnings.warn(text, stacklevel=2)

    warning = info


molarena.serve(LightGBM, XGBoost, CatBoost)
