#!/usr/bin/env python3
"""Times molarena's perceptron against scikit-learn's and PyTorch's on the same bits, labels, rows and core, in one run.

    python3 benches/mlp_vs_sklearn.py                              # ChEMBL2K and Biogen3K, 20 epochs, three turns
    python3 benches/mlp_vs_sklearn.py --skip-torch                 # without the large download
    python3 benches/mlp_vs_sklearn.py --datasets toxcast --epochs 5 --turns 1

All sides use 2048 bits, one hidden layer of 1200 units, Adam with learning rate 1e-3, batches of 256, the same number of
epochs, no early stopping, float32, and one thread on one core (`taskset`). They take turns, so a machine that is busy for a
while slows all. Times are for fitting and predicting all tasks together, summed over turns; each turn has its own seed.

Ours and PyTorch's have the same network (batch norm, GELU, dropout 0.5) and loss (binary cross-entropy, or absolute error of
standardised labels, skipping missing labels); PyTorch uses its fused Adam. scikit-learn's network has ReLU, no batch norm and
no dropout, so its steps are less work. It cannot skip missing labels, which count as 0 (the mean, for standardised numbers),
and it fits squared error. It gets the bits once as a dense and once as a sparse matrix.

scikit-learn and PyTorch are installed from PyPI into a separate virtual environment (--venv).
"""

import argparse
import json
import os
import subprocess
import time
from pathlib import Path

import comparison

HIDDEN, RATE, BATCH, DROPOUT = 1200, 1e-3, 256, 0.5


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", nargs="+", default=["chembl2k", "biogen3k"], choices=comparison.DATASETS)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--core", type=int, default=0, help="the core that all sides run on")
    parser.add_argument("--skip-torch", action="store_true")
    parser.add_argument("--features", nargs="*", default=[], help="features of our build, such as x86-v4")
    parser.add_argument("--venv", type=Path, default=Path("/tmp/molarena-sklearn"))
    parser.add_argument("--arrays", type=Path, default=Path("/tmp/molarena-arrays"), help="where the arrays go")
    parser.add_argument("--binary", type=Path, help="a built mlp_time; built with cargo if left out")
    parser.add_argument("--json", type=Path, help="write the table here too")
    return parser.parse_args()


def ours(options, data, seed):
    config = {"hidden": [HIDDEN], "learning_rate": RATE, "batch_size": BATCH, "dropout": DROPOUT}
    config["epochs_without_validation"] = options.epochs
    command = ["taskset", "-c", str(options.core), str(options.binary), "--folder", str(options.arrays)]
    command += ["--dataset", data["name"], "--seed", str(seed), "--config", json.dumps(config)]
    result = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return result["fit_seconds"] + result["predict_seconds"], 100 * result["score"]


def sklearn(options, data, seed, sparse=False):
    import warnings

    from scipy.sparse import csr_matrix
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    kind = MLPClassifier if data["classes"] else MLPRegressor
    model = kind(
        hidden_layer_sizes=(HIDDEN,),
        alpha=0.0,
        batch_size=BATCH,
        learning_rate_init=RATE,
        max_iter=options.epochs,
        n_iter_no_change=options.epochs + 1,
        tol=0.0,
        random_state=seed,
    )
    x, y = data["train"]
    test = data["test"][0]
    if sparse:
        x, test = csr_matrix(x), csr_matrix(test)
    # Training must run all epochs, not stop at convergence.
    warnings.simplefilter("ignore", ConvergenceWarning)
    start = time.perf_counter()
    mean, deviation = data["scale"]
    model.fit(x, data["numpy"].nan_to_num((y - mean) / deviation))
    predicted = model.predict_proba(test) if data["classes"] else model.predict(test) * deviation + mean
    return time.perf_counter() - start, score(data, predicted)


def sklearn_sparse(options, data, seed):
    return sklearn(options, data, seed, sparse=True)


