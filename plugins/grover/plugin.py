"""GROVER (arXiv 2007.02835), a graph transformer on atoms and bonds, as an encoder that reads its authors' checkpoints."""

import argparse
import io
import warnings
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

import molarena

# Columns of an atom, and of a bond with the atom that it comes from.
ATOM, BOND = 151, 165
# Of `grover_base.pt`; `grover_large.pt` has `hidden_size` 1200. A checkpoint brings its own.
BASE = {
    "hidden_size": 800,
    "depth": 6,
    "num_mt_block": 1,
    "num_attn_head": 4,
    "activation": "PReLU",
    "bias": False,
    "dense": False,
}
# Of these a checkpoint may have none: the defaults of the authors' code are those of the released models.
DEFAULTS = ("num_mt_block", "num_attn_head", "bias", "dense")
# What the network here does not do otherwise.
ONLY = {"backbone": "gtrans", "undirected": False}
ACTIVATIONS = {
    "PReLU": None,
    "ReLU": lambda functional, x: functional.relu(x),
    "LeakyReLU": lambda functional, x: functional.leaky_relu(x, 0.1),
    "tanh": lambda functional, x: functional.tanh(x),
    "SELU": lambda functional, x: functional.selu(x),
    "ELU": lambda functional, x: functional.elu(x),
    "Linear": lambda functional, x: x,
}
BRANCHES = {"atom": ("atom_from_atom", "atom_from_bond"), "bond": ("bond_from_atom", "bond_from_bond")}
# Acceptors and donors of hydrogen, acidic and basic groups.
GROUPS = (
    "[$([O,S;H1;v2;!$(*-*=[O,N,P,S])]),$([O,S;H0;v2]),$([O,S;-]),$([N;v3;!$(N-*=[O,N,P,S])]),"
    "n&H0&+0,$([o,s;+0;!$([o,s]:n);!$([o,s]:c:n)])]",
    "[$([N;!H0;v3,v4&+1]),$([O,S;H1;+0]),n&H1&+0]",
    "[$([C,S](=[O,S,P])-[O;H1,-1])]",
    "[#7;+,$([N;H2&+0][$([C,a]);!$([C,a](=O))]),$([N;H1&+0]([$([C,a]);!$([C,a](=O))])[$([C,a]);"
    "!$([C,a](=O))]),$([N;H0&+0]([C;!$(C(=O))])([C;!$(C(=O))])[C;!$(C(=O))])]",
)


def one_hot(value, size):
    """`size` columns of which one is 1; the last stands for every other value."""
    return np.eye(size, dtype=np.float32)[value if 0 <= value < size - 1 else size - 1]


@cache
def patterns():
    from rdkit import Chem

    return [Chem.MolFromSmarts(group) for group in GROUPS]


def graph(smiles):
    """Features of the atoms, and of the directed bonds their atoms (from, to) and features; a bond's reverse is its neighbour."""
    from rdkit import Chem

    molecule = Chem.MolFromSmiles(smiles)
    if molecule is None or molecule.GetNumAtoms() == 0:
        raise molarena.DataError(f"RDKit does not read `{smiles}`, or it has no atoms")
    kinds = Chem.HybridizationType
    hybridizations = [kinds.SP, kinds.SP2, kinds.SP3, kinds.SP3D, kinds.SP3D2]
    groups = [{index for match in molecule.GetSubstructMatches(group) for index in match} for group in patterns()]
    rings, atoms = molecule.GetRingInfo(), []
    for atom in molecule.GetAtoms():
        number, index, hybridization = atom.GetAtomicNum(), atom.GetIdx(), atom.GetHybridization()
        if not 1 <= number <= 100:
            raise molarena.DataError(
                f"`{smiles}` has an atom `{atom.GetSymbol()}`; GROVER knows elements 1 to 100, so leave it out"
            )
        encoded = [
            one_hot(number - 1, 101),
            one_hot(atom.GetTotalDegree(), 7),
            # The authors' code takes the charge itself as the place, from the end if it is negative.
            one_hot(atom.GetFormalCharge() % 6, 6),
            one_hot(int(atom.GetChiralTag()), 5),
            one_hot(atom.GetTotalNumHs(), 6),
            one_hot(hybridizations.index(hybridization) if hybridization in hybridizations else -1, 6),
            [atom.GetIsAromatic(), atom.GetMass() * 0.01],
            one_hot(atom.GetValence(Chem.ValenceType.IMPLICIT), 8),
            [index in group for group in groups],
            [rings.IsAtomInRingOfSize(index, size) for size in range(3, 9)],
        ]
        atoms.append(np.concatenate(encoded))
    bonds, types = [], Chem.BondType
    for bond in sorted(molecule.GetBonds(), key=lambda bond: sorted((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()))):
        kind = [bond.GetBondType() == of for of in (types.SINGLE, types.DOUBLE, types.TRIPLE, types.AROMATIC)]
        kind = np.concatenate([[0], kind, [bond.GetIsConjugated(), bond.IsInRing()], one_hot(int(bond.GetStereo()), 7)])
        low, high = sorted((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()))
        bonds += [(low, high, kind), (high, low, kind)]
    return np.array(atoms, dtype=np.float32), bonds


