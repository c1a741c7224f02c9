"""Files that break the standard, one thing each, or are something else. Each case is (kind, name, {suffix: bytes})."""
import struct
from itertools import product

import numpy as np

from nifti_bytes import Nifti, extension, member, members, placed
from sound_cases import NAME, anywhere, packed, volume


def fields_wrong(rng):
    """One header field that is wrong, the rest as it should be."""
    wrong = {
        "vox_offset": [0, 4, 351, 351.9, 352.5, 353.99, -1, -352, np.nan, np.inf, -np.inf, 9999, 2**24, 2**31, 1e30],
        "bitpix": [0, 1, 8, 32, -16, 24, 32767],
        "datatype": [0, 1, 3, 255, 9999, -4, 32, 128, 1536, 1792, 2048, 2304],
        "scl_inter": [np.nan, np.inf, -np.inf],
        "sizeof_hdr": [0, 347, 349, 540, -348, 1543569408, 469893120, 0x7FFFFFFF],
        "magic": [b"", b"n+1x", b"n+2", b"ni1", b"ni2", b"N+1", b"n+0", b"\xff\xff\xff\xff"],
        "sform_code": [-1, 6, 256, 11776],
        "qform_code": [-1, 6, 256, 11776],
        "intent_code": [3006, 1002, -1, 32767],
        "xyzt_units": [4, 255],
    }
    for field, value in ((field, value) for field, values in wrong.items() for value in values):
        image = Nifti(volume(rng), **{**anywhere(rng, "both"), field: value})
        word = value.hex() or "none" if isinstance(value, bytes) else f"{value:g}"
        yield field, f"{field}_{word}", packed(image, "nii")
    wide = {
        "vox_offset": [0, 543, -16, 2**40, 2**62, -(2**63)], "magic": [b"", b"n+1", b"ni2", b"abc"],
        "eol_check": [[0] * 4, [10, 26, 10, 0], [13, 13, 10, 26]], "datatype": [1, 32, 128, 1536, 2048, 9999],
        "bitpix": [0, 8], "intent_code": [3000, 3001, 3006, 3099, 3100, -1], "sizeof_hdr": [348, 541],
        "sform_code": [-1, 70000], "xyzt_units": [2**31 - 1], "scl_inter": [np.nan],
    }
    for field, i, value in ((field, i, value) for field, values in wide.items() for i, value in enumerate(values)):
        image = Nifti(volume(rng), 2, **{**anywhere(rng, "both"), field: value})
        yield field, f"{field}_n2_{i}", packed(image, "nii")


def other_types(rng):
    """Types that hold no single grey value, with their true sizes."""
    for name, code, size in [("binary", 1, 1), ("complex64", 32, 8), ("rgb", 128, 3), ("float128", 1536, 16),
                             ("complex128", 1792, 16), ("complex256", 2048, 32), ("rgba", 2304, 4)]:
        for version in (1, 2):
            image = Nifti(rng.integers(0, 60, (2 * size, 3, 2)).astype("uint8"), version, **anywhere(rng))
            image.fields.update(datatype=code, bitpix=1 if code == 1 else 8 * size)
            image.fields["dim"][1] = 2
            yield "datatype", f"datatype_{name}_n{version}", packed(image, "nii")


