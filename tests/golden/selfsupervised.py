"""Losses of the self-supervised objectives in PyTorch, which plugins/selfsupervised/src/tests/reference.rs compares with.

    python tests/golden/selfsupervised.py

writes selfsupervised.json beside itself: graphs, what is hidden or paired in them, and the parts of each loss. Weights are not in
the file; both sides compute them from their names by `weight`. Needs torch.
"""

import json
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy, logsigmoid, normalize, one_hot, relu

torch.set_default_dtype(torch.float64)

ATOMS = [119, 5, 12, 12, 10, 6, 6, 2, 2]
BONDS = [5, 6, 2]
LAYERS, WIDTH = 2, 6
MASK = [118, 4, 11, 11, 9, 5, 5, 0, 0]


def weight(name, *shape):
    """A number for each place of the array `name`: near 1 for the factors of batch norms, else in [-1/2, 1/2]."""
    count = 1
    for extent in shape:
        count *= extent
    start = sum((place + 1) * code for place, code in enumerate(name.encode())) % 1000
    values = 0.5 * torch.sin(0.73 * torch.arange(count) + 0.1 * start)
    if name.endswith(("mlp.1.weight", "norms.0.weight", "norms.1.weight", "norms.2.weight")) and len(shape) == 1:
        values = 1 + 0.4 * values
    return values.reshape(shape)


def linear(name, rows, outputs):
    return rows @ weight(f"{name}.weight", outputs, rows.shape[1]).T + weight(f"{name}.bias", outputs)


def perceptron(name, rows, *widths):
    for layer, width in enumerate(widths):
        rows = linear(f"{name}.{layer}.linear", rows, width)
        if layer + 1 < len(widths):
            rows = relu(rows)
    return rows


def norm(name, rows):
    mean, variance = rows.mean(0), rows.var(0, unbiased=False)
    width = rows.shape[1]
    return (rows - mean) / (variance + 1e-5).sqrt() * weight(f"{name}.weight", width) + weight(f"{name}.bias", width)


def joined(graphs):
    """Atoms, bonds with atoms numbered over all graphs, features of bonds, and the graph of each atom."""
    atoms, bonds, features, owners = [], [], [], []
    for number, graph in enumerate(graphs):
        bonds += [[len(atoms) + end for end in ends] for ends in graph["bonds"]]
        features += graph["features"]
        atoms += graph["atoms"]
        owners += [number] * len(graph["atoms"])
    return atoms, bonds, features, torch.tensor(owners)


def told(rows, bonds, vectors):
    """The sum of the rectified vectors of the neighbours and bonds of each atom."""
    sums = [torch.zeros(rows.shape[1]) for _ in rows]
    for (one, other), vector in zip(bonds, vectors, strict=True):
        sums[one] = sums[one] + relu(rows[other] + vector)
        sums[other] = sums[other] + relu(rows[one] + vector)
    return torch.stack(sums)


def network(graphs):
    """Vectors of the atoms by the graph isomorphism network in training, without dropout; and the graph of each."""
    atoms, bonds, features, owners = joined(graphs)
    rows = 0
    for feature, count in enumerate(ATOMS):
        table = weight(f"graph_encoder.atom_encoder.atom_embedding_list.{feature}.weight", count, WIDTH)
        rows = rows + table[[atom[feature] for atom in atoms]]
    for layer in range(LAYERS):
        name = f"graph_encoder.convs.{layer}"
        vectors = 0
        for feature, count in enumerate(BONDS):
            table = weight(f"{name}.bond_encoder.bond_embedding_list.{feature}.weight", count, WIDTH)
            vectors = vectors + table[[bond[feature] for bond in features]]
        sums = (1 + weight(f"{name}.eps", 1)) * rows + told(rows, bonds, vectors)
        hidden = relu(norm(f"{name}.mlp.1", linear(f"{name}.mlp.0", sums, 2 * WIDTH)))
        next = norm(f"graph_encoder.batch_norms.{layer}", linear(f"{name}.mlp.3", hidden, WIDTH))
        rows = rows + (relu(next) if layer + 1 < LAYERS else next)
    return rows, owners


def isomorphism(name, rows, bonds, features, outputs):
    kinds = [(bond[0] * BONDS[1] + bond[1]) * BONDS[2] + bond[2] for bond in features]
    vectors = weight(f"{name}.bonds.weight", 60, rows.shape[1])[kinds]
    sums = (1 + weight(f"{name}.eps", 1)) * rows + told(rows, bonds, vectors)
    return perceptron(f"{name}.mlp", sums, 2 * rows.shape[1], outputs)


def means(rows, owners):
    return torch.stack([rows[owners == graph].mean(0) for graph in range(int(owners.max()) + 1)])


