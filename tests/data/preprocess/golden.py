"""Two volumes by formula, and SciPy's numbers for them and for the sample volume: resampling, intensity, boxes.

Arrays are stored [z, y, x], x fastest, in the file's own axis order (nothing is reoriented here).
Run in this folder: pip install nibabel scipy safetensors; python golden.py
"""

import json
import math
from pathlib import Path

import nibabel
import numpy as np
import scipy
from safetensors.numpy import save_file
from scipy import ndimage

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
SAMPLE = "pkg/samples/hippocampus"
CT_WINDOW = (100.0, 180.0, 0.09377181, 0.22647949)


def make(name, dims, spacing, center, value):
    """Writes an image and its label: an ellipsoid around a centre that is given as shares of the sides."""
    x, y, z = np.meshgrid(*[np.arange(n, dtype=np.float64) for n in dims], indexing="ij")
    at = [(axis - share * (n - 1)) / (0.25 * n) for axis, n, share in zip((x, y, z), dims, center)]
    label = (sum(a * a for a in at) < 1).astype(np.uint8)
    affine = np.diag([-spacing[0], spacing[1], spacing[2], 1.0])
    for kind, array in (("image", value(x, y, z, label)), ("label", label)):
        image = nibabel.Nifti1Image(array, affine)
        image.header.set_xyzt_units("mm")
        nibabel.save(image, HERE / f"{name}_{kind}.nii.gz")
    return [f"tests/data/preprocess/{name}_{kind}.nii.gz" for kind in ("image", "label")]


def thick_value(x, y, z, label):
    """MR: some texture, and a few voxels far above the rest, which the 99.99th percentile cuts off."""
    wave = np.sin(0.9 * x) * np.cos(0.7 * y) + 0.5 * np.sin(1.3 * z)
    values = 300 + 120 * wave + 200 * label
    values[3, 4, 2] = 30000
    return values.astype(np.int16)


def ct_value(x, y, z, label):
    """CT: Hounsfield units on both sides of the window."""
    return (80 + 90 * np.sin(0.5 * x + 0.2 * z) - 40 * np.cos(0.8 * y) + 60 * label - 900 * (x < 2)).astype(np.int16)


def read(path):
    image = nibabel.load(ROOT / path)
    values = np.asarray(image.get_fdata(), dtype=np.float32).transpose(2, 1, 0)
    return values, image.header.get_zooms()[:3][::-1]


def mr(values):
    top = np.percentile(values, 99.99)
    values = np.clip(values, 0, top) / top
    return (values - values.min()) / (values.max() - values.min())


def ct(values, center, width):
    return np.clip((values - (center - width / 2)) / width, 0, 1)


def cap(values, limit=180):
    share = values.size / limit**3
    return ndimage.zoom(values, (1 / share) ** (1 / 3), order=0, mode="nearest") if share > 1 else values


def box(mask, shape, min_side=24, margin=0.2):
    """Half-open box [start, end) around a mask, [z, y, x]. As in the published cascade, the end is the last index of
    the object: its last plane is left out before the margin is added."""
    out = []
    for axis, index in enumerate(np.nonzero(mask)):
        n = shape[axis]
        start, end = int(index.min() * (n / mask.shape[axis])), math.ceil(index.max() * (n / mask.shape[axis]))
        if end - start < min_side:
            more = math.ceil((min_side - (end - start)) / 2)
            start, end = max(start - more, 0), min(end + more, n)
        more = math.ceil((end - start) * margin)
        out.append([int(max(start - more, 0)), int(min(end + more, n))])
    return out


def case(name, image, label, window, step):
    values, spacing = read(image)
    labels, label_spacing = read(label)
    iso = ndimage.zoom(values, spacing, order=0, mode="nearest")
    label_iso = ndimage.zoom(labels, label_spacing, order=0, mode="nearest")
    unit = ct(iso, *window[:2]) if window else mr(iso)
    normalized = (unit - window[2]) / window[3] if window else (unit - unit.mean()) / unit.std()
    arrays = {"iso": iso, "unit": unit.astype(np.float32), "normalized": normalized.astype(np.float32)}
    arrays["label_iso"] = label_iso.astype(np.uint8)
    # Every `step`th plane keeps the files small.
    kept = {key: np.ascontiguousarray(array[::step]) for key, array in arrays.items()}
    save_file(kept, HERE / f"{name}.safetensors")
    return {
        "image": image,
        "label": label,
        "shape": list(values.shape),
        "spacing_mm_zyx": [float(s) for s in spacing],
        "iso_shape": list(iso.shape),
        "plane_step": step,
        "capped_shape": list(cap(iso).shape),
        "box_zyx": box(label_iso > 0, iso.shape),
    }


# (length, factor) of nearest zoom on ramps: where rounding decides, halves, the smallest and the largest factors.
ZOOMS = [(5, 2.0), (9, 7.5), (49, 0.5), (54, 0.5), (176, 155 / 176), (192, 167 / 192)]
ZOOMS += [(160, 278 / 160), (31, 0.7), (2, 12.0), (1, 24.0), (36, 1.0), (224, 223 / 224)]


def zoomed(length, factor):
    indices = ndimage.zoom(np.arange(length, dtype=np.int32), factor, order=0, mode="nearest").tolist()
    return {"in": length, "factor": factor, "indices": indices}


thick = make("thick", (36, 44, 8), (0.5, 0.5, 7.5), (0.45, 0.5, 0.3), thick_value)
ct_files = make("ct", (24, 20, 14), (1.7, 1.3, 3.0), (0.7, 0.5, 0.75), ct_value)
facts = {
    "scipy": scipy.__version__,
    "cases": {
        "sample": case("sample", f"{SAMPLE}/image.nii.gz", f"{SAMPLE}/label.nii.gz", None, 12),
        "thick": case("thick", *thick, None, 5),
        "ct_window": case("ct_window", *ct_files, CT_WINDOW, 9),
    },
    "nearest_zoom": [zoomed(*zoom) for zoom in ZOOMS],
}
(HERE / "facts.json").write_text(json.dumps(facts) + "\n")
