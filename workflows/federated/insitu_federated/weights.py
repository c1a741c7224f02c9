"""Weights as arrays: those of a model, those in a file of tuned weights, and those that are sent.

A tensor is named STAGE/NAME, as in a file of tuned weights. Values are 16-bit floats, as in these files.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save_file

Arrays = dict[str, np.ndarray]

STAGES = ("whole", "patch")


@dataclass(frozen=True)
class Base:
    """A model as it was before any tuning: of each stage the first fold, the one that `insitu tune` tunes."""

    folder: Path
    name: str
    licence: str
    labels: list[int]
    hashes: dict[str, str]
    arrays: Arrays


def read_base(folder: Path) -> Base:
    """Read a model's folder. Raises ValueError where a file is not the one that its card names."""
    card = json.loads((folder / "model.json").read_text())
    arrays: Arrays = {}
    hashes: dict[str, str] = {}
    for stage in STAGES:
        fold = card["stages"][stage]["folds"][0]
        content = (folder / fold["file"]).read_bytes()
        found = hashlib.sha256(content).hexdigest()
        if found != fold["sha256"]:
            raise ValueError(f"{folder / fold['file']}: found SHA-256 {found}, expected {fold['sha256']}")
        hashes[stage] = found
        arrays |= {f"{stage}/{name}": array.astype(np.float16) for name, array in load(content).items()}
    labels = [label["index"] for label in card["labels"]]
    return Base(folder, card["name"], card["licence"], labels, hashes, arrays)


def read_tuned(path: Path, base: Base) -> Arrays:
    """Read a file of tuned weights: all tensors of its model, tuned or not."""
    return base.arrays | {name: array.astype(np.float16) for name, array in load(path.read_bytes()).items()}


def write_tuned(path: Path, arrays: Arrays, base: Base) -> bool:
    """Write the tensors that differ from the model's own as a file that `insitu` takes for a model; False if none does."""
    tuned = {name: array for name, array in rounded(arrays).items() if not np.array_equal(array, base.arrays[name])}
    if not tuned:
        return False
    about = {
        "base": base.name,
        "files": base.hashes,
        "variant": None,
        "domain": [],
        "report": {"federated": True},
        "licence": base.licence,
        "standing": "accepted",
    }
    save_file(tuned, path, {"insitu_delta": "1", "about": json.dumps(about)})
    return True


def rounded(arrays: Arrays) -> Arrays:
    """Round to 16 bits, as they are kept and sent."""
    return {name: np.ascontiguousarray(array, dtype=np.float16) for name, array in arrays.items()}


def objection(arrays: Arrays, base: Base) -> str | None:
    """Say why these cannot be weights of the model; None where they can."""
    if arrays.keys() != base.arrays.keys():
        return "other tensors than the model's"
    for name, array in arrays.items():
        if array.shape != base.arrays[name].shape:
            return f"{name} of shape {array.shape}, expected {base.arrays[name].shape}"
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            return f"{name} holds values that are not finite numbers"
    return None


def distance(one: Arrays, other: Arrays) -> float:
    """Euclidean distance of two sets of weights."""
    parts = (np.sum((one[name].astype(np.float64) - other[name]) ** 2) for name in one)
    return float(np.sqrt(sum(parts)))