def molecule(start, atoms, bonds):
    """A graph whose features differ from atom to atom; bonds are (one, other, type)."""
    features = [[(start + 7 * atom + 5 * feature) % (count - 1) for feature, count in enumerate(ATOMS)] for atom in range(atoms)]
    for atom in features:
        atom[0] = [5, 6, 7, 8][(atom[0] + atom[1]) % 4]
    return {
        "atoms": features,
        "bonds": [[one, other] for one, other, _ in bonds],
        "features": [[kind, (start + place) % 6, place % 2] for place, (_, _, kind) in enumerate(bonds)],
    }


def ring(count, first=0):
    return [(first + place, first + (place + 1) % count, 3) for place in range(count)]


# A ring with a chain of three; two rings joined; a branched chain.
MOLECULES = [
    molecule(1, 9, [*ring(6), (0, 6, 0), (6, 7, 0), (7, 8, 1)]),
    molecule(2, 8, [*ring(4), *ring(3, 4), (1, 4, 0), (5, 7, 0)]),
    molecule(3, 6, [(0, 1, 0), (1, 2, 0), (1, 3, 1), (3, 4, 0), (4, 5, 0)]),
]


def masked(graphs, hidden):
    graphs = json.loads(json.dumps(graphs))
    for graph, atoms in zip(graphs, hidden, strict=True):
        for atom in atoms:
            graph["atoms"][atom] = MASK
    return graphs


HIDDEN = [[0, 7], [3], [1, 2]]


def hidden_over_all():
    places, elements, first = [], [], 0
    for graph, atoms in zip(MOLECULES, HIDDEN, strict=True):
        places += [first + atom for atom in atoms]
        elements += [graph["atoms"][atom][0] for atom in atoms]
        first += len(graph["atoms"])
    return places, elements


def attrmask():
    graphs = masked(MOLECULES, HIDDEN)
    places, elements = hidden_over_all()
    ends, types, first = [[], []], [], 0
    for graph, atoms in zip(graphs, HIDDEN, strict=True):
        for place, bond in enumerate(graph["bonds"]):
            if set(bond) & set(atoms):
                for end in range(2):
                    ends[end].append(first + bond[end])
                types.append(graph["features"][place][0])
                graph["features"][place] = [4, 0, 0]
        first += len(graph["atoms"])
    rows, _ = network(graphs)
    of_atoms = cross_entropy(linear("objective.elements.0.linear", rows[places], 119), torch.tensor(elements))
    sums = rows[ends[0]] + rows[ends[1]]
    of_bonds = cross_entropy(linear("objective.bonds.0.linear", sums, 5), torch.tensor(types))
    return {"graphs": graphs, "ends": ends, "types": types, "parts": [of_atoms, of_bonds], "loss": of_atoms + of_bonds}


def contextpred():
    # Neighbourhoods of two bonds and contexts of two; the centre is atom 1 of each neighbourhood, the anchors begin contexts.
    neighbourhoods = [molecule(4, 5, [(0, 1, 0), (1, 2, 0), (2, 3, 1), (1, 4, 0)]), molecule(5, 4, ring(4)), molecule(6, 3, [(0, 1, 0), (1, 2, 1)])]
    contexts = [molecule(7, 3, [(0, 1, 0), (1, 2, 0)]), molecule(8, 2, [(0, 1, 1)]), molecule(9, 4, [(0, 1, 0), (2, 3, 0)])]
    centres, anchors = [1, 1, 1], [[0, 2], [0], [0, 1, 3]]
    rows, owners = network(neighbourhoods)
    first = [int((owners < graph).sum()) for graph in range(3)]
    centre = rows[[start + atom for start, atom in zip(first, centres, strict=True)]]
    atoms, bonds, features, owners = joined(contexts)
    columns = torch.cat([one_hot(torch.tensor([atom[feature] for atom in atoms]), count) for feature, count in enumerate(ATOMS)], 1)
    rows = columns.double() @ weight("objective.context.atoms.weight", sum(ATOMS), WIDTH)
    for layer in range(2):
        rows = norm(f"objective.context.norms.{layer}", isomorphism(f"objective.context.layers.{layer}", rows, bonds, features, WIDTH))
        rows = relu(rows) if layer == 0 else rows
    first = [int((owners < graph).sum()) for graph in range(3)]
    context = torch.stack([rows[[start + atom for atom in atoms]].mean(0) for start, atoms in zip(first, anchors, strict=True)])
    own = -logsigmoid((centre * context).sum(1)).mean()
    others = [-logsigmoid(-(centre * context.roll(-shift, 0)).sum(1)) for shift in (1, 2)]
    other = torch.cat(others).mean()
    return {
        "neighbourhoods": neighbourhoods, "contexts": contexts, "centres": centres, "anchors": anchors,
        "parts": [own, other], "loss": own + 2 * other,
    }


