#!/usr/bin/env python3
"""What the head's network finds in made heads: how often its boxes hold their objects, and how near its intracranial volume is.

  insitu synth --maps LABELMAPS --out heads --count 50 --seed 77
  python scripts/kept_out_heads.py heads -- insitu segment --model MODEL

LABELMAPS: maps that the network of MODEL did not learn from. What stands after `--` is called with a file, `-o MASK` and
`--report FILE`. A box hits where it holds 95 % of its object's voxels; it is swapped where it holds more of the other object. The truth
of the intracranial volume is all that the recipe's targets hold. Prints both, and every head that is missed. Needs nibabel.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import nibabel
import numpy as np

SIDES = {"left": 1, "right": 2}
LEAST_SHARE = 0.95


def held(truth, side, box):
    """The share of an object's voxels that lie in a box."""
    inside = truth[tuple(slice(a, b) for a, b in zip(box["start"], box["end"]))]
    return (inside == side).sum() / max((truth == side).sum(), 1)


def judged(command, head, scratch):
    """What is wrong with the boxes of a head, and its intracranial volume by the true one."""
    labels = nibabel.load(head.parent.parent / "labelsTr" / head.name)
    truth, voxel_ml = np.asarray(labels.dataobj), abs(np.linalg.det(labels.affine[:3, :3])) / 1000
    mask, report = scratch / "mask.nii.gz", scratch / "report.json"
    subprocess.run([*command, head, "-o", mask, "--report", report], check=True, stderr=subprocess.DEVNULL)
    said = json.loads(report.read_text())
    boxes, faults = {box["object"]: box for box in said["boxes"]}, []
    for name, side in SIDES.items():
        if name not in boxes:
            faults.append(f"{name} not found")
            continue
        own, other = held(truth, side, boxes[name]), held(truth, 3 - side, boxes[name])
        if other > own:
            faults.append(f"{name} swapped")
        elif own < LEAST_SHARE:
            faults.append(f"{name} cut: {100 * own:.0f} % in its box")
    return faults, said["intracranial_ml"] / ((truth > 0).sum() * voxel_ml)


def main():
    split = sys.argv.index("--")
    heads = sorted(Path(sys.argv[1]).glob("imagesTr/*.nii.gz"))
    ratios, hits = [], 0
    with tempfile.TemporaryDirectory() as scratch:
        for head in heads:
            faults, ratio = judged(sys.argv[split + 1 :], head, Path(scratch))
            ratios.append(ratio)
            hits += not faults
            if faults:
                print(f"{head.name}: {'; '.join(faults)}", flush=True)
    off = np.abs(np.array(ratios) - 1)
    print(f"both boxes hit in {hits} of {len(heads)} heads")
    print(
        f"intracranial volume by the true one: mean {np.mean(ratios):.3f}, mean absolute error {100 * off.mean():.1f} %, "
        f"worst {100 * off.max():.1f} %, within 3 % in {(off <= 0.03).sum()}"
    )


if __name__ == "__main__":
    main()
