"""Uni-Mol (10.26434/chemrxiv-2022-jjm0j-v4), a transformer on atoms in space, as an encoder that reads its checkpoints."""

import argparse
import io
import sys
import warnings
from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

import numpy as np

import molarena

# `mol.dict.txt` of the release, and the mask that its code adds.
SYMBOLS = "[PAD] [CLS] [SEP] [UNK] C N O S H Cl F Br I Si P B Na K Al Ca Sn As Hg Fe Zn Cr Se Gd Au Li [MASK]".split()
TOKENS = {symbol: number for number, symbol in enumerate(SYMBOLS)}
KERNELS = 128
# Of `mol_pre_all_h_220816.pt` and `mol_pre_no_h_220816.pt`. A checkpoint brings its own.
SIZES = {"layers": 15, "width": 512, "inner": 2048, "heads": 64}


def conformer(smiles, seed):
    """Symbols and coordinates of the atoms with all hydrogens; and whether these are in space, not in the plane."""
    from rdkit import Chem
    from rdkit.Chem import AllChem

    molecule = Chem.MolFromSmiles(smiles)
    if molecule is None or molecule.GetNumAtoms() == 0:
        raise molarena.DataError(f"RDKit does not read `{smiles}`, or it has no atoms")
    molecule = Chem.AddHs(molecule)
    try:
        found = AllChem.EmbedMolecule(molecule, randomSeed=seed) == 0
    except RuntimeError:
        found = False
    if found:
        try:
            AllChem.MMFFOptimizeMolecule(molecule)
        except ValueError:
            pass  # The force field lacks an element: the coordinates stay as they are.
    else:
        AllChem.Compute2DCoords(molecule)
    coordinates = molecule.GetConformer().GetPositions().astype(np.float32)
    return [atom.GetSymbol() for atom in molecule.GetAtoms()], coordinates, found


def tokens_and_distances(symbols, coordinates):
    """Tokens from `[CLS]` to `[SEP]`, and their distances, where those two stand in the centre of the atoms."""
    unknown = TOKENS["[UNK]"]
    tokens = [TOKENS["[CLS]"], *(TOKENS.get(symbol, unknown) for symbol in symbols), TOKENS["[SEP]"]]
    places = np.zeros((len(tokens), 3))
    places[1:-1] = coordinates - coordinates.mean(axis=0)
    return np.array(tokens), np.linalg.norm(places[:, None] - places[None], axis=-1).astype(np.float32)