def edgepred():
    unbonded = [[0, 2], [1, 7], [9, 12], [10, 16], [17, 22]]
    rows, _ = network(MOLECULES)
    bonds = joined(MOLECULES)[1]
    score = lambda pairs: torch.stack([rows[one] @ rows[other] for one, other in pairs])
    own, other = -logsigmoid(score(bonds)).mean(), -logsigmoid(-score(unbonded)).mean()
    return {"unbonded": unbonded, "parts": [own, other], "loss": own + other}


def projected(graphs):
    return normalize(perceptron("objective.projection", means(*network(graphs)), WIDTH, WIDTH))


def graphcl():
    views = [MOLECULES, masked(MOLECULES, HIDDEN)]
    similar = (projected(views[0]) @ projected(views[1]).T / 0.5).exp()
    own = similar.diagonal()
    return {"views": views, "loss": -(own / (similar.sum(1) - own)).log().mean(), "parts": []}


def joao():
    # The projection by bisection of the shift, as in the released code.
    now = torch.tensor([0.1, 0.3, 0.2, 0.4, 0.0])
    losses = torch.tensor([0.5, 0.2, 0.7, 0.1, 0.9])
    point = now + 0.5 * (losses - 0.1 * (now - 0.2))
    low, high = point.min() - 1, point.max()
    for _ in range(200):
        shift = (low + high) / 2
        low, high = (shift, high) if relu(point - shift).sum() > 1 else (low, shift)
    return {"now": now.tolist(), "losses": losses.tolist(), "next": relu(point - shift).tolist(), "parts": [], "loss": losses[0]}


def graphlog():
    temperature, used = 0.2, [[True, True, False, True, True], [True, True, True], [True, False]]
    parents = [[0, 2, 0, 1, 2], [0, 0, 0], [0, 0]]
    encoded = [network(graphs) for graphs in (MOLECULES, masked(MOLECULES, HIDDEN))]
    head = lambda rows: normalize(perceptron("objective.projection", rows, WIDTH, WIDTH))
    (atoms, owners), (masked_atoms, _) = [(head(rows), owners) for rows, owners in encoded]
    molecules, masked_molecules = [head(means(rows, owners)) for rows, owners in encoded]
    places, _ = hidden_over_all()
    of_atoms = []
    for place in places:
        sizes = (atoms[owners == owners[place]] @ masked_atoms[place] / temperature).exp()
        of_atoms.append(-((atoms[place] @ masked_atoms[place] / temperature).exp() / sizes.sum()).log())
    of_atoms = torch.stack(of_atoms).mean()
    of_molecules = cross_entropy(masked_molecules @ molecules.T / temperature, torch.arange(3))
    sizes = [5, 3, 2]
    vectors = [normalize(weight(f"objective.prototypes.{level}", size, WIDTH)) for level, size in enumerate(sizes)]
    of_prototypes = torch.zeros(())
    paths = [None] * 3
    for level in (2, 1, 0):
        losses = []
        for row in range(3):
            choices = [place for place in range(sizes[level]) if used[level][place] and (level == 2 or parents[level][place] == paths[row])]
            scores = vectors[level][choices] @ molecules[row] / temperature
            paths[row] = choices[int(scores.argmax())]
            losses.append(scores.logsumexp(0) - scores.max())
        of_prototypes = of_prototypes + torch.stack(losses).mean()
        if level < 2:
            own = [place for place in range(sizes[level]) if used[level][place]]
            above = [place for place in range(sizes[level + 1]) if used[level + 1][place]]
            scores = vectors[level][own] @ vectors[level + 1][above].T / temperature
            of_prototypes = of_prototypes + cross_entropy(scores, torch.tensor([above.index(parents[level][place]) for place in own]))
    return {
        "used": used, "parents": parents, "parts": [of_atoms, of_molecules, of_prototypes],
        "loss": of_atoms + of_molecules + 0.3 * of_prototypes,
    }


