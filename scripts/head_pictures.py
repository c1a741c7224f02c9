#!/usr/bin/env python3
"""Pictures of made heads: the slices through each hippocampus, with the outlines of the labels that they were made of and of the masks.

  insitu synth --maps LABELMAPS --out heads --count 50 --seed 101
  python scripts/head_pictures.py heads 1,10,20 OUT.png [-- insitu segment]

The numbers are those of heads, a row each: coronal slices through the left and the right hippocampus, and sagittal ones. What stands after
`--` is called with a file, `-o MASK` and `--report FILE`; without it the heads alone are shown, axial, coronal and sagittal.
White: the labels; orange and blue: the mask, anterior and posterior. Dice and the agreement of the networks stand below.
Needs nibabel, Pillow and SciPy.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import nibabel
import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import binary_erosion

from doubtful_heads import SIDES
from oblique_heads import dice

WHITE, ORANGE, BLUE = (255, 255, 255), (255, 150, 0), (60, 180, 255)
# Of a tile around a hippocampus; a whole slice is not enlarged.
GAP, ZOOM, SIDE_MM = 4, 3, 72


def ras(path):
    return np.asarray(nibabel.as_closest_canonical(nibabel.load(path)).dataobj)


def slice_of(voxels, axis, at):
    """A slice across an axis as a picture: up is superior or anterior, left of it the patient's left or behind."""
    return np.take(voxels, at, axis).T[::-1]


def tile(grey, masks, axis, at, window, zoom=ZOOM):
    """A slice across an axis, cut to a window, with outlines."""
    cut = lambda voxels: slice_of(voxels, axis, at)[window]
    low, high = np.percentile(grey, [1, 99.7])
    picture = np.repeat(np.clip((cut(grey) - low) / max(high - low, 1e-6), 0, 1)[..., None] * 255, 3, -1)
    picture = np.kron(picture, np.ones((zoom, zoom, 1)))
    for mask, colour in masks:
        large = np.kron(cut(mask), np.ones((zoom, zoom))) > 0
        picture[large & ~binary_erosion(large)] = colour
    return picture.astype(np.uint8)


def around(mask, axis):
    """The slice across an axis in which a mask is largest, and the window around it in the picture."""
    others = tuple(a for a in range(3) if a != axis)
    at = int(mask.sum(others).argmax())
    picture = slice_of(mask, axis, at)
    centre = np.argwhere(picture).mean(0).astype(int)
    starts = [int(np.clip(c - SIDE_MM // 2, 0, max(0, n - SIDE_MM))) for c, n in zip(centre, picture.shape)]
    return at, tuple(slice(s, s + SIDE_MM) for s in starts)


def segmented(command, head, truth, scratch):
    mask, report = scratch / "mask.nii.gz", scratch / "report.json"
    subprocess.run([*command, head, "-o", mask, "--report", report], check=True, stderr=subprocess.DEVNULL)
    agreed = {box["object"]: box["agreement"] for box in json.loads(report.read_text())["boxes"]}
    found = ras(mask)

    def words(side, label, labels):
        score = dice(np.isin(found, labels), truth == label)
        return f"{side}: Dice {score:.2f}, agreement {agreed.get(side, 0):.2f}"

    return found, [words(side, *numbers) for side, numbers in SIDES.items()]


def row_of(head, command, scratch):
    grey, truth = ras(head), ras(head.parent.parent / "labelsTr" / head.name)
    if not command:
        everything = (slice(None), slice(None))
        return [tile(grey, [], axis, grey.shape[axis] // 2, everything, 1) for axis in (2, 1, 0)], []
    found, words = segmented(command, head, truth, scratch)
    tiles = []
    for axis in (1, 0):
        for label, labels in SIDES.values():
            at, window = around(truth == label, axis)
            colours = [(found == labels[0], ORANGE), (found == labels[1], BLUE)]
            tiles.append(tile(grey, [(truth == label, WHITE), *colours], axis, at, window))
    return tiles, words


def main():
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    folder, numbers, out = sys.argv[1:split]
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for number in numbers.split(","):
            head = next(Path(folder).glob(f"imagesTr/*_{int(number):04d}.nii.gz"))
            tiles, words = row_of(head, sys.argv[split + 1 :], Path(scratch))
            height = max(t.shape[0] for t in tiles)
            tiles = [np.pad(t, ((0, height - t.shape[0]), (0, GAP), (0, 0))) for t in tiles]
            picture = Image.fromarray(np.pad(np.concatenate(tiles, 1), ((0, 18 if words else GAP), (0, 0), (0, 0))))
            ImageDraw.Draw(picture).text((4, height + 3), "   ".join(words), fill=WHITE)
            rows.append(np.asarray(picture))
    width = max(row.shape[1] for row in rows)
    whole = np.concatenate([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows])
    Image.fromarray(whole).quantize(128, Image.Quantize.MAXCOVERAGE).save(out, optimize=True)


if __name__ == "__main__":
    main()
