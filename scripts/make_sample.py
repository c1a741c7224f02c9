#!/usr/bin/env python3
"""Make the page's sample: a synthetic hippocampus MR volume with known labels.

    python3 scripts/make_sample.py [--data ../shared/data/Task04_Hippocampus] [--out pkg/samples/hippocampus]

Needs numpy, scipy and nibabel; takes a minute or two. Reads training cases only (imagesTr, labelsTr), and of those the
odd ids, so that no subject (ids 2k-1 and 2k) comes in twice. The result shows nobody: it is a mean over 12 people in
which none weighs more than 1/8 at any voxel, in a shape and with a texture drawn at random. Steps and why:

1. Normalise: intensities of the set are arbitrary, so divide by the 99.5th percentile (vessels above it are cut).
2. Align: centroid and per-axis spread of the labels, then Gauss-Newton affine steps towards the running average.
   Only hippocampi of one handedness average well: each must match the average better than its mirror image does.
3. Choose the 12 cases that match the average best and cover the field of view; refine them with smooth demons
   (without it cortex and white matter around the hippocampus average to fog). The mean displacement is taken out, so
   the average keeps the mean shape.
4. Average images and label probabilities. The cases are tight crops that differ: where fewer than 8 of them reach, the
   mean of all the other cases stands in for the missing ones, so that nobody's weight grows.
5. Warp image and labels by one smooth random field: the shape is then not the mean of real shapes either.
6. Give back what averaging took: a little sharpening, then random texture with the power spectrum that is still
   missing, strongest where people differ (sulci, vessels), then Rician noise as in any magnitude image.
7. Store as the set does: RAS, 1 mm, qform = sform, code 1, mm; empty text fields; gzip without a time stamp.

All chance comes from SEED: the same machine and library versions give the same bytes.
"""
import argparse, gzip, pathlib
import nibabel as nib
import numpy as np
from scipy import ndimage as ndi

SEED, CASES, COVER = 4, 12, 8
SHARPEN, NOISE = 0.5, 0.015
MARGIN = 4  # room for the random warp
GRID = np.array([34, 49, 34]) + 2 * MARGIN  # common grid, 1 mm
MID = np.array([14.5, 25, 14.5]) + MARGIN  # where the labels' centroid goes: the cases reach further to one side
X = np.indices(GRID).reshape(3, -1).astype(float) - MID[:, None]  # grid points from there
smooth = lambda a, s: ndi.gaussian_filter(a, s, mode="nearest")
corr = lambda a, b: np.corrcoef(a.ravel(), b.ravel())[0, 1]


class Case:
    def __init__(self, data, number):
        self.id, name = number, f"hippocampus_{number:03d}.nii.gz"
        img = nib.load(data / "imagesTr" / name)
        assert np.allclose(img.affine[:3, :3], np.eye(3))
        self.raw = np.asarray(img.dataobj, dtype=float)
        self.raw = np.clip(self.raw / np.percentile(self.raw, 99.5), 0, 1.3)
        lab = np.rint(np.asarray(nib.load(data / "labelsTr" / name).dataobj))  # two label files are float32
        self.volumes = [(lab == 1).sum(), (lab == 2).sum()]
        points = np.argwhere(lab > 0)
        self.centre, self.spread = points.mean(0), points.std(0)
        self.channels = [smooth(self.raw, 0.7)] + [smooth((lab == k) * 1.0, 0.7) for k in (1, 2)]
        self.sharp = [self.raw, (lab == 1) * 1.0, (lab == 2) * 1.0]
        self.u = np.zeros_like(X)

    def place(self):  # where each grid point lies in this case
        return self.A @ (X + self.u) + self.b[:, None]

    def sample(self, channels, order=1):
        return np.array([ndi.map_coordinates(c, self.place(), order=order, mode="nearest") for c in channels])

    def inside(self):
        p, top = self.place(), np.array(self.raw.shape)[:, None] - 1
        return ((p >= 0) & (p <= top)).all(0)

    def matched(self, mean, order=1, sharp=False):  # sampled channels, brightness fitted to the average's
        s, ok = self.sample(self.sharp if sharp else self.channels, order), self.inside()
        ref = self.sample(self.channels[:1])[0] if sharp else s[0]
        gain, offset = np.polyfit(ref[ok], mean[0][ok], 1) if mean is not None else (1, 0)
        s[0] = s[0] * max(gain, 0.5) + offset
        return s, ok

    def residual(self, mean):  # difference to the average and its gradient, per channel, on the grid
        s, ok = self.matched(mean)
        grad = [np.array(np.gradient(c.reshape(GRID))).reshape(3, -1) for c in s]
        return (mean - s) * ok, np.array(grad) * ok

    def affine_step(self, mean):
        d, g = self.residual(mean)
        h = np.vstack([X / 20, np.ones((1, X.shape[1]))])  # 12 columns: gradient times (point, 1)
        J = (g[:, :, None] * h).reshape(3, 12, -1)
        JJ, Jd = np.einsum("cin,cjn->ij", J, J), np.einsum("cin,cn->i", J, d)
        step = np.linalg.solve(JJ + 0.01 * np.trace(JJ) / 12 * np.eye(12), Jd).reshape(3, 4)
        self.b = self.b + self.A @ step[:, 3]
        self.A = self.A @ (np.eye(3) + step[:, :3] / 20)

    def demons_step(self, mean, sigma):
        d, g = self.residual(mean)
        push = (d[:, None] * g).sum(0) / ((g**2).sum((0, 1)) + (d**2).sum(0) + 1e-3)
        self.u = smooth_field(self.u + smooth_field(push, 0.8) * 1.5, sigma)