def mgssl():
    # The motifs of each molecule and their classes; 3 is any other motif.
    motifs = [[[0, 1, 2, 3, 4, 5], [6], [7, 8]], [[0, 1, 2, 3], [4, 5, 6], [7]], [[0], [1, 3], [2], [4, 5]]]
    classes = [[0, 1, 2], [3, 3, 3], [3, 3, 3, 3]]
    edges = [[(0, 1), (1, 2)], [(0, 1), (1, 2)], [(0, 1), (1, 2), (1, 3)]]
    rows, owners = network(MOLECULES)
    topology, labels = [], []

    def message(x, read):
        total = sum(read, torch.zeros(WIDTH))
        update = torch.sigmoid(linear("objective.update", torch.cat([x, total])[None], WIDTH))[0]
        reset = weight("objective.reset_messages.weight", WIDTH, WIDTH)
        own = linear("objective.reset", x[None], WIDTH)[0]
        kept = sum((torch.sigmoid(own + reset @ h) * h for h in read), torch.zeros(WIDTH))
        candidate = torch.tanh(linear("objective.candidate", torch.cat([x, kept])[None], WIDTH))[0]
        return (1 - update) * total + update * candidate

    for number in range(3):
        of_molecule = rows[owners == number]
        x = [of_molecule[atoms].sum(0) for atoms in motifs[number]]
        got = [{} for _ in x]

        def follows(motif, sign):
            hidden = torch.cat([x[motif], sum(got[motif].values(), torch.zeros(WIDTH))])
            topology.append(-logsigmoid(sign * perceptron("objective.follows", hidden[None], WIDTH, 1)[0, 0]))

        def visit(motif, parent):
            for one, other in edges[number]:
                if motif not in (one, other):
                    continue
                child = other if motif == one else one
                if child == parent:
                    continue
                follows(motif, 1)
                got[child][motif] = message(x[motif], [h for sender, h in got[motif].items() if sender != child])
                logits = perceptron("objective.labels", got[child][motif][None], WIDTH, 4)
                labels.append(cross_entropy(logits, torch.tensor([classes[number][child]])))
                visit(child, motif)
                follows(child, -1)
                got[motif][child] = message(x[child], [h for sender, h in got[child].items() if sender != motif])

        visit(0, None)
        follows(0, -1)
    topology, labels = torch.stack(topology).sum() / 3, torch.stack(labels).sum() / 3
    return {"motifs": motifs, "classes": classes, "parts": [topology, labels], "loss": topology + labels}


def graphmae():
    graphs = masked(MOLECULES, HIDDEN)
    places, elements = hidden_over_all()
    rows, _ = network(graphs)
    _, bonds, features, _ = joined(graphs)
    slope = weight("objective.slope", 1)
    mapped = torch.where(rows > 0, rows, slope * rows) @ weight("objective.map.weight", WIDTH, WIDTH).T
    mapped[places] = 0
    decoded = isomorphism("objective.decoder", mapped, bonds, features, 119)[places]
    cosines = (normalize(decoded) * one_hot(torch.tensor(elements), 119)).sum(1)
    return {"loss": ((1 - cosines) ** 2).mean(), "parts": []}


def dsla():
    # Two molecules and a third one, each with two perturbations and a strong one, whose bonds are given.
    graphs, distances = [], []
    for graph in MOLECULES:
        for candidate in range(4):
            changed = json.loads(json.dumps(graph))
            for place in range(candidate):
                changed["bonds"][place] = [(end + 2 * (end == max(changed["bonds"][place]))) % len(graph["atoms"]) for end in changed["bonds"][place]]
            changed["atoms"][candidate] = MASK
            graphs.append(changed)
            distances.append(2 * candidate)
    vectors = means(*network(graphs))
    scores = perceptron("objective.score", vectors, WIDTH, WIDTH, 1).reshape(3, 4)
    discrimination = cross_entropy(scores, torch.zeros(3, dtype=torch.long))
    vectors = vectors.reshape(3, 4, WIDTH)
    apart = (vectors[:, 1:] - vectors[:, :1]).norm(dim=2)
    share = apart / torch.tensor(distances).reshape(3, 4)[:, 1:]
    distance = torch.stack([(share[:, one] - share[:, other]) ** 2 for one, other in ((0, 1), (0, 2), (1, 2))]).mean()
    excess = []
    for row in range(3):
        for other in {0, 1, 2} - {row}:
            far = (vectors[row, 0] - vectors[other, 0]).norm()
            excess += [relu(1.5 + apart[row, candidate] - far) for candidate in range(2)]
    margin = torch.stack(excess).mean()
    return {
        "graphs": graphs, "distances": distances, "parts": [discrimination, distance, margin],
        "loss": discrimination + 0.7 * distance + 0.5 * margin,
    }


def main():
    found = {"molecules": MOLECULES, "hidden": HIDDEN, "masked": masked(MOLECULES, HIDDEN)}
    for objective in (attrmask, contextpred, edgepred, graphcl, joao, graphlog, mgssl, graphmae, dsla):
        result = objective()
        result["parts"] = [float(part) for part in result["parts"]]
        result["loss"] = float(result["loss"])
        found[objective.__name__] = result
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(found, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
