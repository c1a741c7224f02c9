#!/usr/bin/env python3
"""Whether the agreement that a report gives for each object falls where its mask gets worse: made heads, some of them spoilt.

  insitu synth --maps LABELMAPS --out heads --count 50 --seed 77
  python scripts/doubtful_heads.py heads -- insitu segment

Every head is taken twice; in turn it stays as it is, gets noise, is cut through a hippocampus, gets other grey values, or loses a ball
of tissue there. What stands after `--` is called with a file, `-o MASK` and `--report FILE`. Prints Spearman's rank correlation
between Dice (anterior and posterior together) and agreement, 0 for an object that was not found. Needs nibabel and SciPy.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import nibabel
import numpy as np
from scipy.stats import spearmanr

KINDS = ["as made", "noise", "cut", "grey values", "resected"]
SIDES = {"left": (1, (1, 2)), "right": (2, (3, 4))}
LEAST_MM = 60


def noisy(values, truth, rng):
    return values + rng.normal(0, rng.uniform(0.3, 2.0) * values.std(), values.shape), truth


def cut(values, truth, rng):
    """Ends the field of view inside of a hippocampus."""
    side, axis = rng.integers(1, 3), rng.integers(0, 3)
    at = int(np.quantile(np.where(truth == side)[axis], rng.uniform(0.1, 0.9)))
    first = rng.random() < 0.5 and at >= LEAST_MM or values.shape[axis] - at < LEAST_MM
    part = [slice(None)] * 3
    part[axis] = slice(0, at) if first else slice(at, None)
    return values[tuple(part)], truth[tuple(part)]


def other_grey(values, truth, rng):
    """Mixed with its negative, or a gamma from 0.2 to 4."""
    low, high = np.quantile(values, [0.01, 0.99])
    unit = np.clip((values - low) / (high - low), 0, 1)
    share = rng.uniform(0, 1)
    return 1000 * ((1 - share) * unit + share * (1 - unit) if rng.random() < 0.6 else unit ** rng.uniform(0.2, 4)), truth


def resected(values, truth, rng):
    """A ball of 4 to 18 mm around a voxel of a hippocampus becomes dark."""
    inside = np.argwhere(truth == rng.integers(1, 3))
    centre, radius = inside[rng.integers(len(inside))], rng.uniform(4, 18)
    ball = sum((axis - at) ** 2 for axis, at in zip(np.indices(values.shape), centre)) < radius**2
    values, truth = values.copy(), truth.copy()
    values[ball] = np.quantile(values, 0.05) + rng.normal(0, 0.05 * values.std(), ball.sum())
    truth[ball] = 0
    return values, truth


SPOIL = [lambda values, truth, _: (values, truth), noisy, cut, other_grey, resected]


def rows(command, head, labels, kind, rng, scratch):
    """Of every object its Dice and its agreement."""
    image, truth = nibabel.load(head), np.asarray(nibabel.load(labels).dataobj)
    values, truth = SPOIL[kind](image.get_fdata(dtype=np.float32), truth, rng)
    file, mask, report = scratch / "image.nii.gz", scratch / "mask.nii.gz", scratch / "report.json"
    nibabel.save(nibabel.Nifti1Image(values.astype(np.float32), image.affine), file)
    subprocess.run([*command, file, "-o", mask, "--report", report], check=True, stderr=subprocess.DEVNULL)
    found = np.asarray(nibabel.load(mask).dataobj)
    agreement = {box["object"]: box.get("agreement", 0) for box in json.loads(report.read_text())["boxes"]}
    for name, (side, of) in SIDES.items():
        here, there = np.isin(found, of), truth == side
        if here.any() or there.any():
            yield 2 * (here & there).sum() / (here.sum() + there.sum()), agreement.get(name, 0)


def main():
    split = sys.argv.index("--")
    heads = sorted(Path(sys.argv[1]).glob("imagesTr/*.nii.gz")) * 2
    rng, table = np.random.default_rng(5), [[] for _ in KINDS]
    with tempfile.TemporaryDirectory() as scratch:
        for number, head in enumerate(heads):
            labels = head.parent.parent / "labelsTr" / head.name
            kind = number % len(KINDS)
            table[kind].extend(rows(sys.argv[split + 1 :], head, labels, kind, rng, Path(scratch)))
    for kind, values in [*zip(KINDS, table), ("all", sum(table, []))]:
        dice, agreement = np.array(values).T
        rank = spearmanr(dice, agreement).statistic
        print(f"{kind}: {len(values)} objects, Dice {dice.mean():.3f}, agreement {agreement.mean():.3f}, rank correlation {rank:.2f}")


if __name__ == "__main__":
    main()