def dims_wrong(rng):
    dims = {
        "x0": [3, 0, 4, 3], "y0": [3, 5, 0, 3], "z0": [3, 5, 4, 0], "t0": [4, 5, 4, 3, 0], "all0": [3, 0, 0, 0],
        "x-5": [3, -5, 4, 3], "xyz-": [3, -5, -4, -3], "xy-": [3, -5, -4, 3], "x-1": [3, -1, 1, 1],
        "full": [3, 32767, 32767, 32767], "bomb": [7] + [32767] * 7, "plane": [2, 32767, 32767], "line": [1, 32767],
        "times": [4, 5, 4, 3, 32767], "ico7": [3, 27307, 1, 6],
    } | {f"n{n}": [n, 5, 4, 3] for n in (0, 8, 9, -1, 256, 768, 32767)}
    wide = {
        "big": [3, 2**31, 2**31, 2**31], "wrap": [3, 2**32, 2**32, 5], "wrap+": [3, 2**62, 4, 60],
        "max": [7] + [2**63 - 1] * 7, "min": [3, -(2**63), 4, 3], "n2^40": [2**40, 5, 4, 3], "2^32+5": [3, 2**32 + 5, 4, 3],
    }
    for version, cases in ((1, dims), (2, dims | wide)):
        for name, dim in cases.items():
            image = Nifti(volume(rng, shape=(5, 4, 3)), version, **anywhere(rng))
            image.fields["dim"] = dim + [1] * (8 - len(dim))
            yield "dim", f"dim_{name}_n{version}", packed(image, "nii" if len(name) % 2 else "gz")
    fields = {"dim": [3, -1, 1, 1, 1, 1, 1, 1], "glmin": 60}
    yield "dim", "dim_freesurfer", packed(Nifti(volume(rng, shape=(60,)), **{**anywhere(rng), **fields}), "nii")


def forms_wrong(rng):
    pixdims = {"zero": [1, 0, 2, 3], "all0": [1, 0, 0, 0], "negative": [1, -1, 2, -3], "nan": [1, 1, np.nan, 2],
               "inf": [1, 1, 1, np.inf], "qfac_nan": [np.nan, 1, 2, 3], "qfac_2": [2, 1, 2, 3], "qfac_-3": [-3, 1, 2, 3],
               "tiny": [1, 1e-38, 1, 1], "huge": [1, 1, 1e38, 1]}
    bcd = np.array([0.6, 0.64, 0.48])  # length 1
    quaternions = {f"1+{more:g}": bcd * (1 + more) for more in (1e-7, 1e-6, 1e-4, 0.01, 0.5)}
    quaternions |= {"nan": bcd * np.nan, "inf": [np.inf, 0, 0], "huge": bcd * 1e30}
    rows = {"nan": [2, np.nan, 0, 5], "inf": [2, 0, np.inf, 5], "origin_nan": [2, 0, 0, np.nan],
            "zero_column": [0, 0, 0, 5], "singular": [0, 2, 0, 5], "tiny": [1e-30, 0, 0, 5], "huge": [1e30, 0, 0, 5],
            "skew": [2, 30, 0, 5], "far": [2, 0, 0, 1e20]}
    wrong = [("pixdim", name, forms, {"pixdim": pixdim + [1] * 4})
             for name, pixdim in pixdims.items() for forms in ("none", "qform", "sform")]
    wrong += [("quaternion", name, forms, dict(zip(("quatern_b", "quatern_c", "quatern_d"), quaternion)))
              for name, quaternion in quaternions.items() for forms in ("qform", "both")]
    wrong += [("sform", name, forms, {"srow_x": row}) for name, row in rows.items() for forms in ("sform", "both")]
    wrong += [("sform", "zeros", forms, dict.fromkeys(("srow_x", "srow_y", "srow_z"), [0] * 4))
              for forms in ("sform", "both")]
    for version, (kind, name, forms, fields) in product((1, 2), wrong):
        image = Nifti(volume(rng), version, **placed(np.diag([2.0, 2, 3]), (5, 0, 0), forms) | fields)
        yield kind, f"{kind}_{name}_{forms}_n{version}", packed(image, "nii")