def torch(options, data, seed):
    import torch
    from torch import nn

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    x, y = (torch.from_numpy(array) for array in data["train"])
    test = torch.from_numpy(data["test"][0])
    mean, deviation = (torch.from_numpy(array) for array in data["scale"])
    start = time.perf_counter()
    y = (y - mean) / deviation
    there = ~torch.isnan(y)
    network = nn.Sequential(
        nn.Linear(x.shape[1], HIDDEN),
        nn.BatchNorm1d(HIDDEN),
        nn.GELU(),
        nn.Dropout(DROPOUT),
        nn.Linear(HIDDEN, y.shape[1]),
    )
    criterion = nn.BCEWithLogitsLoss() if data["classes"] else nn.L1Loss()
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE, fused=True)
    for _ in range(options.epochs):
        for rows in torch.randperm(len(x)).split(BATCH):
            loss = criterion(network(x[rows])[there[rows]], y[rows][there[rows]])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    network.eval()
    with torch.no_grad():
        predicted = network(test)
        predicted = torch.sigmoid(predicted) if data["classes"] else predicted * deviation + mean
    return time.perf_counter() - start, score(data, predicted.numpy())


def score(data, predicted):
    """Mean over tasks, x100: area under the ROC curve where both classes occur, or absolute error."""
    import numpy as np
    from sklearn.metrics import roc_auc_score

    scores = []
    for task, label in enumerate(data["test"][1].T):
        there = np.isfinite(label)
        label, values = label[there], predicted[there, task]
        if not data["classes"]:
            scores.append(np.abs(values - label).mean())
        elif len(np.unique(label)) == 2:
            scores.append(roc_auc_score(label, values))
    return 100 * float(np.mean(scores))


def load(options, name):
    import numpy as np

    if not (options.arrays / f"{name}_split.npy").exists():
        command = [str(comparison.build()), "export", "--folder", str(options.arrays), "--dataset", name]
        subprocess.run(command, check=True, cwd=comparison.ROOT)
    packed, y, split = (np.load(options.arrays / f"{name}_{part}.npy") for part in ("bits", "labels", "split"))
    x = np.unpackbits(packed, axis=1, bitorder="little").astype(np.float32)
    y = y.astype(np.float32)
    data = {"name": name, "numpy": np, "classes": bool(np.isin(y[np.isfinite(y)], (0, 1)).all())}
    for part, number in (("train", 0), ("test", 2)):
        data[part] = (x[split == number], y[split == number])
    labels = data["train"][1]
    data["scale"] = (np.zeros(labels.shape[1], "f"), np.ones(labels.shape[1], "f"))
    if not data["classes"]:
        data["scale"] = (np.nanmean(labels, axis=0), np.nanstd(labels, axis=0))
    return data


def build(options):
    command = ["cargo", "build", "--release", "-p", "molarena-benches-networks", "--message-format=json"]
    command += ["--features", ",".join(options.features)] if options.features else []
    output = subprocess.run(command, cwd=comparison.ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = (json.loads(line) for line in output.splitlines())
    return next(path for m in messages if (path := m.get("executable")) and m["target"]["name"] == "mlp_time")


def main():
    options = arguments()
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    comparison.enter_venv(options.venv, ["scikit-learn"] if options.skip_torch else ["scikit-learn", "torch"])
    options.binary = options.binary or build(options)
    os.sched_setaffinity(0, {options.core})
    sides = [ours, sklearn, sklearn_sparse] + ([] if options.skip_torch else [torch])
    print(f"{options.epochs} epochs, {options.turns} turns, core {options.core}; score: AUC or MAE, x100, mean of turns")
    print(f"{'dataset':10}{'side':16}{'seconds':>9}{'per ours':>10}{'score':>8}", flush=True)
    rows = []
    for name in options.datasets:
        data = load(options, name)
        results = {side.__name__: [] for side in sides}
        for turn in range(options.turns):
            for side in sides:
                results[side.__name__].append(side(options, data, turn))
        base = sum(seconds for seconds, _ in results["ours"])
        for side, turns in results.items():
            seconds, mean = sum(s for s, _ in turns), sum(s for _, s in turns) / len(turns)
            rows.append({"dataset": name, "side": side, "seconds": seconds, "ratio": seconds / base, "score": mean})
            print(f"{name:10}{side:16}{seconds:9.2f}{seconds / base:9.2f}x{mean:8.2f}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
