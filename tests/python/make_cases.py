#!/usr/bin/env python3
"""Make small NIfTI files, sound and broken, and write down what nibabel says of each.

    python3 tests/python/make_cases.py OUT_DIR [--seed N]

Needs numpy and nibabel. The bytes are made here, not by nibabel, so that they may be wrong in any way. A function of
KINDS is a kind of file: it yields (label, image or bytes, container), the file is `kind__label` and its answer goes to
OUT_DIR/expected_nibabel.json. The seed and a file's name decide what is in it. Of a pair the answer names the header.
"""
import argparse, itertools, json, logging, math, pathlib, resource, struct, warnings, zlib
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
SIZE = {1: 348, 2: 540}
MAGIC = {1: b"n%c1\0", 2: b"n%c2\0\r\n\x1a\n"}
RAW = dict(size="sizeof_hdr", dt="datatype", vo="vox_offset", slope="scl_slope", inter="scl_inter")
RAW |= dict(qform="qform_code", sform="sform_code", magic="magic")
CODES = dict(u1=2, i2=4, i4=8, f4=16, f8=64, i1=256, u2=512, u4=768, i8=1024, u8=1280)
BOTH = list(itertools.product((1, 2), "<>"))  # versions and byte orders


def rotation(quaternion):
    a, b, c, d = quaternion / np.linalg.norm(quaternion)
    return np.array([
        [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
        [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
        [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
    ])


def placed(forms, quaternion=(1, 0, 0, 0), spacing=(2, 2.5, 3), offset=(-10, 20, 5), qfac=1, shear=np.eye(3)):
    """The header's fields for a place in the world, told by the qform ("q"), the sform ("s"), both or none."""
    quaternion = np.array(quaternion, float)
    quaternion *= (1 if quaternion[0] >= 0 else -1) / np.linalg.norm(quaternion)
    matrix = rotation(quaternion) @ shear @ np.diag([spacing[0], spacing[1], spacing[2] * qfac])
    return dict(
        pixdim=[qfac, *spacing, 1, 1, 1, 1], quatern=quaternion[1:], qoffset=offset, srow=np.c_[matrix, offset],
        qform_code=int("q" in forms), sform_code=2 * ("s" in forms),
    )


def draw(name, dtype="i2", shape=(7, 6, 5), extreme=False):
    """Random voxels, of the whole range of their type if extreme (of f8: of f4's)."""
    rng, dtype = random(name), np.dtype(dtype)
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

    def __init__(self, voxels, version=1, end="<", after=bytes(4), tail=b"", keep=None, **fields):
        self.version, self.end, self.after, self.start = version, end, after, fields.pop("start", None)
        stored = voxels.astype(voxels.dtype.newbyteorder(end)).tobytes("F")
        self.voxels = stored[:keep] + tail
        self.fields = dict(
            sizeof_hdr=SIZE[version], regular=ord("r"), xyzt_units=2, scl_slope=1,
            dim=[voxels.ndim, *voxels.shape, *[1] * (7 - voxels.ndim)],
            datatype=CODES.get(voxels.dtype.str[1:], 0), bitpix=8 * voxels.dtype.itemsize, **placed("s"),
        ) | fields

    def packed(self, pair):
        """The header's fields, each in its bytes, and where the voxels start."""
        natural = 0 if pair else -(-(SIZE[self.version] + len(self.after)) // 16) * 16
        fields = dict(vox_offset=natural, magic=MAGIC[self.version] % (b"i" if pair else b"+")) | self.fields
        offset, packed = fields["vox_offset"], {}
        for name, code in (field.split(":") for field in FIELDS[self.version].split()):
            count = 0 if code.endswith("s") else int(code[:-1] or 1)
            value = fields.get(name, np.zeros(count) if count else b"")
            kind = float if code[-1] in "fd" else int
            packed[name] = self.end + code, [kind(v) for v in np.ravel(value)] if count else [value]
        start = self.start or (int(offset) if natural <= offset < 4096 else natural)
        return packed, start

    def parts(self, pair):
        """The bytes of the single file, or of header and image."""
        packed, start = self.packed(pair)
        header = b"".join(struct.pack(code, *values) for code, values in packed.values()) + self.after
        if pair:
            return header, bytes(start) + self.voxels
        return (header.ljust(start, b"\0") + self.voxels,)

    def raw(self, pair):
        """What the header says, as stored."""
        read = {key: struct.unpack(code, struct.pack(code, *v)) for key, (code, v) in self.packed(pair)[0].items()}
        rest = dict(dim=read["dim"][1:][: max(read["dim"][0], 1)], end=self.end, qfac=read["pixdim"][0])
        return {key: read[name][0] for key, name in RAW.items()} | dict(magic=repr(read["magic"][0])) | rest


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


KINDS = []
