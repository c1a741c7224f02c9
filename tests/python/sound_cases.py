"""Files that follow the standard, of every kind that it allows. Each case is (kind, name, {suffix: bytes})."""
from itertools import permutations, product

import numpy as np

from nifti_bytes import Nifti, bgzf, extension, member, members, placed, rotation

TYPES = "uint8 int8 uint16 int16 uint32 int32 uint64 int64 float32 float64".split()
GZIP = {"gz": member, "gz2": lambda b: members(b, 2), "gz3": lambda b: members(b, 3), "bgzf": bgzf}
CONTAINERS = ["nii", *GZIP, "pair", "pairgz"]
NAME = b"DOE^JANE"  # no output may hold it


def values(rng, dtype, shape):
    """Random voxels with the extremes of the type among them; skewed, so that their mean is not a small difference."""
    dtype, count = np.dtype(dtype), int(np.prod(shape))
    if dtype.kind == "f":
        drawn = rng.gamma(2, 1000, count) - 500
        edges = [-1e38, 3.4e38, 0, 1e-40, -1e-30]
    else:
        drawn = rng.integers(0, np.iinfo(dtype).max, count, dtype)
        edges = [np.iinfo(dtype).min, np.iinfo(dtype).max]
    drawn = drawn.astype(dtype)
    if rng.random() < 0.5:
        drawn[:len(edges)] = edges[:count]
    return drawn.reshape(shape)


def packed(image, container):
    """The image's files by suffix; the first is the one to open."""
    if container == "nii":
        return {".nii": image.single()}
    if container == "pair":
        return {".hdr": image.head(), ".img": image.image()}
    if container == "pairgz":
        return {".hdr.gz": member(image.head()), ".img.gz": member(image.image())}
    return {".nii.gz": GZIP[container](image.single())}


def anywhere(rng, forms=None):
    """Oblique forms with anisotropic spacing, mirrored or not."""
    matrix = rotation(rng) * rng.uniform(0.3, 6, 3) * [1, 1, rng.choice([-1, 1])]
    return placed(matrix, rng.uniform(-150, 150, 3), forms or rng.choice(["sform", "qform", "both"]))


def volume(rng, dtype="int16", shape=None):
    return values(rng, dtype, shape or rng.integers(2, 7, 3))


def storage(rng):
    """Versions, byte orders, containers and types: all combinations."""
    for version, end, container, dtype in product((1, 2), "<>", CONTAINERS, TYPES):
        image = Nifti(volume(rng, dtype), version, end, container.startswith("pair"), **anywhere(rng))
        order = "le" if end == "<" else "be"
        yield "storage", f"storage_n{version}_{order}_{container}_{dtype}", packed(image, container)


def gzip_headers(rng):
    parts = {"name": {"name": NAME + b".nii"}, "comment": {"comment": NAME}, "crc": {"header_crc": True},
             "extra": {"extra": b"XX\3\0abc"}, "stored": {"level": 0},
             "all": {"name": NAME, "comment": NAME, "header_crc": True, "extra": b""}}
    for name, part in parts.items():
        single = Nifti(volume(rng), **anywhere(rng)).single()
        yield "gzip-header", f"gzip-header_{name}", {".nii.gz": member(single, **part)}


def axes(rng):
    """The 48 ways in which axes can lie, each with another form."""
    turns = [np.eye(3)[list(p)] * s for p in permutations(range(3)) for s in product((1, -1), repeat=3)]
    for i, (turn, forms) in enumerate(product(turns, ["sform", "qform", "both"])):
        fields = placed(turn * rng.uniform(0.3, 6, 3), rng.uniform(-150, 150, 3), forms)
        yield "axes", f"axes_{i // 3:02}_{forms}", packed(Nifti(volume(rng), 1 + i % 2, **fields), "nii")


def oblique(rng):
    for i, forms in product(range(20), ["sform", "qform", "both"]):
        image = Nifti(volume(rng), 1 + i % 2, **anywhere(rng, forms))
        yield "oblique", f"oblique_{i:02}_{forms}", packed(image, "gz")


