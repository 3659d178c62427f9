"""A decoder: how similar predicted and measured profiles are."""

from dataclasses import dataclass, field

import numpy as np

import molarena


def cosines(vectors: np.ndarray, profiles: np.ndarray) -> np.ndarray:
    """Cosine of each vector and each profile over the values that the profile has; 0 where one is all zeros."""
    known = ~np.isnan(profiles)
    profiles = np.where(known, profiles, 0.0)
    lengths = np.sqrt(vectors**2 @ known.T) * np.linalg.norm(profiles, axis=1)
    products = vectors @ profiles.T
    return np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)


class Cosine(molarena.Decoder):
    """Cosine similarity to a predicted profile, over the values that were measured."""

    uses_seed = False

    @dataclass
    class Config:
        centre: float = field(
            default=0.5, metadata={"description": "Taken off every value first; profiles are scaled to [0, 1]"}
        )

    def score(self, z, candidates, space, call):
        if z.shape[1] != candidates.shape[1]:
            raise molarena.DataError(
                f"the vectors have {z.shape[1]} columns, the profiles of {space} {candidates.shape[1]}: "
                "this decoder is for encoders that predict the profile itself"
            )
        return cosines(z.astype(float) - self.config.centre, candidates.astype(float) - self.config.centre)


if __name__ == "__main__":
    molarena.serve(Cosine)