def view(a):  # the grid without its margin
    return a[tuple(slice(MARGIN, -MARGIN) for _ in GRID)]


def smooth_field(u, s):
    return np.array([smooth(c.reshape(GRID), s).ravel() for c in u])


def average(cases, mean=None, fill=None, **how):  # mean, spread over the cases, how many cases cover a voxel
    stack = [c.matched(mean, **how) for c in cases]
    s, w = np.array([a for a, _ in stack]), np.array([ok for _, ok in stack])[:, None] * 1.0
    n = w.sum(0)
    m = (s * w).sum(0) / np.maximum(n, 1)
    spread = np.sqrt((((s - m) ** 2) * w).sum(0) / np.maximum(n, 1))[0]
    if fill is not None:  # no case weighs more than 1 / COVER
        m = ((s * w).sum(0) + np.maximum(COVER - n, 0) * fill) / np.maximum(n, COVER)
    return m, spread, n[0]


def power(volume, block=(30, 40, 24)):  # power spectrum of the central block, Hann window
    lo = [(n - b) // 2 for n, b in zip(volume.shape, block)]
    v = volume[tuple(slice(a, a + b) for a, b in zip(lo, block))]
    win = np.einsum("i,j,k->ijk", *[np.hanning(b + 2)[1:-1] for b in block])
    return radial(np.abs(np.fft.fftn((v - v.mean()) * win)) ** 2 / (win**2).sum())


def frequency(shape):
    return np.sqrt(sum(f**2 for f in np.meshgrid(*[np.fft.fftfreq(n) for n in shape], indexing="ij")))


def radial(p, bins=16):
    i = np.minimum((frequency(p.shape) / 0.5 * bins).astype(int), bins - 1)
    return np.bincount(i.ravel(), p.ravel(), bins) / np.bincount(i.ravel(), minlength=bins)


def save(path, volume):
    img = nib.Nifti1Image(volume, nib.affines.from_matvec(np.eye(3), [1, 1, 1]))
    img.set_qform(img.affine, 1)
    img.set_sform(img.affine, 1)
    img.header.set_xyzt_units("mm", "sec")
    path.write_bytes(gzip.compress(img.to_bytes(), 9, mtime=0))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=pathlib.Path, default="../shared/data/Task04_Hippocampus")
    ap.add_argument("--out", type=pathlib.Path, default="pkg/samples/hippocampus")
    arg = ap.parse_args()
    rng = np.random.default_rng(SEED)

    numbers = sorted(int(p.name[12:15]) for p in (arg.data / "labelsTr").glob("hippocampus_*.nii.gz"))
    cases = [Case(arg.data, n) for n in numbers if n % 2]
    spread = np.mean([c.spread for c in cases], 0)
    for c in cases:
        c.A, c.b = np.diag(c.spread / spread), c.centre
    mean, _, _ = average(cases)
    fore = lambda c: c.sample(c.channels[1:]).sum(0)
    own = [corr(fore(c), mean[1] + mean[2]) for c in cases]
    for c in cases:
        c.A[0, 0] *= -1
    same = [a > corr(fore(c), mean[1] + mean[2]) for a, c in zip(own, cases)]
    for c in cases:
        c.A[0, 0] *= -1
    print(f"one side: {sum(same)} of {len(cases)} odd cases match the average better than their mirror")
    cases = [c for c, ok in zip(cases, same) if ok]

    for _ in range(2):
        for c in cases:
            for _ in range(4):
                c.affine_step(mean)
        mean, _, _ = average(cases, mean)
    score = {c.id: corr(c.matched(mean)[0][0][c.inside()], mean[0][c.inside()]) + 4 * c.inside().mean() for c in cases}
    chosen = sorted(cases, key=lambda c: -score[c.id])[:CASES]
    # behind the chosen cases' edges: the others' mean, each continued beyond its own edge by its last value
    fill = np.mean([c.matched(mean)[0] for c in cases if c not in chosen], 0)
    for sigma in (2.0, 1.6, 1.3, 1.1, 1.1):
        mean, _, _ = average(chosen, mean, fill)
        for c in chosen:
            for _ in range(12):
                c.demons_step(mean, sigma)
        drift = np.mean([c.u for c in chosen], 0)
        for c in chosen:
            c.u -= drift
    mean, spread, count = average(chosen, mean, fill, order=3, sharp=True)

    bend = smooth_field(rng.standard_normal(X.shape), 6)
    at = X + bend * (0.8 / bend.std()) + MID[:, None]
    warp = lambda a: ndi.map_coordinates(a.reshape(GRID), at, order=3, mode="nearest").reshape(GRID)
    image, p1, p2, spread = (view(warp(a)) for a in (*mean, smooth(spread.reshape(GRID), 1)))
    spread = np.maximum(spread, 0)
    image = image + SHARPEN * (image - smooth(image, 1))
    label = np.where(p1 + p2 > 0.5, np.where(p1 >= p2, 1, 2), 0).astype(np.uint8)
    parts, _ = ndi.label(label > 0)  # one component, as in every real case
    label[parts != 1 + np.argmax(np.bincount(parts.ravel())[1:])] = 0

    sd = np.mean([c.raw.std() for c in chosen])  # contrast of the real cases; then texture with the missing power
    image = (image - image.mean()) / image.std() * sd + np.mean([c.raw.mean() for c in chosen])
    missing = np.maximum(np.mean([power(c.raw) for c in chosen], 0) - power(image) - NOISE**2, 0)
    missing[0] = 0
    gain = np.interp(frequency(image.shape), (np.arange(16) + 0.5) / 32, np.sqrt(missing))
    texture = np.fft.ifftn(np.fft.fftn(rng.standard_normal(image.shape)) * gain).real
    image = image + texture * spread / np.sqrt((spread**2).mean())
    n1, n2 = NOISE * rng.standard_normal((2, *image.shape))
    image = np.hypot(np.maximum(image, 0) + n1, n2)
    image = np.clip(np.rint(image * 800), 0, 32767).astype(np.int16)

    arg.out.mkdir(parents=True, exist_ok=True)
    save(arg.out / "image.nii.gz", image)
    save(arg.out / "label.nii.gz", label)
    vol = np.array([c.volumes for c in cases])
    print("averaged:", *sorted(c.id for c in chosen))
    print(f"voxels with {COVER} or more of them: {(view(count.reshape(GRID)) >= COVER).mean():.3f}")
    print("shape", image.shape, "| intensity", image.min(), np.percentile(image, (1, 50, 99.5)), image.max())
    for k in (1, 2):
        print(f"label {k}: {(label == k).sum()} mm3; real least, median, most:", np.percentile(vol[:, k - 1], (0, 50, 100)))


if __name__ == "__main__":
    main()
