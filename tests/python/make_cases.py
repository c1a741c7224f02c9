#!/usr/bin/env python3
"""Make small NIfTI files, sound and broken, and write down what nibabel says of each.

    python3 tests/python/make_cases.py OUT_DIR [--seed N]

Needs numpy and nibabel. The bytes are made here, not by nibabel, so that they may be wrong in any way: `kind__label`
and a suffix, all chance from the seed. The answers are in OUT_DIR/expected_nibabel.json; of a pair it names the header.
"""
import argparse, json, logging, math, pathlib, resource, struct, warnings, zlib
from itertools import product
import nibabel as nib
import numpy as np

NAN, INF = math.nan, math.inf
FIELDS = {  # name:format in the order of the file
    1: "sizeof_hdr:i data_type:10s db_name:18s extents:i session_error:h regular:B dim_info:B dim:8h intent_p:3f"
    " intent_code:h datatype:h bitpix:h slice_start:h pixdim:8f vox_offset:f scl_slope:f scl_inter:f slice_end:h"
    " slice_code:B xyzt_units:B cal_max:f cal_min:f slice_duration:f toffset:f glmax:i glmin:i descrip:80s aux_file:24s"
    " qform_code:h sform_code:h quatern:3f qoffset:3f srow:12f intent_name:16s magic:4s",
    2: "sizeof_hdr:i magic:8s datatype:h bitpix:h dim:8q intent_p:3d pixdim:8d vox_offset:q scl_slope:d scl_inter:d"
    " cal_max:d cal_min:d slice_duration:d toffset:d slice_start:q slice_end:q descrip:80s aux_file:24s qform_code:i"
    " sform_code:i quatern:3d qoffset:3d srow:12d slice_code:i xyzt_units:i intent_code:i intent_name:16s dim_info:B"
    " unused:15s",
}
SIZE, MAGIC = {1: 348, 2: 540}, {1: b"n%c1\0", 2: b"n%c2\0\r\n\x1a\n"}
CODES = dict(u1=2, i2=4, i4=8, f4=16, f8=64, i1=256, u2=512, u4=768, i8=1024, u8=1280)
SAID = dict(size="sizeof_hdr", dt="datatype", vo="vox_offset", slope="scl_slope", inter="scl_inter", magic="magic")


def placed(forms, quaternion=(0.9, 0.1, -0.3, 0.2), spacing=(2, 2.5, 3), offset=(-10, 20, 5), qfac=1, shear=np.eye(3)):
    """The header's fields for a place in the world, told by the qform ("q"), the sform ("s"), both or none."""
    w, *v = quaternion / np.copysign(np.linalg.norm(quaternion), quaternion[0])
    cross = np.cross(np.eye(3), v)
    matrix = (np.eye(3) + 2 * w * cross + 2 * cross @ cross) @ shear @ np.diag([*spacing[:2], spacing[2] * qfac])
    return dict(
        pixdim=[qfac, *spacing, 1, 1, 1, 1], quatern=v, qoffset=offset, srow=np.c_[matrix, offset],
        qform_code=int("q" in forms), sform_code=2 * ("s" in forms),
    )


def draw(rng, dtype="i2", shape=(7, 6, 5), extreme=False):
    """Random voxels, of the whole range of their type if extreme (of f8: of f4's)."""
    dtype = np.dtype(dtype)
    limits = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo("f4")
    if dtype.kind in "iu":
        ends = (limits.min, limits.max) if extreme else (max(limits.min, -100), 120)
        voxels = rng.integers(*ends, shape, dtype, endpoint=True)
    else:
        voxels = (rng.normal(50, 200, shape) * 10.0 ** (rng.uniform(-30, 30, shape) * extreme)).astype(dtype)
    if extreme:
        voxels.flat[[3, 17, 40]] = limits.min, limits.max, 0
    return voxels


