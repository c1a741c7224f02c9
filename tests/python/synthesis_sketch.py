"""Images of a label map, made a second time: the formulas of docs/synthesis.md in SciPy, voxel by voxel at 1 mm, with numbers of its own.

  synthesis_sketch.py FOLDER

FOLDER has `map.u16` and images that the program made of it: `NUMBER.f32` (grey values), `NUMBER.u16` (labels), x fastest, and their
sizes in `made.json`: {"map": [x, y, z], "images": [[x, y, z], ...]}. As many are made here. Of each image the same figures are
taken, and the means and the standard deviations of every figure compared: prints those that differ by more than LIMIT standard
errors, and ends with 1 if there are any.
"""
import json
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage

WHITE, CORTEX, FLUID, LEFT, RIGHT, SKULL = (2, 41), (3, 42), (4, 43), 17, 53, 507
MEANS = {WHITE: 0.85, CORTEX: 0.55, FLUID: 0.18, (LEFT, RIGHT): 0.55}
PAIRS = [WHITE, CORTEX, FLUID, (LEFT, RIGHT)]
AIR_MM = 6
# The draws on both sides are fixed (RandomState's stream never changes), so that chance has no second try. In draws of 80 images it finds
# noise of 0.1 for 0.04, bias of 0.7 for 0.35, white matter of 0.7 for 0.85.
LIMIT = 3


def is_brain(labels):
    return (labels > 0) & (labels < 500) & (labels != 24)


def turned(labels, rng):
    """Shape: the label of the nearest voxel of the map at every voxel of a larger image."""
    flip, far = rng.rand() < 0.5, rng.rand() < 0.1
    x, y, z = np.deg2rad(rng.uniform(-1, 1, 3) * (30 if far else 15))
    about = [
        [[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]],
        [[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]],
        [[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]],
    ]
    scale = rng.uniform(0.85, 1.15, 3) * rng.uniform(0.93, 1.07)
    shear = rng.uniform(-0.05, 0.05, (3, 3))
    np.fill_diagonal(shear, 1)
    matrix = np.linalg.multi_dot([*map(np.array, about), shear, np.diag(1 / scale)])
    air = 6 + rng.uniform(0, AIR_MM, (3, 2)) * (rng.rand() < 0.5)
    body = labels.shape * np.minimum(scale, 1.1)
    size = np.rint(air.sum(1) + body).astype(int)
    centre = air[:, 0] + body / 2 + rng.uniform(-6, 6, 3)
    points, sd = rng.randint(4, 11, 3), rng.uniform(0, 4)
    offset = np.indices(size) + 0.5 - centre.reshape(3, 1, 1, 1)
    at = np.tensordot(matrix, offset, 1) + np.reshape(labels.shape, (3, 1, 1, 1)) / 2
    at += [ndimage.zoom(rng.normal(0, sd, points), size / points, order=1) for _ in range(3)]
    found = ndimage.map_coordinates(labels, np.floor(at), order=0, mode="constant", cval=0, prefilter=False)
    if flip:
        table = np.arange(1000)
        for one, other in PAIRS:
            table[one], table[other] = other, one
        found = table[found][::-1]
    return found


def field_of_view(labels, rng):
    """Cut sides, never through the brain."""
    if rng.rand() >= 0.6:
        return labels
    inside = np.argwhere(is_brain(labels[2::4, 2::4, 2::4])) * 4 + 2
    spans = []
    for axis in range(3):
        size = labels.shape[axis]
        first, last = max(inside[:, axis].min() - 4, 0), min(inside[:, axis].max() + 4, size)
        ends = []
        for room in (first, size - last):
            reach = min(12, room) if rng.rand() < 0.4 else room
            ends.append(rng.uniform(0, reach) if rng.rand() < 0.5 else room)
        spans.append(slice(round(first - ends[0]), round(last + ends[1])))
    return labels[tuple(spans)]


def grey(labels, rng):
    """Tissues, blur, scanner."""
    known, shades = rng.rand() < 0.75, {}
    mean, sd = np.zeros(1000), np.zeros(1000)
    for pair in [*PAIRS, (SKULL, SKULL)]:
        middle = rng.normal(MEANS[pair], 0.05) if known and pair in MEANS else rng.rand()
        shades[pair] = middle, rng.uniform(0.01, 0.08)
        for label in pair:
            mean[label], sd[label] = shades[pair]
    if rng.rand() < 0.5:
        mean[0], sd[0] = rng.uniform(0, 0.1), 0.02
    empty = mean[0] == 0
    blur = rng.uniform(0.3, 0.9, 3)
    if rng.rand() < 0.3:
        blur[rng.randint(3)] = rng.uniform(1, 2.5)
    values = ndimage.gaussian_filter(rng.normal(mean[labels], sd[labels]), blur, mode="nearest")
    points = rng.randint(2, 5, 3)
    lattice = rng.normal(0, rng.uniform(0, 0.35), points)
    values = values * np.exp(ndimage.zoom(lattice, np.array(labels.shape) / points, order=1))
    values = (values - values.min()) / np.ptp(values)
    values = values ** np.exp(rng.normal(0, 0.2)) + rng.uniform(0, 0.04) * rng.normal(size=values.shape)
    return np.maximum(values, 0), empty


