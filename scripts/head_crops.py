#!/usr/bin/env python3
"""Crops around each hippocampus of labelled heads, as they are and mirrored left to right:

    head_crops.py IMAGES LABELS OUT [MARGIN ...]

IMAGES and LABELS hold NIfTI files of the same names; in the labels 1 is left and 2 is right. OUT gets images/ and labels/ with
CASE_SIDE_MARGIN[_mirrored].nii.gz: SIDE is what the crop shows (a mirrored left hippocampus is a right one), MARGIN the voxels
around the hippocampus (4, 8 and 12 where none is given). Needs nibabel and numpy.
"""
import glob
import os
import sys

import nibabel as nib
import numpy as np

SIDES = {"left": 1, "right": 2}
OTHER = {"left": "right", "right": "left"}


def mirrored(affine):
    """The affine of the same voxels seen in a mirror that stands across the world's first axis."""
    return np.diag([-1.0, 1.0, 1.0, 1.0]) @ affine


def save(folder, name, values, affine):
    nib.save(nib.Nifti1Image(values, affine), os.path.join(folder, name + ".nii.gz"))


def crops(image, label, margin):
    """(side, image values, label values, affine) of each side."""
    values, marked = np.asarray(image.dataobj), np.asarray(label.dataobj)
    for side, number in SIDES.items():
        at = np.argwhere(marked == number)
        if len(at) == 0:
            continue
        start = np.maximum(at.min(0) - margin, 0)
        end = np.minimum(at.max(0) + 1 + margin, marked.shape)
        cut = tuple(slice(a, b) for a, b in zip(start, end))
        affine = image.affine.copy()
        affine[:3, 3] += affine[:3, :3] @ start
        yield side, values[cut], (marked[cut] == number).astype(np.uint8), affine


def main(images, labels, out, margins):
    for folder in ("images", "labels"):
        os.makedirs(os.path.join(out, folder), exist_ok=True)
    for path in sorted(glob.glob(os.path.join(labels, "*.nii.gz"))):
        case = os.path.basename(path).removesuffix(".nii.gz")
        image, label = nib.load(os.path.join(images, case + ".nii.gz")), nib.load(path)
        for margin in margins:
            for side, values, marked, affine in crops(image, label, margin):
                views = [(f"{case}_{side}_{margin}", affine), (f"{case}_{OTHER[side]}_{margin}_mirrored", mirrored(affine))]
                for name, seen in views:
                    save(os.path.join(out, "images"), name, values, seen)
                    save(os.path.join(out, "labels"), name, marked, seen)


if __name__ == "__main__":
    main(*sys.argv[1:4], [int(margin) for margin in sys.argv[4:]] or [4, 8, 12])
