#!/usr/bin/env python3
"""Times the pretraining of the contrastive aligners against the same networks and losses in PyTorch, on one thread, in turn.

    cargo build --release -p molarena-benches-networks
    python3 benches/contrastive_vs_torch.py --program target/release/contrastive

Both sides train on random pairs of the same number and size: bits and profiles, batches of 256, Adam. Prints the seconds of each
round and the ratio of the medians, PyTorch's over ours: above 1, ours is faster. Needs numpy and PyTorch.
"""

import argparse
import json
import os
import statistics
import subprocess
import time

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

BITS = 1024


def cloome_networks(columns, options):
    def stack(inputs, layers, hidden, outputs):
        parts = []
        for layer in range(layers):
            parts += [nn.Linear(inputs if layer == 0 else hidden, hidden), nn.BatchNorm1d(hidden), nn.ReLU()]
        return nn.Sequential(*parts, nn.Linear(hidden, outputs))

    width = options["width"]
    molecule = stack(BITS, options["molecule_layers"], options["molecule_width"], width)
    profile = stack(columns, options["profile_layers"], options["profile_width"], width)
    return molecule, profile


def retrieved(state, stored, beta):
    return F.normalize(torch.softmax(beta * state @ stored.T, dim=1) @ stored, dim=1)


def infoloob(x, y, inverse):
    logits = x @ y.T * inverse
    others = logits.masked_fill(torch.eye(len(x), dtype=torch.bool), float("-inf"))
    return (torch.logsumexp(others, dim=1).mean() - logits.diagonal().mean()) / inverse


def cloob(x, y, inverse, beta):
    one = infoloob(retrieved(x, x, beta), retrieved(y, x, beta), inverse)
    return one + infoloob(retrieved(y, y, beta), retrieved(x, y, beta), inverse)


def train_cloome(bits, profiles, options):
    molecule, profile = cloome_networks(profiles.shape[1], options)
    log_inverse = nn.Parameter(torch.tensor(np.log(14.3), dtype=torch.float32))
    parameters = [*molecule.parameters(), *profile.parameters(), log_inverse]
    optimiser = torch.optim.Adam(parameters, lr=5e-4)
    for _ in range(options["epochs"]):
        for rows in torch.randperm(len(bits)).split(options["batch_size"]):
            x = F.normalize(profile(profiles[rows]), dim=1)
            y = F.normalize(molecule(bits[rows]), dim=1)
            loss = cloob(x, y, log_inverse.exp(), 14.3)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            with torch.no_grad():
                log_inverse.clamp_(0.0, np.log(100.0))


def infocore_stack(inputs, layers, hidden, outputs):
    parts = []
    for layer in range(layers):
        parts += [nn.Linear(inputs if layer == 0 else hidden, hidden), nn.LayerNorm(hidden), nn.SiLU(), nn.Dropout(0.1)]
    return nn.Sequential(*parts, nn.Linear(hidden if layers else inputs, outputs))


def train_infocore(bits, profiles, batches, options):
    """The form `simclr`."""
    width, count = options["width"], int(batches.max()) + 1
    molecule = nn.Sequential(
        infocore_stack(BITS, options["molecule_layers"], options["molecule_width"], width), nn.Linear(width, width)
    )
    profile = infocore_stack(profiles.shape[1], options["profile_layers"], options["profile_width"], width)
    classifiers = [infocore_stack(width, 1, options["classifier_width"], count) for _ in range(2)]
    optimiser = torch.optim.Adam([*molecule.parameters(), *profile.parameters()], lr=1e-4)
    of_classifiers = [torch.optim.Adam(classifier.parameters(), lr=1e-4) for classifier in classifiers]
    labels = F.one_hot(batches, count).float()

    def anchored(x, y, p, q, of_rows):
        logits = x @ y.T / 0.1
        sizes = logits.masked_fill(torch.eye(len(x), dtype=torch.bool), float("-inf"))
        largest = sizes.max(dim=1, keepdim=True).values.detach()
        sizes = torch.exp(sizes - largest)
        weighted = sizes @ q + sizes.sum(dim=1, keepdim=True) * p
        return ((torch.log(weighted) + largest - logits.diagonal()[:, None]) * of_rows).sum(dim=1).mean()

    for epoch in range(options["epochs"]):
        for rows in torch.randperm(len(bits)).split(options["batch_size"]):
            noisy = profiles[rows] + 0.6 * torch.randn_like(profiles[rows])
            y = F.normalize(molecule(bits[rows]), dim=1)
            x = F.normalize(profile(noisy), dim=1)
            with torch.no_grad():
                p, q = torch.softmax(classifiers[0](y), dim=1), torch.softmax(classifiers[1](x), dim=1)
            loss = (anchored(y, x, p, q, labels[rows]) + anchored(x, y, q, p, labels[rows])) / 2
            if epoch > 0:
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
            for places, classifier, step in zip((y.detach(), x.detach()), classifiers, of_classifiers):
                for _ in range(2):
                    step.zero_grad()
                    F.cross_entropy(classifier(places), labels[rows]).backward()
                    step.step()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="target/release/contrastive")
    parser.add_argument("--pairs", type=int, default=2048)
    parser.add_argument("--columns", type=int, default=978)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    generator = np.random.default_rng(0)
    bits = torch.tensor((generator.random((arguments.pairs, BITS)) < 3 / 64).astype(np.float32))
    profiles = torch.tensor(generator.random((arguments.pairs, arguments.columns)).astype(np.float32))
    profiles = (profiles - profiles.mean(dim=0)) / profiles.std(dim=0)
    batches = torch.tensor(generator.integers(0, 20, arguments.pairs))
    common = {"epochs": arguments.epochs, "batch_size": 256}
    sizes = {
        "cloome": {"width": 512, "molecule_layers": 4, "molecule_width": 1024, "profile_layers": 2, "profile_width": 1024},
        "infocore": {
            "form": "simclr", "width": 256, "molecule_layers": 3, "molecule_width": 2560, "profile_layers": 2,
            "profile_width": 768, "classifier_width": 2048,
        },
    }
    for component, options in sizes.items():
        options = {**options, **common}
        ours, theirs = [], []
        for number in range(arguments.rounds):
            command = [arguments.program, "time", "--component", component, "--config", json.dumps(options)]
            command += ["--pairs", str(arguments.pairs), "--columns", str(arguments.columns), "--batches", "20"]
            ours.append(json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["fit_seconds"])
            started = time.perf_counter()
            if component == "cloome":
                train_cloome(bits, profiles, options)
            else:
                train_infocore(bits, profiles, batches, options)
            theirs.append(time.perf_counter() - started)
            print(f"{component} round {number + 1}: ours {ours[-1]:.2f} s, PyTorch {theirs[-1]:.2f} s", flush=True)
        ratio = statistics.median(theirs) / statistics.median(ours)
        print(f"{component}: PyTorch takes {ratio:.2f} times as long as ours")


if __name__ == "__main__":
    main()
