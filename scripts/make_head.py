#!/usr/bin/env python3
"""Make the page's sample head: a T1-weighted MR volume of a whole head that is nobody's, with known labels.

    python3 scripts/make_head.py --maps FOLDER [--insitu target/release/insitu] [--out www/samples/head]

Needs numpy, nibabel and the command `insitu` (cargo build --release --features cli); takes half a minute. FOLDER holds the label
maps of SynthSeg (github.com/BBillot/SynthSeg, data/training_label_maps, Apache-2.0). Steps and why:

1. `insitu synth --maps FOLDER --synthesis t1 --seed 77 --count 3` makes heads as the training of the model sees them
   (docs/synthesis.md): a map under a random affine and smooth displacement, with random grey values for every tissue. The third
   is taken: it is upright, has all of its skull and a face, T1 contrast, and no scanner's faults.
2. Grey values to eight bits, the 99.9th percentile to 252, in steps of 12: noise at the steps' size and no finer, so that the file
   is a seventh in size. Tissues lie several steps apart: masks of it and of the head as it was have a Dice of 0.98.
3. Air is cleared: voxels whose 3^3 neighbours have a mean below 18, which is noise without any tissue. Beyond 5 mm around the head it
   is cut away: the page draws and segments the rest in half the time.
4. Stored as the sample crop is: RAS, 1 mm, qform = sform, code 1, mm; empty text fields; gzip without a time stamp.

All chance comes from the seed: the same versions give the same bytes.
"""
import argparse, gzip, pathlib, subprocess, tempfile
import nibabel as nib
import numpy as np

SEED, COUNT, CHOSEN = 77, 3, 2
BRIGHTEST, STEP, AIR = 252, 12, 18
TISSUE, MARGIN = 36, 5


def neighbours_mean(a):  # over 3 x 3 x 3 voxels, the outermost repeated
    for axis in range(3):
        padded = np.pad(a, [(1, 1) if k == axis else (0, 0) for k in range(3)], mode="edge")
        n = a.shape[axis]
        a = sum(np.take(padded, range(at, at + n), axis) for at in range(3)) / 3
    return a


def around_head(a):  # the box of all slices with more than a few voxels of tissue, and a margin
    sides = []
    for axis in range(3):
        others = tuple(k for k in range(3) if k != axis)
        found = np.flatnonzero((a > TISSUE).sum(others) > 20)
        sides.append(slice(max(0, found[0] - MARGIN), found[-1] + MARGIN + 1))
    return tuple(sides)


def save(path, volume, affine):
    img = nib.Nifti1Image(volume, affine)
    img.set_qform(affine, 1)
    img.set_sform(affine, 1)
    img.header.set_xyzt_units("mm", "sec")
    path.write_bytes(gzip.compress(img.to_bytes(), 9, mtime=0))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--maps", type=pathlib.Path, required=True)
    ap.add_argument("--insitu", default="target/release/insitu")
    ap.add_argument("--out", type=pathlib.Path, default="www/samples/head")
    arg = ap.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = pathlib.Path(folder) / "heads"
        how = ["--synthesis", "t1", "--seed", str(SEED), "--count", str(COUNT)]
        subprocess.run([arg.insitu, "synth", "--maps", arg.maps, "--out", made, *how], check=True)
        image, label = (nib.load(made / kind / f"heads_{CHOSEN:04d}.nii.gz") for kind in ("imagesTr", "labelsTr"))
        grey, labels = (np.asarray(one.dataobj) for one in (image, label))

    grey = np.clip(grey * (BRIGHTEST / np.percentile(grey, 99.9)), 0, BRIGHTEST)
    stepped = (np.rint(grey / STEP) * STEP).astype(np.uint8)
    stepped[neighbours_mean(grey) < AIR] = 0
    box = around_head(stepped)
    stepped, labels = stepped[box], labels[box].astype(np.uint8)
    affine = image.affine @ nib.affines.from_matvec(np.eye(3), [side.start for side in box])

    arg.out.mkdir(parents=True, exist_ok=True)
    save(arg.out / "image.nii.gz", stepped, affine)
    save(arg.out / "label.nii.gz", labels, affine)
    print("shape", stepped.shape, "| air", (stepped == 0).mean())
    print("mL: left, right, all inside the skull:", *[(labels == k).sum() / 1000 for k in (1, 2)], (labels > 0).sum() / 1000)
    print("bytes:", *[(arg.out / f"{name}.nii.gz").stat().st_size for name in ("image", "label")])


if __name__ == "__main__":
    main()
