"""NIfTI files byte by byte, right or wrong on purpose: header, forms, extensions, gzip."""
import struct
import zlib

import numpy as np
from nibabel import nifti1, nifti2
from nibabel.quaternions import mat2quat, quat2mat

LAYOUT = {1: nifti1.header_dtype, 2: nifti2.header_dtype}
DATATYPE = {"uint8": 2, "int16": 4, "int32": 8, "float32": 16, "complex64": 32, "float64": 64, "int8": 256,
            "uint16": 512, "uint32": 768, "int64": 1024, "uint64": 1280, "complex128": 1792}


class Nifti:
    """An image. `fields` are header fields by their names in nifti1.h and win over what the data ask for.

    `at` is where the voxels lie; the field vox_offset says so too unless it is given.
    """

    def __init__(self, data, version=1, end="<", pair=False, extensions=b"", at=None, **fields):
        self.version, self.end, self.pair, self.extensions = version, end, pair, extensions
        self.data = np.asarray(data)
        size = LAYOUT[version].itemsize
        self.at = at if at is not None else 0 if pair else -(-(size + 4 + len(extensions)) // 16) * 16
        magic = (b"ni%d" if pair else b"n+%d") % version
        shape = self.data.shape
        self.fields = {
            "sizeof_hdr": size, "magic": magic, "dim": [len(shape), *shape] + [1] * (7 - len(shape)),
            "datatype": DATATYPE[self.data.dtype.name], "bitpix": 8 * self.data.itemsize, "pixdim": [1.0] * 8,
            "vox_offset": self.at, "scl_slope": 1, "xyzt_units": 2,
        }
        if version == 2:
            self.fields["eol_check"] = [13, 10, 26, 10]
        self.fields.update(fields)

    def header(self):
        header = np.zeros((), LAYOUT[self.version].newbyteorder(self.end))
        for name, value in self.fields.items():
            header[name] = value
        return header.tobytes()

    def head(self):
        """Header, extension flag, extensions."""
        return self.header() + bytes([bool(self.extensions), 0, 0, 0]) + self.extensions

    def voxels(self):
        return self.data.astype(self.data.dtype.newbyteorder(self.end)).tobytes(order="F")

    def image(self):
        """The .img of a pair."""
        return bytes(self.at) + self.voxels()

    def single(self):
        """The .nii: voxels at their place, even where the extensions reach beyond it."""
        return self.head().ljust(self.at, b"\0")[:self.at] + self.voxels()


def extension(content, code=6, size=None, end="<"):
    """An extension, padded to 16 bytes unless `size` says otherwise."""
    padded = content.ljust(-(-(len(content) + 8) // 16) * 16 - 8, b"\0")
    if size is None:
        size = len(padded) + 8
    return struct.pack(end + "ii", size, code) + padded


def placed(matrix, origin=(0, 0, 0), forms="both"):
    """The fields that put voxels into the world by `matrix` (3x3, mm per voxel step): sform, qform, both or none.

    The qform of a sheared matrix is the nearest one without shear.
    """
    matrix = np.asarray(matrix, float)
    spacing = np.linalg.norm(matrix, axis=0)
    qfac = np.sign(np.linalg.det(matrix))
    u, _, v = np.linalg.svd(matrix / spacing * [1, 1, qfac])
    fields = {"pixdim": [qfac, *spacing, 2, 1, 1, 1]}
    if forms in ("qform", "both"):
        fields["qform_code"] = 1
        fields.update(zip(("quatern_b", "quatern_c", "quatern_d"), mat2quat(u @ v)[1:]))
        fields.update(zip(("qoffset_x", "qoffset_y", "qoffset_z"), origin))
    if forms in ("sform", "both"):
        fields["sform_code"] = 2
        fields.update(zip(("srow_x", "srow_y", "srow_z"), np.column_stack([matrix, origin])))
    return fields


def rotation(rng):
    """A rotation drawn evenly from all there are."""
    quaternion = rng.standard_normal(4)
    return quat2mat(quaternion / np.linalg.norm(quaternion))


def member(content, level=6, extra=None, name=None, comment=None, header_crc=False):
    """One gzip member, with the optional parts of its header."""
    flags = 2 * header_crc + 4 * (extra is not None) + 8 * (name is not None) + 16 * (comment is not None)
    head = b"\x1f\x8b\x08" + bytes([flags, 0, 0, 0, 0, 0, 255])
    if extra is not None:
        head += struct.pack("<H", len(extra)) + extra
    head += b"".join(text + b"\0" for text in (name, comment) if text is not None)
    if header_crc:
        head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15)
    body = deflate.compress(content) + deflate.flush()
    return head + body + struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)


def members(content, count):
    """`count` members of about equal length."""
    step = -(-len(content) // count)
    return b"".join(member(content[i:i + step]) for i in range(0, len(content), step))


def bgzf(content):
    """Blocks that state their own size, then an empty one, as bgzip writes them."""
    def block(part):
        size = len(member(part, extra=b"BC\2\0\0\0"))
        return member(part, extra=b"BC\2\0" + struct.pack("<H", size - 1))
    step = -(-len(content) // 2)
    return block(content[:step]) + block(content[step:]) + block(b"")