def frames(rng):
    """Forms that are absent, bent, differ, or lean on unusual fields."""
    turn = rotation(rng) * [0.5, 0.5, 6]
    for qfac, forms in product((1, -1, 0), ["qform", "both"]):
        fields = placed(turn, (10, -20, 30), forms)
        fields["pixdim"][0] = qfac
        yield "qfac", f"qfac_{qfac}_{forms}", packed(Nifti(volume(rng), **fields), "nii")
    for i in range(4):
        fields = placed(np.diag(rng.uniform(0.3, 6, 3)), forms="none")
        yield "no-form", f"no-form_{i}", packed(Nifti(volume(rng), 1 + i % 2, **fields), "nii")
    for shear in (1e-5, 1e-4, 1e-3, 1e-2, 0.05, 0.2):
        for forms in ("sform", "both"):
            fields = placed(turn @ (np.eye(3) + shear * np.eye(3, k=1)), forms=forms)
            yield "shear", f"shear_{shear:g}_{forms}", packed(Nifti(volume(rng), **fields), "nii")
    for i in range(4):
        fields = anywhere(rng, "qform") | {k: v for k, v in anywhere(rng, "sform").items() if k != "pixdim"}
        yield "forms-differ", f"forms-differ_{i}", packed(Nifti(volume(rng), 1 + i % 2, **fields), "nii")
    for code in range(1, 6):
        fields = anywhere(rng, "both") | {"sform_code": code, "qform_code": 6 - code}
        yield "form-code", f"form-code_{code}", packed(Nifti(volume(rng), **fields), "nii")
    for name, units in {"none": 0, "m": 1, "mm": 2, "um": 3, "mm_s": 10, "um_ms": 19, "odd": 7}.items():
        image = Nifti(volume(rng), xyzt_units=units, **anywhere(rng))
        yield "units", f"units_{name}", packed(image, "nii")


def scaling(rng):
    nan, inf = np.nan, np.inf
    pairs = [(0, 0), (0, 7), (nan, 0), (nan, 3), (inf, 1), (-inf, 0), (0, nan), (nan, nan), (1, 0), (1, -1024),
             (-1.5, 10), (-1, 0), (0.1, 0.3), (1e-30, 0), (1e-42, 0), (1e30, 0), (2, 1e20), (0.0027, -5)]
    for (slope, inter), (version, dtype) in product(pairs, [(1, "int16"), (2, "float32"), (1, "uint8")]):
        data = rng.integers(0, 250, (4, 3, 2)).astype(dtype)
        image = Nifti(data, version, scl_slope=slope, scl_inter=inter, **anywhere(rng))
        yield "scaling", f"scaling_{slope:g}_{inter:g}_n{version}_{dtype}", packed(image, "nii")
    for dtype, end in product(("int32", "uint32", "int64", "uint64", "float64"), "<>"):
        image = Nifti(volume(rng, dtype), 1, end, scl_slope=2**-8, scl_inter=1, **anywhere(rng))
        order = "le" if end == "<" else "be"
        yield "scaling", f"scaling_wide_{dtype}_{order}", packed(image, "gz")


def shapes(rng):
    sizes = [(7,), (1,), (6, 5), (1, 5), (5, 1), (1, 1), (1, 1, 1), (1, 6, 5), (6, 1, 5), (6, 5, 1), (2, 2, 2),
             (40, 3, 2), (4, 3, 2, 1), (4, 3, 1, 1), (4, 3, 2, 1, 1), (4, 3, 2, 1, 1, 1, 1), (4, 3, 2, 2), (4, 3, 2, 3),
             (4, 3, 2, 4), (4, 3, 1, 3), (4, 3, 2, 1, 2), (4, 3, 2, 1, 3), (4, 3, 2, 2, 2), (3, 3, 3, 1, 1, 2)]
    for shape, version in product(sizes, (1, 2)):
        image = Nifti(values(rng, "int16", shape), version, **anywhere(rng))
        yield "shape", f"shape_{'x'.join(map(str, shape))}_n{version}", packed(image, "nii")
    image = Nifti(volume(rng), **anywhere(rng))
    image.fields["dim"][4:] = [0, -3, 9, 32767]  # not counted by dim[0]
    yield "shape", "shape_3_then_rubbish", packed(image, "nii")


