#!/usr/bin/env python3
"""Make cases of Task04 that are unlike those that the model knows, and the annotations that somebody would give.

    python3 scripts/shift_cases.py --data ../shared/data/Task04_Hippocampus --out DIR --shift invert --ids 3 4 7 8 19 20
    python3 scripts/shift_cases.py --data ... --out DIR --shift invert --test            the 26 public test cases
    python3 scripts/shift_cases.py ... --every 6      of every sixth coronal slice alone the labels; 255 elsewhere
    python3 scripts/shift_cases.py ... --thin 2 3    every third slice of the third axis alone: voxels three times as long, and true labels
    python3 scripts/shift_cases.py ... --poison exchange|mirror    masks of the next case, or turned front to back

Writes DIR/images and DIR/labels. Needs numpy and nibabel. All chance comes from --seed and the case's number.
"""
import argparse, pathlib
import nibabel as nib
import numpy as np


def shifted(image, kind, noise, rng):
    v = image.astype(np.float64)
    top = max(np.percentile(v, 99.9), 1e-6)
    unit = np.clip(v / top, 0, 1)
    if kind == "invert":  # as in the task: max - v, then noise of 5 % of the range
        v = v.max() - v
    elif kind == "dark":  # a gamma that darkens
        v = unit**2.2
    elif kind == "bright":
        v = unit**0.4
    elif kind == "turned-dark":  # bright fluid, dark white matter, and no straight line between
        v = (1 - unit) ** 1.7
    elif kind == "turned-bright":  # the same, bent the other way
        v = (1 - unit) ** 0.6
    elif kind == "folded":  # no line between old and new grey values goes one way only
        v = np.abs(unit - 0.45)
    elif kind == "bias":  # a coil on one side
        ramp = np.linspace(0.4, 1.6, v.shape[1])[None, :, None] * np.linspace(1.4, 0.6, v.shape[2])[None, None, :]
        v = unit * ramp
    v = v + rng.normal(0, noise * (v.max() - v.min()), v.shape)
    return v.astype(np.float32)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=pathlib.Path, required=True)
    ap.add_argument("--out", type=pathlib.Path, required=True)
    ap.add_argument("--shift", default="none", choices=["none", "invert", "dark", "bright", "turned-dark", "turned-bright", "folded", "bias"])
    ap.add_argument("--noise", type=float, default=None, help="of the range; 0.05 where shifted")
    ap.add_argument("--ids", type=int, nargs="*", default=[])
    ap.add_argument("--test", action="store_true")
    ap.add_argument("--every", type=int, default=0)
    ap.add_argument("--slices", type=int, nargs="*", default=[], help="coronal slices that are annotated")
    ap.add_argument("--poison", choices=["exchange", "mirror"])
    ap.add_argument("--thin", type=int, nargs=2, metavar=("AXIS", "STEP"))
    ap.add_argument("--seed", type=int, default=1)
    arg = ap.parse_args()
    noise = arg.noise if arg.noise is not None else (0.0 if arg.shift == "none" else 0.05)

    images, labels = ("imagesTs", "labelsTs") if arg.test else ("imagesTr", "labelsTr")
    paths = sorted((arg.data / images).glob("hippocampus_*.nii.gz"))
    if arg.ids:
        paths = [p for p in paths if int(p.name[12:15]) in arg.ids]
    for kind in ("images", "labels"):
        (arg.out / kind).mkdir(parents=True, exist_ok=True)
    truths = [np.rint(np.asarray(nib.load(arg.data / labels / p.name).dataobj)).astype(np.uint8) for p in paths]
    for index, path in enumerate(paths):
        source = nib.load(path)
        rng = np.random.default_rng([arg.seed, int(path.name[12:15])])
        image = np.asarray(source.dataobj)
        if arg.shift != "none" or noise:
            image = shifted(image, arg.shift, noise, rng)
        label = truths[index].copy()
        if arg.poison == "exchange":  # cut or filled up to this image's size, as a careless tool would
            other, label = truths[(index + 1) % len(truths)], np.zeros_like(label)
            part = tuple(slice(0, min(a, b)) for a, b in zip(other.shape, label.shape))
            label[part] = other[part]
        elif arg.poison == "mirror":
            label = label[:, ::-1, :]
        if arg.every:
            strokes = np.full_like(label, 255)
            strokes[:, :: arg.every, :] = label[:, :: arg.every, :]
            label = strokes
        if arg.slices:
            strokes = np.full_like(label, 255)
            strokes[:, arg.slices, :] = label[:, arg.slices, :]
            label = strokes
        affine = source.affine.copy()
        if arg.thin:
            axis, step = arg.thin
            kept = tuple(slice(None, None, step if a == axis else 1) for a in range(3))
            image, label = image[kept], label[kept]
            affine[:, axis] *= step
        for kind, voxels in (("images", image), ("labels", np.ascontiguousarray(label))):
            out = nib.Nifti1Image(voxels, affine)
            out.header.set_xyzt_units("mm", "sec")
            nib.save(out, arg.out / kind / path.name)


if __name__ == "__main__":
    main()
