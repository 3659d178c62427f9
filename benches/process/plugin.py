"""An encoder that knows what time it took itself, for the costs of the process protocol."""

import time

import numpy as np

import molarena


@molarena.encoder(summary="Counts of 32 characters, and the seconds that counting them took")
def timed(smiles):
    started = time.perf_counter()
    counts = np.array([[text.count(chr(code)) for code in range(64, 96)] for text in smiles], dtype=np.float32)
    seconds = np.full((len(smiles), 1), time.perf_counter() - started, dtype=np.float32)
    return np.hstack([counts, seconds])


molarena.serve(timed)