def extensions(rng):
    for version, end, container in product((1, 2), "<>", ("nii", "gz", "pair")):
        order = "le" if end == "<" else "be"
        for size in (1, 24, 1000, 5000):
            content = extension((NAME * 625)[:size], end=end)
            if size == 24:
                content += extension(b"<x/>", 44, end=end) + extension(b"", 0, end=end)
            image = Nifti(volume(rng), version, end, container == "pair", content, **anywhere(rng))
            name = f"extension_{size}_n{version}_{order}_{container}"
            yield "extension", name, packed(image, container)


def offsets(rng):
    for version, at in [(1, 352), (1, 400), (1, 401), (1, 1000), (1, 4096), (2, 544), (2, 545), (2, 1000), (2, 4096)]:
        for container in ("nii", "gz"):
            image = Nifti(volume(rng), version, at=at, **anywhere(rng))
            yield "offset", f"offset_{at}_n{version}_{container}", packed(image, container)
    for version, at in product((1, 2), (0, 16, 17, 352)):
        image = Nifti(volume(rng), version, pair=True, at=at, **anywhere(rng))
        yield "offset", f"offset_pair_{at}_n{version}", packed(image, "pair")
    for version in (1, 2):
        image = Nifti(volume(rng), version, pair=True, **anywhere(rng))
        yield "hdr-bare", f"hdr-bare_n{version}", {".hdr": image.header(), ".img": image.image()}
    for after, container in product((1, 16, 1000), ("nii", "gz")):
        image = Nifti(volume(rng), **anywhere(rng))
        single = image.single() + rng.bytes(after)
        files = {".nii": single} if container == "nii" else {".nii.gz": member(single)}
        yield "bytes-after", f"bytes-after_{after}_{container}", files


def contents(rng):
    """Voxels and texts that need care."""
    for dtype, container in product(("float32", "float64"), ("nii", "gz")):
        bads = {"nan": [np.nan], "inf": [np.inf, -np.inf], "mixed": [np.nan, -np.inf, np.inf, -np.nan]}
        for name, bad in bads.items():
            data = rng.normal(50, 20, (5, 4, 3)).astype(dtype)
            data.flat[rng.choice(60, 12, False)] = np.resize(bad, 12)
            image = Nifti(data, scl_slope=2, scl_inter=-1, **anywhere(rng))
            yield "nonfinite", f"nonfinite_{name}_{dtype}_{container}", packed(image, container)
        image = Nifti(np.full((4, 3, 2), np.nan, dtype), **anywhere(rng))
        yield "all-nan", f"all-nan_{dtype}_{container}", packed(image, container)
    for i, dtype in enumerate(TYPES):
        image = Nifti(np.full((4, 3, 2), i, dtype), **anywhere(rng))
        yield "constant", f"constant_{dtype}", packed(image, "nii")
    data = rng.normal(0, 1e300, (4, 3, 2))
    yield "f64-beyond-f32", "f64-beyond-f32", packed(Nifti(data, **anywhere(rng)), "nii")
    scaled = Nifti(np.arange(24).astype("int16").reshape(4, 3, 2), scl_slope=3e38, **anywhere(rng))
    yield "f64-beyond-f32", "f64-beyond-f32_by_slope", packed(scaled, "nii")
    for version, end, container in product((1, 2), "<>", ("nii", "gz", "pair")):
        texts = ["descrip", "aux_file", "intent_name"] + ["db_name"] * (version == 1)
        image = Nifti(volume(rng), version, end, container == "pair", **dict.fromkeys(texts, NAME), **anywhere(rng))
        order = "le" if end == "<" else "be"
        yield "text", f"text_n{version}_{order}_{container}", packed(image, container)


SOUND = [storage, gzip_headers, axes, oblique, frames, scaling, shapes, extensions, offsets, contents]