def extensions_wrong(rng):
    sizes = {"size0": 0, "size8": 8, "size_max": 0x7FFFFFF0, "size_negative": -16, "size_min": -(2**31), "size_odd": 33,
             "overshoot": 4096}
    for name, size in sizes.items():
        for version, container in ((1, "nii"), (1, "gz"), (2, "nii"), (1, "pair")):
            content = extension(b"x" * 24, size=size)
            image = Nifti(volume(rng), version, "<", container == "pair", content, **anywhere(rng))
            yield "extension-wrong", f"extension-wrong_{name}_n{version}_{container}", packed(image, container)
    odd = extension(b"x" * 24, size=33) + b"x"  # 33 bytes, as it says
    image = Nifti(volume(rng), extensions=odd, **anywhere(rng))
    yield "extension-wrong", "extension-wrong_odd_but_true", packed(image, "nii")
    content = extension(b"", 6) * 100
    image = Nifti(volume(rng), extensions=content, at=400, **anywhere(rng))
    yield "extension-wrong", "extension-wrong_many_beyond_offset", packed(image, "nii")
    image = Nifti(volume(rng), extensions=b"\x20\0\0\0", at=368, **anywhere(rng))
    yield "extension-wrong", "extension-wrong_half_a_head", packed(image, "nii")
    single = Nifti(volume(rng), **anywhere(rng)).single()
    yield "extension-wrong", "extension-wrong_flag_alone", {".nii": single[:348] + b"\1" + single[349:]}
    zeros = Nifti(np.zeros((60, 60, 60), "int16"), extensions=extension(b"", size=0), **anywhere(rng))
    yield "extension-wrong", "extension-wrong_size0_then_zeros", packed(zeros, "gz")


def lengths_wrong(rng):
    for version in (1, 2):
        size = 348 if version == 1 else 540
        image = Nifti(volume(rng, shape=(5, 4, 3)), version, **anywhere(rng))
        single = image.single()
        for cut in (0, 1, 4, 100, size - 1, size, size + 4, len(single) // 2 + 200, len(single) - 2, len(single) - 1):
            yield "truncated", f"truncated_{cut}_n{version}", {".nii": single[:cut]}
            yield "truncated", f"truncated_{cut}_n{version}_gz", {".nii.gz": member(single[:cut])}
        pair = Nifti(volume(rng), version, pair=True, **anywhere(rng))
        for cut in (0, 7, len(pair.image()) - 1):
            yield "truncated", f"truncated_img_{cut}_n{version}", {".hdr": pair.head(), ".img": pair.image()[:cut]}
        yield "truncated", f"truncated_hdr_n{version}", {".hdr": pair.head()[:200], ".img": pair.image()}


def gzip_wrong(rng):
    """Small ones, which nibabel inflates whole before it looks, and large ones, which it does not."""
    for name, shape in {"small": (5, 4, 3), "large": (25, 30, 30)}.items():
        single = Nifti(volume(rng, shape=shape), **anywhere(rng)).single()
        whole = member(single)
        half = len(whole) // 2
        flip = lambda at: whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1:]
        damaged = {
            "zeros_after": whole + bytes(512), "zero_after": whole + b"\0", "text_after": whole + b"rubbish",
            "magic_after": whole + b"\x1f\x8b", "crc": flip(len(whole) - 6), "length": flip(len(whole) - 2),
            "flipped": flip(half), "method": flip(2), "reserved_flags": flip(3), "cut_half": whole[:half],
            "cut_trailer": whole[:-8], "cut_byte": whole[:-1], "cut_10": whole[:10], "cut_2": whole[:2],
            "second_crc": members(single, 2)[:-8] + bytes(8), "second_cut": members(single, 2)[:-20],
            "zeros_between": member(single[:400]) + bytes(32) + member(single[400:]), "twice": member(whole),
            "empty": member(b""), "empty_first": member(b"") + whole,
        }
        for case, content in damaged.items():
            yield "gzip", f"gzip_{case}_{name}", {".nii.gz": content}