def degree(atoms, bonds):
    """The largest number of neighbours that an atom has."""
    return int(np.bincount([to for _, to, _ in bonds], minlength=len(atoms)).max())


def batch(graphs, places):
    """Graphs beside each other, after an atom and a bond of zeros, which fill the `places` of neighbours that are not there."""
    import torch

    atoms, bonds, source, reverse, incoming, of_atom, of_bond = (
        [np.zeros((1, ATOM))],
        [np.zeros(BOND)],
        [0],
        [0],
        [[]],
        [-1],
        [-1],
    )
    for owner, (features, edges) in enumerate(graphs):
        first = len(incoming)
        atoms.append(features)
        incoming += [[] for _ in features]
        of_atom += [owner] * len(features)
        for start, end, kind in edges:
            number = len(source)
            bonds.append(np.concatenate([features[start], kind]))
            source.append(first + start)
            reverse.append(number + 1 if number % 2 else number - 1)
            incoming[first + end].append(number)
            of_bond.append(owner)
    incoming = [row + [0] * (places - len(row)) for row in incoming]
    values = [torch.tensor(np.vstack(rows), dtype=torch.float32) for rows in (atoms, bonds)]
    return values + [torch.tensor(rows, dtype=torch.long) for rows in (source, reverse, incoming, of_atom, of_bond)]


