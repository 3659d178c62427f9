#!/usr/bin/env python3
"""Prints the losses of the first training steps of a small network in PyTorch: the numbers in `src/mlp/train/tests.rs`."""

import math

import torch
from torch import nn

ROWS = [[0.5, -1.0, 2.0], [1.5, 0.0, -0.5], [-1.0, 1.0, 0.25], [0.0, -0.5, 1.0]]
LABELS = {
    "BinaryCrossEntropy": [[1.0, 0.0], [0.0, math.nan], [1.0, 1.0], [math.nan, 0.0]],
    "Absolute": [[0.5, -2.0], [1.0, math.nan], [-1.5, 1.0], [math.nan, 0.25]],
}


def linear(inputs, outputs, start):
    layer = nn.Linear(inputs, outputs, bias=start > 0)
    with torch.no_grad():
        weight = [math.sin(0.7 * (start + k)) / 2 for k in range(inputs * outputs)]
        layer.weight.copy_(torch.tensor(weight).reshape(inputs, outputs).T)
        if start > 0:
            layer.bias.copy_(torch.tensor([0.1 * k for k in range(outputs)]))
    return layer


for name, labels in LABELS.items():
    network = nn.Sequential(linear(3, 4, 0), nn.BatchNorm1d(4), nn.GELU(), linear(4, 2, 12))
    optimiser = torch.optim.Adam(network.parameters(), lr=0.05, weight_decay=0.01)
    x, y = torch.tensor(ROWS), torch.tensor(labels)
    there = ~torch.isnan(y)
    losses = []
    for _ in range(5):
        output = network(x)[there]
        if name == "Absolute":
            loss = nn.functional.l1_loss(output, y[there])
        else:
            loss = nn.functional.binary_cross_entropy_with_logits(output, y[there])
        losses.append(round(loss.item(), 6))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    print(name, losses)
