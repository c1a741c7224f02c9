"""What google-deepmind/surface-distance says of the sample's labels, each against a prediction made of it.

`truth = label == c`; `pred` names the SciPy operation that made the prediction; axes are nibabel's.
Run in this folder: pip install nibabel scipy surface-distance; python golden.py
"""

import json
from pathlib import Path

import nibabel
import numpy as np
import surface_distance
from scipy import ndimage

HERE = Path(__file__).resolve().parent
LABELS = "pkg/samples/hippocampus/label.nii.gz"
SPACINGS = [(1.0, 1.0, 1.0), (0.7, 0.9, 3.0)]
TOLERANCES = [0.5, 1, 2, 4]


def shift(mask, axis, by):
    """Moves a mask along an axis; what enters is background."""
    moved = np.roll(mask, by, axis)
    index = [slice(None)] * 3
    index[axis] = slice(0, by) if by > 0 else slice(by, None)
    moved[tuple(index)] = False
    return moved


PREDICTIONS = {
    "erode6": ndimage.binary_erosion,
    "dilate6": ndimage.binary_dilation,
    "shift_y+1": lambda mask: shift(mask, 1, 1),
    "shift_x-2": lambda mask: shift(mask, 0, -2),
    "median3": lambda mask: ndimage.median_filter(mask.astype(np.uint8), 3, mode="constant") > 0,
}


def row(truth, label, name, spacing):
    prediction = PREDICTIONS[name](truth)
    distances = surface_distance.compute_surface_distances(truth, prediction, spacing)
    nsd = {str(mm): surface_distance.compute_surface_dice_at_tolerance(distances, mm) for mm in TOLERANCES}
    return {
        "file": LABELS,
        "label": label,
        "pred": name,
        "spacing": spacing,
        "dsc": surface_distance.compute_dice_coefficient(truth, prediction),
        "nsd": nsd,
        "hd95": surface_distance.compute_robust_hausdorff(distances, 95),
    }


labels = np.asarray(nibabel.load(HERE.parent.parent.parent / LABELS).dataobj)
rows = [
    row(labels == label, label, name, spacing)
    for label in (1, 2)
    for name in PREDICTIONS
    for spacing in SPACINGS
]
lines = ",\n".join(json.dumps(row) for row in rows)
(HERE / "surface_distance.json").write_text(f'{{"rows": [\n{lines}\n]}}\n')