def sketch(labels, rng):
    """One image and its labels."""
    labels = field_of_view(turned(labels, rng), rng)
    stripped, rim = rng.rand() < 0.2, rng.uniform(0, 2) * (rng.rand() < 2 / 3)
    if stripped:
        labels = np.where(ndimage.distance_transform_edt(~is_brain(labels)) <= rim, labels, 0)
    values, empty = grey(labels, rng)
    return np.where((labels == 0) & stripped & empty, 0, values), labels


def figures(values, labels):
    """What is compared. Steps are of 2 mm, about the grid of a network: noise within a tissue is defined there."""
    found = {f"size along {axis}": size for axis, size in zip("xyz", values.shape)}
    found["brain, mL"] = is_brain(labels).sum() / 1000
    found["share outside of the brain"] = (labels == SKULL).mean()
    found["left over right"] = np.log((1 + (labels == LEFT).sum()) / (1 + (labels == RIGHT).sum()))
    white = np.isin(labels, WHITE)
    tissues = {"white": white, "cortex": np.isin(labels, CORTEX), "fluid": np.isin(labels, FLUID), "background": labels == 0}
    for name, inside in tissues.items():
        # Of the median deviation: at a border a blur of less than half a voxel is partial volume there, and next to nothing here.
        within = values[ndimage.binary_erosion(inside)]
        grain = 1.48 * np.median(np.abs(within - np.median(within))) if len(within) > 20 else np.nan
        found[f"mean of {name}"], found[f"sd within {name}"] = values[inside].mean(), grain
    found["white over cortex"] = found["mean of white"] - found["mean of cortex"]
    places = np.argwhere(white)
    octant = (places > places.mean(0)) @ [1, 2, 4]
    parts = np.bincount(octant, values[white], 8) / np.maximum(np.bincount(octant, minlength=8), 1)
    found["range of the bias field"] = np.log(0.01 + np.log(max(parts.max(), 0.01) / max(parts.min(), 0.01)))
    steps = [np.abs(np.take(values, range(2, n), a) - np.take(values, range(n - 2), a)) for a, n in enumerate(values.shape)]
    sharp = np.array([step.mean() for step in steps])
    found["sharpness"], found["sharpness, least over most"] = sharp.mean(), sharp.min() / sharp.max()
    inner = ndimage.binary_erosion(white, iterations=2)
    along = [np.take(inner, range(2, n), a) & np.take(inner, range(n - 2), a) for a, n in enumerate(values.shape)]
    grain = np.concatenate([step[mask] for step, mask in zip(steps, along)])
    found["grain of white"] = np.median(grain) if len(grain) > 20 else np.nan
    return found


def spread(values):
    """Mean and standard deviation with their standard errors."""
    values = np.array(values)[np.isfinite(values)]
    count, mean, sd = len(values), values.mean(), values.std(ddof=1)
    kurtosis = ((values - mean) ** 4).mean() / max(values.var(), 1e-12) ** 2
    return {"mean": (mean, sd / count**0.5), "sd": (sd, sd * (max(kurtosis - 1, 0) / 4 / count) ** 0.5)}


def main():
    folder = Path(sys.argv[1])
    made = json.loads((folder / "made.json").read_text())
    read = lambda name, kind, dims: np.fromfile(folder / name, kind).reshape(dims, order="F")
    ours = [
        figures(read(f"{number}.f32", "<f4", dims).astype(float), read(f"{number}.u16", "<u2", dims).astype(int))
        for number, dims in enumerate(made["images"])
    ]
    labels, rng = read("map.u16", "<u2", made["map"]).astype(int), np.random.RandomState(2)
    theirs = [figures(*sketch(labels, rng)) for _ in ours]
    wrong = 0
    for name in ours[0]:
        one, other = (spread([each[name] for each in images]) for images in (ours, theirs))
        for what in one:
            (here, error), (there, other_error) = one[what], other[what]
            apart = (here - there) / max(np.hypot(error, other_error), 1e-12)
            if abs(apart) > LIMIT or "-v" in sys.argv:
                print(f"{name}, {what}: {here:.4f}, by the sketch {there:.4f}: {apart:+.1f} standard errors")
            wrong += abs(apart) > LIMIT
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
