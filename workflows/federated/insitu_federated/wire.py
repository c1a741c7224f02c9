"""What is sent: weights, numbers of cases and Dice; no image, no mask, no name."""

import numpy as np
from flwr.app import Array, ArrayRecord

from .weights import Arrays, rounded

# What a reply's metrics may hold. `num-examples` is its weight in the mean; Dice is a mean over cases, by label for the guard.
TRAIN_METRICS = ("num-examples", "accepted", "dice-before", "dice-after")
EVALUATE_METRICS = (*TRAIN_METRICS, "fall")
KEEP_METRICS = ("kept",)


def record(arrays: Arrays) -> ArrayRecord:
    """Weights as they are sent."""
    return ArrayRecord({name: Array(array) for name, array in rounded(arrays).items()})


def arrays_of(content: ArrayRecord) -> Arrays:
    """Weights as they were sent."""
    return {name: np.asarray(array.numpy()) for name, array in content.items()}