class Network:
    """Uni-Mol's encoder at inference, on a dictionary of tensors by their names."""

    def __init__(self, sizes, tensors):
        self.sizes, self.tensors = sizes, tensors

    @staticmethod
    def shapes(sizes):
        """The shape of each tensor."""
        width, inner, kinds = sizes["width"], sizes["inner"], len(SYMBOLS)
        linears = {"gbf_proj.linear1": (KERNELS, KERNELS), "gbf_proj.linear2": (sizes["heads"], KERNELS)}
        norms = ["encoder.emb_layer_norm", "encoder.final_layer_norm"]
        for at in (f"encoder.layers.{layer}" for layer in range(sizes["layers"])):
            linears |= {f"{at}.self_attn.in_proj": (3 * width, width), f"{at}.self_attn.out_proj": (width, width)}
            linears |= {f"{at}.fc1": (inner, width), f"{at}.fc2": (width, inner)}
            norms += [f"{at}.self_attn_layer_norm", f"{at}.final_layer_norm"]
        shapes = {"embed_tokens.weight": (kinds, width)}
        shapes |= {f"gbf.{name}.weight": (1, KERNELS) for name in ("means", "stds")}
        shapes |= {f"gbf.{name}.weight": (kinds * kinds, 1) for name in ("mul", "bias")}
        shapes |= {f"{name}.weight": shape for name, shape in linears.items()} | {
            f"{name}.bias": shape[:1] for name, shape in linears.items()
        }
        return shapes | {f"{name}.{part}": (width,) for name in norms for part in ("weight", "bias")}

    def linear(self, name, x):
        from torch.nn.functional import linear

        return linear(x, self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"])

    def norm(self, name, x):
        from torch.nn.functional import layer_norm

        return layer_norm(x, x.shape[-1:], self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"])

    def bias(self, tokens, distances):
        """What attention starts from: Gaussians of the distances, for each pair of elements, `[molecules, heads, n, n]`."""
        import torch

        pairs, own = tokens[:, :, None] * len(SYMBOLS) + tokens[:, None, :], self.tensors
        x = own["gbf.mul.weight"][pairs] * distances[..., None] + own["gbf.bias.weight"][pairs]
        spread = own["gbf.stds.weight"][0].abs() + 1e-5
        # Its pi is 3.14159.
        x = torch.exp(-0.5 * ((x - own["gbf.means.weight"][0]) / spread) ** 2) / ((2 * 3.14159) ** 0.5 * spread)
        return self.linear("gbf_proj.linear2", torch.nn.functional.gelu(self.linear("gbf_proj.linear1", x))).permute(0, 3, 1, 2)

    def vectors(self, tokens, distances):
        """The last states of `[CLS]` of molecules of as many tokens, `[molecules, width]`."""
        import torch

        heads, width = self.sizes["heads"], self.sizes["width"]
        bias, x = self.bias(tokens, distances), self.norm("encoder.emb_layer_norm", self.tensors["embed_tokens.weight"][tokens])
        for at in (f"encoder.layers.{layer}" for layer in range(self.sizes["layers"])):
            parts = self.linear(f"{at}.self_attn.in_proj", self.norm(f"{at}.self_attn_layer_norm", x)).chunk(3, dim=-1)
            query, key, value = (part.unflatten(-1, (heads, width // heads)).transpose(1, 2) for part in parts)
            # Each layer's scores before the softmax are the bias of the next one.
            bias = query * (width // heads) ** -0.5 @ key.transpose(2, 3) + bias
            x = x + self.linear(f"{at}.self_attn.out_proj", (bias.softmax(-1) @ value).transpose(1, 2).flatten(2))
            x = x + self.linear(
                f"{at}.fc2", torch.nn.functional.gelu(self.linear(f"{at}.fc1", self.norm(f"{at}.final_layer_norm", x)))
            )
        return self.norm("encoder.final_layer_norm", x[:, 0]).numpy()


class UniMol(molarena.Encoder):
    """Uni-Mol's vector of a molecule, the last state of [CLS], from one conformer; without weights it is random, the control."""

    @dataclass
    class Config:
        hydrogens: bool = molarena.option(True, "Hydrogens are read, as mol_pre_all_h was trained; false for mol_pre_no_h")
        max_atoms: int = molarena.option(256, "Molecules of more atoms are refused", minimum=1)
        unknown: Literal["refuse", "keep"] = molarena.option(
            "refuse", "Elements outside of the dictionary: refused, or read as [UNK]"
        )
        conformer_seed: int = molarena.option(42, "Seed of the conformers", minimum=0, maximum=2**31 - 1)

    loaded = None

    def tokens(self, smiles):
        """A molecule's tokens and distances, and whether its conformer is in space."""
        symbols, coordinates, found = conformer(smiles, self.config.conformer_seed)
        if not self.config.hydrogens:
            kept = [index for index, symbol in enumerate(symbols) if symbol != "H"]
            symbols, coordinates = [symbols[index] for index in kept], coordinates[kept]
            if not kept:
                raise molarena.DataError(f"`{smiles}` has hydrogens only, and `hydrogens` is false")
        if len(symbols) > self.config.max_atoms:
            counted = "with" if self.config.hydrogens else "without"
            raise molarena.DataError(
                f"`{smiles}` has {len(symbols)} atoms {counted} hydrogens, and `max_atoms` is {self.config.max_atoms}"
            )
        if self.config.unknown == "refuse" and (new := sorted({symbol for symbol in symbols if symbol not in TOKENS})):
            raise molarena.DataError(
                f"`{smiles}` has {', '.join(new)}, which Uni-Mol's dictionary has not; `unknown = 'keep'` reads [UNK]"
            )
        return *tokens_and_distances(symbols, coordinates), found

    def encode(self, molecules, call):
        call.import_packages("torch", "rdkit.Chem.AllChem")
        import torch

        torch.set_num_threads(call.threads)
        network, alike, flat, rows = (
            Network(*(self.loaded or (SIZES, random(SIZES, call.seed)))),
            defaultdict(list),
            0,
            [None] * len(molecules),
        )
        for row, smiles in enumerate(molecules.smiles):
            call.check()
            tokens, distances, found = self.tokens(smiles)
            alike[len(tokens)].append((row, tokens, distances))
            flat += not found
            call.progress((row + 1) / len(rows) / 2, "conformers")
        if flat:
            print(f"{flat} of {len(rows)} molecules have coordinates in the plane: RDKit found none in space", file=sys.stderr)
        parts = []
        for length, of in sorted(alike.items()):
            # The pairs of a part take the memory.
            most = max(1, min(16, 200_000 // length**2))
            parts += [of[start : start + most] for start in range(0, len(of), most)]
        with torch.inference_mode():
            for number, part in enumerate(parts):
                call.check()
                places, *arrays = zip(*part, strict=True)
                for row, vector in zip(
                    places, network.vectors(*(torch.from_numpy(np.stack(array)) for array in arrays)), strict=True
                ):
                    rows[row] = vector
                call.progress(0.5 + (number + 1) / len(parts) / 2, "encoded")
        return np.array(rows, dtype=np.float32)

    def save(self):
        import torch

        if self.loaded is None:
            raise molarena.Unsupported("there are no weights to save; they are drawn anew from the seed")
        state = io.BytesIO()
        torch.save({"model": self.loaded[1]}, state)
        return state.getvalue()

    def load(self, state):
        found = read(state)
        found = (
            next((found[key] for key in ("model", "model_state_dict") if key in found), found) if isinstance(found, dict) else {}
        )
        tensors = {name: value for name, value in found.items() if hasattr(value, "shape")}
        layers = {int(name.split(".")[2]) for name in tensors if name.startswith("encoder.layers.")}
        try:
            inner, width = tensors["encoder.layers.0.fc1.weight"].shape
            sizes = {"layers": len(layers), "width": width, "inner": inner, "heads": len(tensors["gbf_proj.linear2.weight"])}
        except (KeyError, ValueError) as error:
            raise molarena.DataError(
                "this is no checkpoint of Uni-Mol 1 for molecules: name mol_pre_all_h_220816.pt or mol_pre_no_h_220816.pt. Those "
                f"for pockets, crystals and OLEDs, and Uni-Mol 2, are other networks (there is no {error})"
            ) from error
        if not sizes["heads"] or width % sizes["heads"]:
            raise molarena.DataError(f"width {width} of this checkpoint is no multiple of its {sizes['heads']} heads")
        wanted = Network.shapes(sizes)
        wrong = [
            f"`{name}` {tuple(tensors[name].shape)}, not {shape}" if name in tensors else f"no `{name}`"
            for name, shape in wanted.items()
            if name not in tensors or tuple(tensors[name].shape) != shape
        ]
        if wrong:
            hint = "; the dictionary of molecules has 30 symbols and [MASK]" if "embed" in wrong[0] else ""
            raise molarena.DataError(f"this is no Uni-Mol 1 for molecules: {len(wrong)} tensors differ, first {wrong[0]}{hint}")
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
    """Weights that the seed draws, as the authors' code does before pretraining."""
    import torch

    made, tensors = torch.Generator().manual_seed(seed % 2**63), {}
    for name, shape in Network.shapes(sizes).items():
        if name in ("gbf.means.weight", "gbf.stds.weight"):
            tensors[name] = 3 * torch.rand(shape, generator=made)
        elif len(shape) == 2 and not name.startswith("gbf."):
            tensors[name] = 0.02 * torch.randn(shape, generator=made)
        else:
            tensors[name] = torch.full(shape, float(name.endswith("norm.weight") or name == "gbf.mul.weight"))
    return tensors


if __name__ == "__main__":
    molarena.serve(UniMol)
