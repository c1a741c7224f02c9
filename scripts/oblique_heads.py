#!/usr/bin/env python3
"""How good the masks of oblique heads are: turned copies of labelled upright heads (1 mm, axes along the patient's).

  python scripts/oblique_heads.py IMAGES LABELS -- insitu segment

IMAGES and LABELS: folders with the same names of files, labels 1 (left) and 2 (right). What stands after `--` is called with
a file and `-o MASK`. Prints, by turn in degrees about x, y, z of the patient, mean and least Dice of left and of right, anterior and
posterior together. Needs nibabel and SciPy.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import nibabel
import numpy as np
from scipy.ndimage import affine_transform
from scipy.spatial.transform import Rotation

TURNS = [(10, 0, 0), (20, 0, 0), (30, 0, 0), (-30, 0, 0), (0, 20, 0), (0, 0, 25)]
SIDES = {1: (1, 2), 2: (3, 4)}


def dice(a, b):
    return 2 * (a & b).sum() / max(a.sum() + b.sum(), 1)


def turned_grid(affine, shape, degrees):
    """The affine of a grid of the same size, turned about the centre, and the way from its voxels to the old ones."""
    rotation = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    turned, centre = affine.copy(), (np.array(shape) - 1) / 2
    turned[:3, :3] = rotation @ affine[:3, :3]
    turned[:3, 3] = (affine @ [*centre, 1])[:3] - turned[:3, :3] @ centre
    return turned, np.linalg.inv(affine) @ turned


def scores(command, image, truth, degrees, scratch):
    values = image.get_fdata(dtype=np.float32)
    affine, back = turned_grid(image.affine, values.shape, degrees)

    def turn(voxels, outside):
        return affine_transform(voxels, back[:3, :3], back[:3, 3], order=1, cval=outside)

    file, mask = scratch / "image.nii.gz", scratch / "mask.nii.gz"
    nibabel.save(nibabel.Nifti1Image(turn(values, float(values.min())), affine), file)
    subprocess.run([*command, file, "-o", mask], check=True, stderr=subprocess.DEVNULL)
    found = np.asarray(nibabel.load(mask).dataobj)
    return [dice(np.isin(found, of), turn((truth == side).astype(np.float32), 0) > 0.5) for side, of in SIDES.items()]


def main():
    split = sys.argv.index("--")
    images, labels = map(Path, sys.argv[1:split])
    for degrees in TURNS:
        with tempfile.TemporaryDirectory() as scratch:
            rows = [
                scores(sys.argv[split + 1 :], nibabel.load(file), np.asarray(nibabel.load(labels / file.name).dataobj), degrees, Path(scratch))
                for file in sorted(images.glob("*.nii.gz"))
            ]
        print(degrees, "mean", np.round(np.mean(rows, 0), 3), "least", np.round(np.min(rows, 0), 3), flush=True)


if __name__ == "__main__":
    main()
