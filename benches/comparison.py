"""The common base of the comparisons with scikit-learn: arrays, turns, scores and the table.

The Rust side computes the bits and writes them as .npy; each side reads those files. Tasks are processed in chunks, and the
two sides take turns on each chunk, so a machine that is busy for a while slows both. Times are for fitting and predicting
on one thread and one core (`taskset`), summed over tasks. Scores are means over the tasks whose test labels have both
classes (AUC), or over all tasks (MAE). scikit-learn is installed from PyPI into a separate virtual environment (--venv).
"""

import argparse
import json
import os
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATASETS = ["chembl2k", "broad6k", "biogen3k", "toxcast"]


def parser(description):
    """The command-line arguments that all comparisons share."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", nargs="+", default=DATASETS, choices=DATASETS)
    parser.add_argument("--max-tasks", type=int, help="at most so many evenly spaced tasks of each dataset")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--chunk", type=int, default=8, help="tasks between turns")
    parser.add_argument("--core", type=int, default=0, help="the core that both sides run on")
    parser.add_argument("--venv", type=Path, default=Path("/tmp/molarena-sklearn"))
    parser.add_argument("--arrays", type=Path, default=Path("/tmp/molarena-arrays"), help="where the arrays go")
    parser.add_argument("--binary", type=Path, help="a built baseline_time; built with cargo if left out")
    parser.add_argument("--json", type=Path, help="write the table here too")
    return parser


def prepare(options):
    """Enters the virtual environment, builds the Rust side and pins the process to one core."""
    enter_venv(options.venv)
    if options.binary is None:
        options.binary = build()
    os.sched_setaffinity(0, {options.core})


def enter_venv(folder, packages=("scikit-learn",)):
    """Runs the script again inside a virtual environment with the packages, making it if need be; `sys.prefix` stays as it is."""
    python = folder / "bin" / "python"
    if Path(sys.prefix).resolve() != folder.resolve():
        if not python.exists():
            venv.create(folder, with_pip=True)
        imports = "; ".join(f"import {package.replace('scikit-learn', 'sklearn')}" for package in packages)
        check = subprocess.run([python, "-c", imports], capture_output=True, check=False)
        if check.returncode != 0:
            subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        os.execve(python, [str(python), *sys.argv], os.environ | threads)


def with_libraries(folder):
    """The environment in which our program finds LibTorch in this folder. Python's own PyTorch must not see it, because it
    would load these libraries instead of its own."""
    folders = [str(folder)] if folder else []
    folders += [os.environ["LD_LIBRARY_PATH"]] if os.environ.get("LD_LIBRARY_PATH") else []
    return os.environ | {"LD_LIBRARY_PATH": ":".join(folders)} if folders else os.environ


def build():
    command = ["cargo", "build", "--release", "-p", "molarena-benches", "--bin", "baseline_time"]
    output = subprocess.run([*command, "--message-format=json"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    messages = (json.loads(line) for line in output.stdout.splitlines())
    return next(path for m in messages if (path := m.get("executable")) and m["target"]["name"] == "baseline_time")


def ours(options, dataset, tasks, seed, method, config):
    """Seconds, and one score and one hard score per task."""
    command = ["taskset", "-c", str(options.core), str(options.binary), "run", "--folder", str(options.arrays)]
    command += ["--dataset", dataset, "--seed", str(seed), "--tasks", ",".join(map(str, tasks))]
    command += ["--method", method, "--config", json.dumps(config)]
    result = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    scores = result["task_scores"]
    return result["fit_seconds"] + result["predict_seconds"], scores["main"], scores["hard"]


def is_classes(y):
    import numpy as np

    return bool(np.isin(y[np.isfinite(y)], (0, 1)).all())


def theirs(make, features, y, split, tasks):
    """The same for scikit-learn: `make(classes)` returns an estimator, and `features(rows)` returns its input for these rows.
    Only fit and predict are timed."""
    import numpy as np
    from sklearn.metrics import roc_auc_score

    classes = is_classes(y)
    seconds, main, hard = 0.0, [], []
    for task in tasks:
        label = y[:, task]
        train = np.flatnonzero((split == 0) & np.isfinite(label))
        test = np.flatnonzero((split == 2) & np.isfinite(label))
        estimator = make(classes)
        x, x_test = features(train), features(test)
        start = time.perf_counter()
        estimator.fit(x, label[train])
        if not len(test):
            seconds += time.perf_counter() - start
            main.append(None)
            hard.append(None)
            continue
        by_class = classes and hasattr(estimator, "predict_proba")
        predicted = estimator.predict_proba(x_test) if by_class else estimator.predict(x_test)
        seconds += time.perf_counter() - start
        if not classes:
            main.append(float(np.abs(predicted - label[test]).mean()))
            hard.append(None)
            continue
        both = len(np.unique(label[test])) == 2
        if by_class:
            ones = list(estimator.classes_).index(1) if 1 in estimator.classes_ else None
            predicted = predicted[:, ones] if ones is not None else np.zeros(len(test))
        main.append(float(roc_auc_score(label[test], predicted)) if both else None)
        hard.append(float(roc_auc_score(label[test], predicted > 0.5)) if both else None)
    return seconds, main, hard


def mean(values):
    values = [value for value in values if value is not None]
    return 100 * sum(values) / len(values) if values else None


def compare(options, dataset, seed, ours, theirs):
    """One row of the table; `ours(tasks)` and `theirs(x, y, split, tasks)` take turns."""
    import numpy as np

    if not (options.arrays / f"{dataset}_split.npy").exists():
        command = [str(options.binary), "export", "--folder", str(options.arrays), "--dataset", dataset]
        subprocess.run(command, check=True, cwd=ROOT)
    packed, y, split = (np.load(options.arrays / f"{dataset}_{part}.npy") for part in ("bits", "labels", "split"))
    x = np.unpackbits(packed, axis=1, bitorder="little")
    count = min(options.max_tasks or y.shape[1], y.shape[1])
    tasks = [int(task) for task in np.linspace(0, y.shape[1] - 1, count).round()]
    sides = {"ours": [0.0, [], []], "sklearn": [0.0, [], []]}
    for start in range(0, len(tasks), options.chunk):
        chunk = tasks[start : start + options.chunk]
        for side in ("ours", "sklearn"):
            seconds, main, hard = ours(chunk) if side == "ours" else theirs(x, y, split, chunk)
            sides[side][0] += seconds
            sides[side][1] += main
            sides[side][2] += hard
    row = {"dataset": dataset, "tasks": len(tasks), "of": int(y.shape[1]), "seed": seed}
    for side, (seconds, main, hard) in sides.items():
        hard = [ours if theirs is not None else None for ours, theirs in zip(hard, sides["sklearn"][2], strict=True)]
        row |= {f"{side}_seconds": seconds, f"{side}_score": mean(main), f"{side}_hard": mean(hard)}
    row["speedup"] = row["sklearn_seconds"] / row["ours_seconds"]
    return row


def show(row):
    def number(value):
        return "      -" if value is None else f"{value:7.2f}"

    print(
        f"{row['dataset']:9} {row['tasks']:4}/{row['of']:<4} {row['seed']:4} "
        f"{row['ours_seconds']:9.2f} {row['sklearn_seconds']:9.2f} {row['speedup']:8.1f}x   "
        f"{number(row['ours_score'])} {number(row['sklearn_score'])}   "
        f"{number(row['ours_hard'])} {number(row['sklearn_hard'])}",
        flush=True,
    )


def table(options, row):
    """Shows `row(dataset, seed)` for every dataset and seed."""
    import sklearn

    print(f"scikit-learn {sklearn.__version__}, one thread each on core {options.core}; score: AUC or MAE, x100")
    print("dataset   tasks      seed    ours s  sklearn s  speed-up      ours sklearn   hard: ours sklearn", flush=True)
    rows = []
    for seed in options.seeds:
        for dataset in options.datasets:
            rows.append(row(dataset, seed))
            show(rows[-1])
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