class Image:
    """A file to be: voxels, a header's fields by name, what stands between header and voxels, what follows them."""

    def __init__(self, voxels, version=1, end="<", after=bytes(4), keep=None, tail=b"", **fields):
        self.version, self.end, self.after = version, end, after
        self.voxels = voxels.astype(voxels.dtype.newbyteorder(end)).tobytes("F")[:keep] + tail
        self.fields = dict(
            sizeof_hdr=SIZE[version], regular=ord("r"), xyzt_units=2, scl_slope=1,
            dim=[voxels.ndim, *voxels.shape, *[1] * (7 - voxels.ndim)],
            datatype=CODES[voxels.dtype.str[1:]], bitpix=8 * voxels.dtype.itemsize, **placed("s"),
        ) | fields

    def made(self, pair):
        """The bytes of the single file, or of header and image, and what the header says."""
        natural = 0 if pair else -(-(SIZE[self.version] + len(self.after)) // 16) * 16
        fields = dict(vox_offset=natural, magic=MAGIC[self.version] % (b"i" if pair else b"+")) | self.fields
        header, said = b"", {}
        for name, code in (field.split(":") for field in FIELDS[self.version].split()):
            value = fields.get(name, b"" if code.endswith("s") else [0] * int(code[:-1] or 1))
            packed = struct.pack(self.end + code, *([value] if code.endswith("s") else np.ravel(value)))
            stored = struct.unpack(self.end + code, packed)
            header, said[name] = header + packed, stored[0] if len(stored) == 1 else stored
        offset, header = fields["vox_offset"], header + self.after
        start = int(offset) if natural <= offset < 4096 else natural
        raw = {key: said[name] for key, name in SAID.items()} | dict(end=self.end, qfac=said["pixdim"][0])
        raw |= dict(dim=said["dim"][1:][: max(said["dim"][0], 1)], qform=said["qform_code"], sform=said["sform_code"])
        parts = [header, bytes(start) + self.voxels] if pair else [header.ljust(start, b"\0") + self.voxels]
        return parts, raw | dict(magic=repr(raw["magic"]))


def member(data, flags=0, optional=b"", crc=0, length=0, level=6):
    """A member of a gzip file; crc and length: what to add to the true ones."""
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15)
    body = deflate.compress(data) + deflate.flush()
    check = struct.pack("<2I", zlib.crc32(data) ^ crc, len(data) + length & 0xFFFFFFFF)
    return b"\x1f\x8b\x08" + bytes([flags, 0, 0, 0, 0, 0, 255]) + optional + body + check


def members(*cuts):
    return lambda data: b"".join(member(data[a:b]) for a, b in zip((0, *cuts), (*cuts, None)))


def bgzf(data, block=300):
    """As bgzip writes it: members that tell their size, an empty one last."""
    found = b""
    for at in [*range(0, len(data), block), len(data)]:
        one = member(data[at : at + block], 4, struct.pack("<H2s2H", 6, b"BC", 2, 0))
        found += one[:16] + struct.pack("<H", len(one) - 1) + one[18:]
    return found


