"""Chemprop 2: message passing on directed bonds (D-MPNN), trained end to end from SMILES on all tasks together."""

import copy
import io
import logging
from dataclasses import dataclass

import numpy as np

import molarena


def watch(call, epochs, patience):
    """A callback that keeps the weights of the epoch with the lowest validation loss, shows progress, and ends a cancelled call."""
    from lightning.pytorch import Callback

    class Watch(Callback):
        best, loss, waited = None, np.inf, 0

        def on_train_batch_start(self, *_):
            call.check()

        def on_validation_end(self, trainer, model):
            loss, epoch = float(trainer.callback_metrics.get("val_loss", np.nan)), trainer.current_epoch + 1
            self.waited += 1
            if loss < self.loss:
                self.best, self.loss, self.waited = copy.deepcopy(model.state_dict()), loss, 0
            trainer.should_stop = 0 < patience <= self.waited
            call.progress(epoch / epochs, f"epoch {epoch}: validation loss {loss:.4f}, lowest {self.loss:.4f}")

    return Watch()


class Chemprop(molarena.Baseline):
    """Chemprop 2: message passing on bonds, end to end from SMILES; weights of the epoch with the lowest validation loss."""

    inputs = ("smiles",)
    determinism = "none"

    @dataclass
    class Config:
        epochs: int = molarena.option(50, "Passes over the training molecules", minimum=1)
        batch_size: int = molarena.option(64, "Molecules of a step", minimum=1)
        depth: int = molarena.option(3, "Steps of message passing", minimum=1)
        message_width: int = molarena.option(300, "Width of a message", minimum=1)
        layers: int = molarena.option(1, "Hidden layers of the head", minimum=0)
        width: int = molarena.option(300, "Width of these layers", minimum=1)
        dropout: float = molarena.option(0.0, "Share of the units that a step leaves out", minimum=0, below=1)
        learning_rate: float = molarena.option(1e-3, "The highest, after 2 epochs; a tenth of it at both ends", above=0)
        patience: int = molarena.option(0, "Epochs without a lower validation loss before the end; 0: all epochs", minimum=0)

    def network(self):
        """An untrained network for `self.tasks`: the kind of the labels, and the mean, scale and fill of each task."""
        from chemprop import models, nn

        kind, mean, scale, _ = self.tasks
        config, rate = self.config, self.config.learning_rate
        messages = nn.BondMessagePassing(d_h=config.message_width, depth=config.depth, dropout=config.dropout)
        head = {"n_tasks": len(mean), "input_dim": messages.output_dim, "hidden_dim": config.width, "n_layers": config.layers}
        if kind == "classification":
            head, metric = nn.BinaryClassificationFFN(**head, dropout=config.dropout), nn.metrics.BCELoss()
        else:
            unscale = nn.UnscaleTransform(mean, scale)
            head, metric = nn.RegressionFFN(**head, dropout=config.dropout, output_transform=unscale), nn.metrics.MSE()
        rates = {"init_lr": rate / 10, "max_lr": rate, "final_lr": rate / 10}
        return models.MPNN(messages, nn.NormAggregation(), head, metrics=[metric], **rates)

    def batches(self, molecules, labels, seed=None):
        """Batches of molecules and their labels, shuffled if there is a seed."""
        from chemprop import data

        points = []
        for smiles, y in zip(molecules.smiles, labels, strict=True):
            try:
                points.append(data.MoleculeDatapoint.from_smi(smiles, y))
            except Exception as error:
                raise molarena.DataError(f"RDKit does not read `{smiles}`: {error}") from error
        dataset = data.MoleculeDataset(points)
        dataset.cache = True
        return data.build_dataloader(dataset, self.config.batch_size, seed=seed, shuffle=seed is not None, drop_last=False)

    def fit(self, molecules, labels, valid, valid_labels, call):
        call.import_packages("chemprop")
        import torch
        from lightning import pytorch as lightning

        # It prints how many cards there are and what else it would like.
        logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
        torch.set_num_threads(call.threads)
        torch.manual_seed(call.seed % 2**63)
        y, known = labels.values.astype(float), ~np.isnan(labels.values)
        counts = np.maximum(known.sum(axis=0), 1)
        mean = np.nansum(y, axis=0) / counts
        scale = np.sqrt(np.nansum((y - mean) ** 2, axis=0) / counts)
        scale[scale == 0] = 1.0
        # What is predicted for a task without labels; NaN where there are some.
        fill = np.where(known.any(axis=0), np.nan, 0.5 if labels.is_classification else 0.0)
        self.tasks = (labels.kind, mean.tolist(), scale.tolist(), fill.tolist())
        if not known.any():
            self.model = self.network()
            return
        shift, unit = (0.0, 1.0) if labels.is_classification else (mean, scale)
        train = self.batches(molecules, (y - shift) / unit, seed=call.seed)
        held = self.batches(valid, (valid_labels.values - shift) / unit)
        self.model, best = self.network(), watch(call, self.config.epochs, self.config.patience)
        quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
        run = {"accelerator": "cpu", "devices": 1, "num_sanity_val_steps": 0, "callbacks": [best]}
        lightning.Trainer(max_epochs=self.config.epochs, **run, **quiet).fit(self.model, train, held)
        if best.best is not None:
            self.model.load_state_dict(best.best)

    def predict(self, molecules, call):
        call.import_packages("chemprop")
        import torch

        torch.set_num_threads(call.threads)
        self.model.eval()
        fill = np.array(self.tasks[3])
        rows = []
        with torch.inference_mode():
            for batch in self.batches(molecules, [None] * len(molecules)):
                call.check()
                rows.append(self.model(batch.bmg).numpy())
        return np.where(np.isnan(fill), np.concatenate(rows), fill)

    def save(self):
        import torch

        state = io.BytesIO()
        torch.save({"tasks": self.tasks, "network": self.model.state_dict()}, state)
        return state.getvalue()

    def load(self, state):
        import torch

        try:
            found = torch.load(io.BytesIO(state), weights_only=True)
            self.tasks = found["tasks"]
            self.model = self.network()
            self.model.load_state_dict(found["network"])
        except Exception as error:
            raise molarena.DataError(f"this is no state of chemprop under this configuration: {error}") from error


molarena.serve(Chemprop)