class Network:
    """The authors' GTransEncoder and fingerprint at inference, on a dictionary of tensors by their names."""

    def __init__(self, sizes, tensors, padding):
        self.sizes, self.tensors, self.padding = sizes, tensors, padding

    @staticmethod
    def shapes(sizes):
        """The shape of each tensor."""
        hidden, heads, bias, shapes = sizes["hidden_size"], sizes["num_attn_head"], sizes["bias"], {}

        def add(name, wide, out, bias=bias, act=None):
            shapes[f"{name}.weight"] = (out, wide)
            if bias:
                shapes[f"{name}.bias"] = (out,)
            if act and sizes["activation"] == "PReLU":
                shapes[f"{act}.act_func.weight"] = (1,)

        def norm(name):
            shapes.update({f"{name}.weight": (hidden,), f"{name}.bias": (hidden,)})

        for view, width in ("node", ATOM), ("edge", BOND):
            for number in range(sizes["num_mt_block"]):
                at = f"encoders.{view}_blocks.{number}"
                add(f"{at}.W_i", hidden if number else width, hidden, act=at)
                norm(f"{at}.layernorm")
                for part in range(3):
                    add(f"{at}.attn.linear_layers.{part}", hidden, hidden, bias=True)
                add(f"{at}.attn.output_linear", hidden, hidden)
                add(f"{at}.W_o", hidden * heads, hidden)
                norm(f"{at}.sublayer.norm")
                for part in (f"{at}.heads.{head}.mpn_{part}" for head in range(heads) for part in "qkv"):
                    add(f"{part}.W_h", hidden, hidden, act=part)
        for branch in BRANCHES["atom"] + BRANCHES["bond"]:
            at = f"encoders.ffn_{branch}"
            add(f"{at}.W_1", hidden + (ATOM if branch.startswith("atom") else BOND), 4 * hidden, bias=True, act=at)
            add(f"{at}.W_2", 4 * hidden, hidden, bias=True)
            norm(f"encoders.{branch}_sublayer.norm")
        return shapes

    def linear(self, name, x):
        from torch.nn.functional import linear

        return linear(x, self.tensors[f"{name}.weight"], self.tensors.get(f"{name}.bias"))

    def norm(self, name, x):
        from torch.nn.functional import layer_norm

        return layer_norm(x, x.shape[-1:], self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"])

    def act(self, at, x):
        import torch

        if self.sizes["activation"] == "PReLU":
            return torch.nn.functional.prelu(x, self.tensors[f"{at}.act_func.weight"])
        return ACTIVATIONS[self.sizes["activation"]](torch.nn.functional, x)

    def gather(self, rows, index):
        """The sum over neighbours, with the row that fills empty places, or without."""
        import torch

        return (rows if self.padding else torch.cat([torch.zeros_like(rows[:1]), rows[1:]]))[index].sum(1)

    def messages(self, at, atoms, hidden, source, reverse, incoming):
        message = hidden
        for _ in range(self.sizes["depth"] - 1):
            if atoms:
                message = self.gather(message, source[incoming])
            else:
                message = self.gather(message, incoming)[source] - message[reverse]
            message = self.linear(f"{at}.W_h", message)
            # `dense` has the opposite of its name's effect; the released weights were trained so.
            message = self.act(at, message if self.sizes["dense"] else hidden + message)
        return message

    def block(self, at, atoms, hidden, *links):
        import torch

        heads, width = self.sizes["num_attn_head"], self.sizes["hidden_size"]
        if hidden.shape[1] != width:
            hidden = self.norm(f"{at}.layernorm", self.act(at, self.linear(f"{at}.W_i", hidden)))
        parts = []
        for number, part in enumerate("qkv"):
            of_heads = [self.messages(f"{at}.heads.{head}.mpn_{part}", atoms, hidden, *links) for head in range(heads)]
            projected = self.linear(f"{at}.attn.linear_layers.{number}", torch.stack(of_heads, dim=1))
            parts.append(projected.view(-1, heads, heads, width // heads).transpose(1, 2))
        mixed = torch.nn.functional.scaled_dot_product_attention(*parts).transpose(1, 2).reshape(-1, heads, width)
        mixed = self.linear(f"{at}.attn.output_linear", mixed).reshape(-1, heads * width)
        return self.norm(f"{at}.sublayer.norm", self.linear(f"{at}.W_o", mixed))

    def fingerprint(self, graphs, places, view):
        """The mean over atoms and over bonds of what each view says of them: `[molecules, 4 hidden_size]`."""
        import torch

        atoms, bonds, source, reverse, incoming, of_atom, of_bond = batch(graphs, places)
        node, edge, links = atoms, bonds, (source, reverse, incoming)
        for number in range(self.sizes["num_mt_block"]):
            node = self.block(f"encoders.node_blocks.{number}", True, node, *links)
            edge = self.block(f"encoders.edge_blocks.{number}", False, edge, *links)
        around = source[incoming]
        near = {
            "atom_from_atom": lambda: self.gather(node, around),
            "atom_from_bond": lambda: self.gather(edge, incoming),
            "bond_from_atom": lambda: self.gather(node, torch.cat([source[:, None], around[source]], 1)) - node[source[reverse]],
            "bond_from_bond": lambda: self.gather(edge, incoming[source]) - edge[reverse],
        }
        means = []
        for branch in BRANCHES["atom"] + BRANCHES["bond"] if view == "both" else BRANCHES[view]:
            own, owner = (atoms, of_atom) if branch.startswith("atom") else (bonds, of_bond)
            at = f"encoders.ffn_{branch}"
            x = self.act(at, self.linear(f"{at}.W_1", torch.cat([own, near[branch]()], 1)))
            x = self.norm(f"encoders.{branch}_sublayer.norm", self.linear(f"{at}.W_2", x))[1:]
            counts = torch.bincount(owner[1:], minlength=len(graphs)).clamp(min=1)
            means.append(torch.zeros(len(graphs), x.shape[1]).index_add(0, owner[1:], x) / counts[:, None])
        return torch.cat(means, 1).numpy()


class Grover(molarena.Encoder):
    """GROVER's fingerprint: the means over atoms and bonds of its two views; without weights it is random, the control."""

    @dataclass
    class Config:
        view: Literal["both", "atom", "bond"] = molarena.option("both", "Means over atoms and bonds, or of one of them")
        padding: int = molarena.option(
            4,
            "Places for an atom's neighbours. The authors' code fills the empty ones with a row that is not zero; it has as many "
            "as the batch's largest degree. 0: nothing is filled",
            minimum=0,
        )

    loaded = None

    def encode(self, molecules, call):
        call.import_packages("torch", "rdkit.Chem")
        import torch

        torch.set_num_threads(call.threads)
        sizes, tensors = self.loaded or (BASE, random(BASE, call.seed))
        network = Network(sizes, tensors, self.config.padding > 0)
        graphs, alike, rows = [], defaultdict(list), [None] * len(molecules)
        for row, smiles in enumerate(molecules.smiles):
            call.check()
            graphs.append(graph(smiles))
            alike[max(self.config.padding, degree(*graphs[row]), 1)].append(row)
        parts = [(places, of[i : i + 32]) for places, of in sorted(alike.items()) for i in range(0, len(of), 32)]
        with torch.inference_mode():
            for number, (places, part) in enumerate(parts):
                call.check()
                vectors = network.fingerprint([graphs[row] for row in part], places, self.config.view)
                for row, vector in zip(part, vectors, strict=True):
                    rows[row] = vector
                call.progress((number + 1) / len(parts), "encoded")
        return np.array(rows, dtype=np.float32)

    def save(self):
        import torch

        if self.loaded is None:
            raise molarena.Unsupported("there are no weights to save; they are drawn anew from the seed")
        (sizes, tensors), state = self.loaded, io.BytesIO()
        tensors = {f"grover.{name}": value for name, value in tensors.items()}
        torch.save({"args": argparse.Namespace(**sizes), "state_dict": tensors}, state)
        return state.getvalue()

    def load(self, state):
        found = read(state)
        if not isinstance(found, dict) or not {"args", "state_dict"} <= found.keys():
            keys = ", ".join(map(str, found)) if isinstance(found, dict) else type(found).__name__
            raise molarena.DataError(
                f"a checkpoint of GROVER has `args` and `state_dict`; this has {keys}. Name grover_base.pt or _large.pt"
            )
        args = vars(found["args"]) if isinstance(found["args"], argparse.Namespace) else dict(found["args"])
        args = {name: BASE[name] for name in DEFAULTS} | args
        if odd := {name: args[name] for name, only in ONLY.items() if args.get(name, only) != only}:
            raise molarena.DataError(f"this GROVER has {odd}; only {ONLY} is supported, as the released ones are")
        if absent := [name for name in BASE if name not in args]:
            raise molarena.DataError(
                f"`args` of this checkpoint has no {', '.join(absent)}: it is no GROVER of its authors' code"
            )
        sizes = {name: args[name] for name in BASE}
        for name, value in sizes.items():
            whole = isinstance(BASE[name], int) and not isinstance(BASE[name], bool)
            if (
                type(value) is not type(BASE[name])
                or (whole and value < 1)
                or (name == "activation" and value not in ACTIVATIONS)
            ):
                raise molarena.DataError(f"`{name}` is {value!r} in `args` of this checkpoint, which GROVER does not know")
        if sizes["hidden_size"] % sizes["num_attn_head"]:
            raise molarena.DataError(f"`hidden_size` {sizes['hidden_size']} is no multiple of {sizes['num_attn_head']} heads")
        tensors = {name.removeprefix("grover."): value for name, value in found["state_dict"].items()}
        wanted = Network.shapes(sizes)
        wrong = [
            f"`{name}` {tuple(tensors[name].shape)}, not {shape}" if name in tensors else f"no `{name}`"
            for name, shape in wanted.items()
            if name not in tensors or tuple(tensors[name].shape) != shape
        ]
        if wrong:
            raise molarena.DataError(f"the checkpoint does not fit its `args`: {len(wrong)} tensors differ, first {wrong[0]}")
        self.loaded = sizes, {name: tensors[name].float() for name in wanted}


def read(state):
    """What `torch.save` wrote, if it holds tensors, plain values and an `argparse.Namespace` only."""
    import torch

    try:
        with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings(action="ignore"):
            return torch.load(io.BytesIO(state), map_location="cpu", weights_only=True)
    except Exception as error:
        raise molarena.DataError(
            f"this is no file of `torch.save` with weights only: {str(error).splitlines()[0]}. If it is a checkpoint with other "
            "objects in it that you trust, load it with `weights_only=False` and save the weights anew"
        ) from error


def random(sizes, seed):
    """Weights that the seed draws: Xavier's normal distribution for matrices, as the authors' code does; norms are 1 and 0."""
    import torch

    made, tensors = torch.Generator().manual_seed(seed % 2**63), {}
    for name, shape in Network.shapes(sizes).items():
        if len(shape) == 2:
            tensors[name] = torch.randn(shape, generator=made) * (2 / sum(shape)) ** 0.5
        else:
            fill = 0.25 if "act_func" in name else float(name.endswith("norm.weight"))
            tensors[name] = torch.full(shape, fill)
    return tensors


if __name__ == "__main__":
    molarena.serve(Grover)