SOUND = ["nii", "gz", "pair", "pair_gz"]
CONTAINERS = dict(  # suffix: how its bytes are stored
    nii={".nii": bytes}, pair={".hdr": bytes, ".img": bytes}, pair_gz={".hdr.gz": member, ".img.gz": member},
    hdr_gz={".hdr.gz": member, ".img": bytes}, img_gz={".hdr": bytes, ".img.gz": member}, no_img={".hdr": bytes},
    gz_as_nii={".nii": member}, nii_as_gz={".nii.gz": bytes}, bgzf_pair={".hdr.gz": bgzf, ".img.gz": bgzf},
    crc_img={".hdr.gz": member, ".img.gz": lambda data: member(data, crc=1)}, capitals={".NII": bytes}
) | {name: {".nii.gz": wrap} for name, wrap in dict(
    gz=member, two=members(500), three=members(10, 352), empty_first=members(0), bgzf=bgzf,
    named=lambda data: member(data, 8 | 16, b"a name\0a comment\0"), stored=lambda data: member(data, level=0),
    zeros=lambda data: member(data) + bytes(512), garbage=lambda data: member(data) + b"garbage",
    crc=lambda data: member(data, crc=1), crc_second=lambda data: member(data[:400]) + member(data[400:], crc=1),
    length=lambda data: member(data, length=1), twice=lambda data: member(member(data)),
    cut=lambda data: member(data)[: len(data) // 3], cut_trailer=lambda data: member(data)[:-4],
    cut_second=lambda data: members(400)(data)[:-20],
).items()}
HEADERS = {  # kind: label: fields; each is made in both versions where their numbers can say it
    "scaling": {f"{slope:g}_{inter:g}": dict(scl_slope=slope, scl_inter=inter) for slope, inter in (
        (0, 5), (NAN, 5), (INF, 5), (-INF, 0), (0, NAN), (0, INF), (NAN, NAN), (1, NAN), (1, INF), (2, -INF), (-1, 0),
        (-2.5, 7), (0.001, -1024), (1e-38, 0), (1e-42, 1), (1e34, 0), (-1e35, 1e37), (1, 1e30), (1 / 3, 1 / 7),
        (1, 16777217), (5e-5, 3e4))},
    "form": {f"q{q}_s{s}_{label}": placed("") | dict(qform_code=q, sform_code=s) | other
             for (label, other), (q, s) in product(dict(agree={}, differ={"quatern": [0.9, 0.3, -0.2]}).items(), (
        (1, 0), (0, 1), (1, 2), (0, 0), (1, -1), (1, 9), (77, 0), (1, 5), (5, 0), (-3, 300), (-1, 0), (0, -1)))},
    "qfac": {f"{qfac:g}_{forms or 'none'}": placed(forms) | dict(pixdim=[qfac, 2, 2.5, 3, 1, 1, 1, 1])
             for qfac, forms in product((1, -1, 0, 2, -3, NAN), ("q", "qs", ""))},
    "dim": {"_".join(map(str, dims)): dict(dim=[*dims, *[0] * (8 - len(dims))]) for dims in (
        *((n, 7, 6, 5, 1, 1, 1, 1) for n in (0, 1, 2, 4, 7, 8, 9, -1, 32767, 2**32 + 3)), (3, 0, 6, 5), (3, 7, 6, 0),
        (3, -7, 6, 5), (3, 7, -6, 5), (3, -7, -6, 5), (4, 7, 6, 5, 0), (4, 7, 6, 5, -1), (3, 7, 6, 6), (3, 7, 6, 4),
        (3, 7, 6, 5, 9, 9), (0,), (3, -1), (3, 32767, 32767, 32767), (7, *[32767] * 7), (3, 2**62, 4, 1))},
    "datatype": {f"{code}": dict(datatype=code, bitpix=bits, dim=[3, 2, 3, 2, 1, 1, 1, 1]) for code, bits in (
        (0, 8), (1, 1), (32, 64), (128, 24), (1536, 128), (1792, 128), (2048, 256), (2304, 32), (9999, 16), (-4, 16))},
    "pixdim": {f"{x:g}_{y:g}_{z:g}_{forms or 'none'}": placed(forms) | dict(pixdim=[1, x, y, z, 0, 0, 0, 0])
               for forms, (x, y, z) in product(("s", "q", "qs", ""), (
        (0, 0, 0), (2, 2.5, 0), (-2, 2.5, 3), (-2, -2.5, -3), (2, NAN, 3), (2, 2.5, INF), (1, 1, 1), (1e-30, 1, 1)))},
    "quaternion": {f"long_{by:g}": placed("q") | dict(quatern=np.array([0.48, 0.6, 0.64]) * (1 + by))
                   for by in (0, 1e-8, 1e-7, 3e-7, 1e-6, 1e-5, 1e-3, 0.5, -1e-7, -1e-3)}
    | {f"{x:g}_{y:g}_{z:g}_{forms}": placed(forms) | dict(quatern=[x, y, z]) for forms, (x, y, z) in product(
        ("q", "qs"), ((NAN, 0, 0), (0, INF, 0), (0, 0, 0), (1 + 1e-7, 0, 0), (1, 1, 1)))}
    | {"offset_nan": placed("q") | dict(qoffset=[NAN, 0, 0])},
    "sform": {f"{label}_{forms}": placed(forms) | dict(srow=srow) for forms, (label, srow) in product(("s", "qs"), dict(
        nan=[[NAN, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0]], nan_offset=[[2, 0, 0, NAN], [0, 2, 0, 0], [0, 0, 2, 0]],
        inf=[[INF, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0]], zero_y=[[2, 0, 0, 0], [0, 0, 0, 0], [0, 0, 2, 0]],
        singular=[[2, 2, 0, 0], [0, 0, 2, 0], [0, 0, 2, 0]], parallel=[[1, 2, 0, 0], [1, 2, 0, 0], [0, 0, 1, 0]],
        nearly=[[1, 1, 0, 0], [0, 1e-5, 0, 0], [0, 0, 1, 0]], zeros=np.zeros(12), nans=np.full(12, NAN),
        zero_z=np.diag([2, 2, 0, 0])[:3], tiny=np.eye(3, 4) * 1e-20, huge=np.eye(3, 4) * 1e20).items())},
    "magic": {label: dict(magic=value) for label, value in dict(
        ni1=b"ni1", np1=b"n+1", ni2=b"ni2", np2=b"n+2", np3=b"n+3", abc=b"abc", none=b"", long=b"n+1x",
        lf=b"n+2\0\n\n\x1a\n", cr=b"n+2\0\r\n\x1a\r", bit_7=b"n+2\0\r\n\x9a\n", tail=b"n+2\0abcd", eol=MAGIC[2] % b"i",
    ).items()} | {"np1_352": dict(magic=b"n+1", vox_offset=352)},
    "text": {label: dict(descrip=words, aux_file=words, intent_name=words, db_name=words) for label, words in dict(
        full=b"x" * 80, latin=b"M\xfcller", utf8="Müller".encode(), control=b"a\n\x1b[31m\t\xff").items()},
} | {field: {f"{value:g}": {field: value} for value in values} for field, values in dict(
    sizeof_hdr=(0, 1, 347, 348, 349, 540, -348, 0x5C010000), bitpix=(0, 1, 8, 32, -16, 32767), xyzt_units=(0, 1, 3),
    vox_offset=(352, 400, 353, 360, 352.5, 367.99, 0, 1, 16, 100, 348, 351, 351.9, -1, -352, -0.5, NAN, INF, -INF, 539,
                540, 543, 544, 545, 560, 1000, 10**6, 2**40, 2**63 - 1, -(2**63), 1e30)).items()}


def headers(rng):
    rows = ((kind, *row) for kind, rows in HEADERS.items() for row in product(rows.items(), (1, 2)))
    for i, (kind, (label, fields), version) in enumerate(rows):
        for container in ("nii", "pair") if kind in ("vox_offset", "magic") else [SOUND[i // 2 % 4]]:
            voxels = draw(rng, list(CODES)[i // 2 % 10] if kind == "scaling" else "i2")
            yield f"{kind}__{label}_n{version}", Image(voxels, version, "<>"[i // 8 % 2], **fields), container


def voxels(rng):
    for i, (dtype, extreme, version, end) in enumerate(product(CODES, (False, True), (1, 2), "<>")):
        label = f"{dtype}_{'extreme' if extreme else 'plain'}_n{version}_{'le' if end == '<' else 'be'}"
        voxels, slope = draw(rng, dtype, extreme=extreme), -0.37 if i % 3 == 0 else 1
        yield f"valid__{label}", Image(voxels, version, end, scl_slope=slope), SOUND[i * 7 // 4 % 4]
    for i, (text, version) in enumerate(product(
        "5 6x5 1x1x1 7x1x3 1x6x2 2x2x2 300x3x2 4x5x6x1 4x5x6x2 4x5x6x3 4x5x6x4 4x5x6x1x1 4x5x6x1x3 4x5x6x2x3 4x5x6x2x1"
        " 4x5x1x6 4x1x1x1x5 4x5x3x1x1x2 3x2x4x1x1x1x1 2x2x2x2x2x2x2".split(), (1, 2)
    )):
        image = Image(draw(rng, "f4", tuple(map(int, text.split("x")))), version, "<>"[i % 2])
        yield f"shape__{text}_n{version}", image, SOUND[i // 2 % 4]
    for dtype, container, slope in product(("f4", "f8"), ("nii", "gz"), (1, -3)):
        every, some, one = (draw(rng, dtype) for _ in range(3))
        some.flat[[0, 9, 20, 77]] = NAN, INF, -INF, NAN
        every[:] = one.flat[:-1] = NAN
        for label, values in dict(some=some, all_nan=every, all_inf=np.full_like(every, INF), all_but_one=one).items():
            yield f"nonfinite__{label}_{dtype}_{slope}", Image(values, scl_slope=slope), container


def storage(rng):
    for version, container in product((1, 2), CONTAINERS):
        yield f"container__{container}_n{version}", Image(draw(rng), version), container
    for container in ("crc", "length", "garbage", "cut_trailer", "bgzf"):
        yield f"container__{container}_large", Image(draw(rng, shape=(31, 30, 29), extreme=True)), container
    for version, container in product((1, 2), SOUND):
        for keep, tail in ((0, 0), (1, 0), (100, 0), (419, 0), (None, 1), (None, 1000)):
            yield f"length__{keep}_{tail}_n{version}", Image(draw(rng), version, keep=keep, tail=b"x" * tail), container
    for version, size in product((1, 2), (0, 1, 4, 100, 347, 348, 349, 351, 352, 539, 540, 541, 544)):
        yield f"length__first_{size}_n{version}", Image(draw(rng), version).made(False)[0][0][:size], "nii"


def extensions(rng):
    extension = lambda size, true=0, code=6, end="<": struct.pack(end + "2i", size, code).ljust(true or size, b"e")
    for i, ((label, after), container) in enumerate(product(dict(
        one=extension(16), text=extension(2992), several=extension(16) + extension(32, code=4) + extension(160),
        none=b"", code_0=extension(32, code=0), code_unknown=extension(32, code=-7), zero=extension(0, 16),
        eight=extension(8, 16), negative=extension(-16, 16), huge=extension(0x7FFFFFF0, 16), odd=extension(20, 28),
        odd_13=extension(13, 29), overshoot=extension(4096, 32), overshoot_16=extension(48, 32), four=extension(4, 16),
        swapped=extension(32, end=">"),
    ).items(), ("nii", "gz", "pair"))):
        yield f"extension__{label}", Image(draw(rng), 1 + i % 2, after=b"\1\0\0\0" + after), container
    for label, after in dict(no_flag=bytes(4) + extension(32), flag_255=b"\xff" * 4, absent=b"").items():
        yield f"extension__{label}", Image(draw(rng), after=after), "pair"
    for version in (1, 2):
        yield f"extension__be_n{version}", Image(draw(rng), version, ">", b"\1\0\0\0" + extension(48, end=">")), "gz"


def geometry(rng):
    for i in range(60):
        spacing, offset = 0.3 * (8 / 0.3) ** rng.random(3), rng.uniform(-200, 200, 3)
        place = placed(("q", "s", "qs")[i % 3], rng.normal(size=4), spacing, offset, rng.choice([-1, 1]))
        yield f"oblique__{i:02}", Image(draw(rng), 1 + i // 3 % 2, "<>"[i // 6 % 2], **place), SOUND[i % 4]
    for i in range(8):  # near half a turn the stored part of the quaternion is all but 1 long
        place = placed("q", [10.0 ** -(i // 2), *rng.normal(size=3)])
        yield f"oblique__half_turn_{i}", Image(draw(rng), 1 + i % 2, **place), "nii"
    cube = [q for q in product((-1, 0, 1), repeat=4) if q.count(0) in (0, 2, 3) and q > (0,) * 4]
    for i, (quaternion, qfac) in enumerate(product(cube, (1, -1))):  # 48 axis permutations and flips
        place = placed(("q", "s", "qs")[i % 3], quaternion, (0.5, 1.5, 6), (3, -2, 1), qfac)
        yield f"axes__{i:02}", Image(draw(rng), 1 + i // 24, **place), SOUND[i % 4]
    for i in range(24):
        a, b, c = rng.uniform(-0.3, 0.3, 3)  # the cosines between the axes
        shear = np.linalg.cholesky([[1, a, b], [a, 1, c], [b, c, 1]]).T
        place = placed("s", rng.normal(size=4), 0.5 + 4 * rng.random(3), shear=shear)
        yield f"shear__{i:02}", Image(draw(rng), **place), SOUND[i % 4]


def foreign(rng):
    old = placed("", (1, 0, 0, 0), offset=(0, 0, 0)) | dict(magic=b"", srow=[0] * 12)
    for (label, start), container in product(dict(
        analyze_header=Image(draw(rng), **old).made(True)[0][0], dicom=bytes(128) + b"DICM\2\0\0\0UL\4\0",
        html=b"<!DOCTYPE html>\n<html><title>404 Not Found</title></html>\n", zip=b"PK\3\4" + bytes(30), zeros=b"",
        nrrd=b"NRRD0004\ntype: short\ndimension: 3\nsizes: 7 6 5\nencoding: raw\n\n", json=b'{"a": 1}\n' * 60,
        png=b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", noise=rng.bytes(700), metaimage=b"NDims = 3\n", text=b"no image\n" * 80,
    ).items(), ("nii", "gz")):
        yield f"foreign__{label}", start.ljust(800, b"\0"), container
    for end in "<>":
        yield f"foreign__analyze_{'le' if end == '<' else 'be'}", Image(draw(rng), end=end, **old), "pair"
    xml = b"\1\0\0\0" + struct.pack("<2i", 64, 32) + b'<CIFTI Version="2"></CIFTI>'.ljust(56, b"\0")
    for code, after in product((3001, 3002, 3006), (bytes(4), xml)):
        image = Image(draw(rng, "f4", (1, 1, 1, 1, 8, 8)), 2, after=after, intent_code=code, intent_name=b"ConnDense")
        yield f"foreign__cifti_{code}_{len(after)}", image, "nii"


def answer(path, found):
    """What nibabel makes of the file; found keeps what it told before it failed."""
    image = nib.load(path)
    found |= dict(shape=image.shape, dtype=str(image.get_data_dtype()))
    found |= dict(affine=image.affine.tolist(), axcodes="".join(c or "?" for c in nib.aff2axcodes(image.affine)))
    if image.get_data_dtype().kind in "cV":
        return
    data = image.get_fdata(dtype=np.float64)
    finite = np.isfinite(data)
    seen = data[finite] if finite.any() else data  # null for none that is finite, an error for none at all
    found["stats"] = dict(min=seen.min(), max=seen.max(), mean=seen.mean(), nonfinite=int((~finite).sum()))


def write(folder, rng):
    cases = []
    for make in (voxels, storage, headers, extensions, geometry, foreign):
        for name, made, container in make(rng):
            wraps = CONTAINERS[container]
            paths = [folder / f"{name}_{container}{suffix}" for suffix in wraps]
            try:
                parts, raw = ([made], {"bad": True}) if isinstance(made, bytes) else made.made(".hdr" in str(wraps))
            except (struct.error, OverflowError):
                continue  # this version's fields cannot hold the number
            for path, wrap, part in zip(paths, wraps.values(), parts):
                path.write_bytes(wrap(part))
            found = dict(file=paths[0].name, kind=name.split("__")[0], raw=raw)
            try:
                answer(paths[0], found)
            except Exception as error:
                found["nibabel_error"] = f"{type(error).__name__}: {error}".replace(f"{folder}/", "")
            cases.append(found)
    assert len({case["file"] for case in cases}) == len(cases)
    cases = json.loads(json.dumps(cases), parse_constant=lambda name: None)  # JSON has no NaN
    (folder / "expected_nibabel.json").write_text(json.dumps(cases, indent=0, allow_nan=False))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    logging.getLogger("nibabel").setLevel(logging.CRITICAL + 1)
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30,) * 2)  # nibabel allocates what a header promises
    write(args.folder, np.random.default_rng(args.seed))