def names_wrong(rng):
    """Names that do not fit what is inside, and pairs that are none."""
    image, pair = (Nifti(volume(rng), pair=pair, **anywhere(rng)) for pair in (False, True))
    cases = {
        "gz_as_nii": {".nii": member(image.single())}, "nii_as_gz": {".nii.gz": image.single()},
        "hdr_as_nii": {".nii": pair.head() + pair.image()}, "hdr_alone_as_nii": {".nii": pair.head()},
        "nii_as_hdr": {".hdr": image.head(), ".img": image.single()},
        "hdr_alone": {".hdr": pair.head()}, "mixed_hdr_gz": {".hdr.gz": member(pair.head()), ".img": pair.image()},
        "mixed_img_gz": {".hdr": pair.head(), ".img.gz": member(pair.image())},
        "gz_as_img": {".hdr": pair.head(), ".img": member(pair.image())},
        "gz_as_hdr": {".hdr": member(pair.head()), ".img": pair.image()},
        "whole_as_hdr": {".hdr": image.single(), ".img": image.voxels()},
    }
    for name, files in cases.items():
        yield "name", f"name_{name}", files
    for at in (0, 352):
        image = Nifti(volume(rng), pair=True, at=at, magic=b"n+1", **anywhere(rng))
        yield "magic", f"magic_single_in_pair_{at}", packed(image, "pair")


def orders_mixed(rng):
    """Size of the header in one byte order, the rest in the other."""
    for version, end in ((1, "<"), (1, ">"), (2, "<"), (2, ">")):
        single = Nifti(volume(rng), version, end, **anywhere(rng)).single()
        order = "be" if end == "<" else "le"
        yield "order-mixed", f"order-mixed_n{version}_{order}_first", {".nii": single[3::-1] + single[4:]}


def foreign(rng):
    analyze = Nifti(volume(rng), pair=True, magic=b"", regular=b"r", extents=16384)
    rest = bytes(800)
    contents = {
        "dicom": bytes(128) + b"DICM\2\0\0\0UL\4\0\xa2\0\0\0\x10\0\x10\0PN\x08\0" + NAME + rest,
        "html": b"<!DOCTYPE html>\n<html><head><title>404</title></head><body>" + b"Not found. " * 80 + b"</body></html>",
        "html_late": b"\n\n  <html>" + b" " * 700,
        "xml": b"<?xml version='1.0'?><Error>AccessDenied</Error>" + b" " * 700,
        "json": b'{"error": "not found"}' + b" " * 700,
        "text": b"Patient: " + NAME + b"\n" + b"line\n" * 200,
        "text_short": b"hi\n",
        "lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "pdf": b"%PDF-1.4\n" + b"%\xe2\xe3\xcf\xd3\n" * 150,
        "nrrd": b"NRRD0004\ntype: short\ndimension: 3\nsizes: 2 2 2\nencoding: raw\n\n" + rest,
        "mha": b"ObjectType = Image\nNDims = 3\nDimSize = 2 2 2\n" + rest,
        "mgh": struct.pack(">7i", 1, 4, 4, 4, 1, 0, 0) + rest,
        "minc1": b"CDF\1" + rest,
        "hdf5": b"\x89HDF\r\n\x1a\n" + rest,
        "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0" + rest,
        "jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF\0" + rest,
        "zip": b"PK\3\4\x14\0\0\0\0\0" + rest,
        "bzip2": b"BZh91AY&SY" + rng.bytes(800),
        "xz": b"\xfd7zXZ\0" + rng.bytes(800),
        "zeros": bytes(1000),
        "ones": b"\xff" * 1000,
        "random": rng.bytes(1000),
        "analyze": analyze.head() + analyze.image(),
    }
    for name, content in contents.items():
        yield "foreign", f"foreign_{name}", {".nii": content}
        if name in ("dicom", "html", "text", "zeros", "random", "analyze"):
            yield "foreign", f"foreign_{name}_gz", {".nii.gz": member(content)}
    yield "foreign", "foreign_analyze_pair", {".hdr": analyze.header(), ".img": analyze.image()}


BROKEN = [fields_wrong, other_types, dims_wrong, forms_wrong, extensions_wrong, lengths_wrong, gzip_wrong, names_wrong,
          orders_mixed, foreign]
