"""Make three sites out of the repository's sample crop, to try federated tuning without data of anybody.

    python workflows/federated/made_sites.py SITES

Each case is the sample under its own small turn and scale; each site shows the contrast in another way, none of them as the
model knows it. Six cases to tune on and three held out, for each site. Needs numpy, scipy and nibabel.
"""

import argparse
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy.ndimage import affine_transform

SAMPLE = Path(__file__).resolve().parents[2] / "pkg" / "samples" / "hippocampus"
TUNED, CHECKED = 6, 3
# By site: the power that inverted grey values in 0..1 are raised to, and the noise.
SITES = {"site-1": (1.0, 0.05), "site-2": (1.7, 0.08), "site-3": (0.6, 0.06)}


def warped(volume: np.ndarray, rng: np.random.Generator, order: int) -> np.ndarray:
    """The volume turned, scaled and shifted a little about its centre."""
    turn = rng.normal(0, 0.04, (3, 3))
    matrix = np.diag(rng.uniform(0.94, 1.06, 3)) + turn - turn.T
    centre = (np.array(volume.shape) - 1) / 2
    offset = centre - matrix @ centre + rng.uniform(-1.5, 1.5, 3)
    return affine_transform(volume, matrix, offset, order=order, mode="nearest")


def shown(volume: np.ndarray, power: float, noise: float, rng: np.random.Generator) -> np.ndarray:
    """The volume in a site's contrast."""
    unit = np.clip(volume / np.percentile(volume, 99.9), 0, 1)
    return ((1 - unit) ** power + rng.normal(0, noise, volume.shape)).astype(np.float32)


def main() -> None:
    """Write SITES/SITE/{images,labels,check-images,check-labels}."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sites", type=Path)
    out = parser.parse_args().sites
    image, label = (nib.load(SAMPLE / f"{name}.nii.gz") for name in ("image", "label"))
    voxels, labels = image.get_fdata(), np.asarray(label.dataobj)
    for number, (site, (power, noise)) in enumerate(SITES.items()):
        for case in range(TUNED + CHECKED):
            rng, prefix = np.random.default_rng([number, case]), "check-" if case >= TUNED else ""
            state = rng.bit_generator.state
            turned = warped(voxels, rng, 1)
            rng.bit_generator.state = state
            mask = warped(labels, rng, 0).astype(np.uint8)
            for kind, content in ((f"{prefix}images", shown(turned, power, noise, rng)), (f"{prefix}labels", mask)):
                folder = out / site / kind
                folder.mkdir(parents=True, exist_ok=True)
                nib.save(nib.Nifti1Image(content, image.affine), folder / f"case-{case + 1}.nii.gz")


if __name__ == "__main__":
    main()
