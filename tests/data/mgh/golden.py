"""Small MGH volumes, and nibabel's numbers for them.

`values` in expected.json has x fastest, frame after frame, as the file.
Run in this folder: pip install "nibabel>=5.4" numpy; python golden.py
"""

import gzip
import json
import struct
from pathlib import Path

import nibabel
import numpy as np
from nibabel.freesurfer import MGHImage

HERE = Path(__file__).resolve().parent
CODES = {"uint8": 0, "int32": 1, "float32": 3, "int16": 4, "uint16": 10}
# Columns: where x, y, z of the file point in the patient.
AXES = {
    "RAS": np.eye(3),
    "LIA": np.array([[-1, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "PSR": np.array([[0, 0, 1], [-1, 0, 0], [0, 1, 0]]),
    "oblique": None,
}


def rotation(degrees, axis):
    """A rotation around one of the axes."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i, j = [n for n in range(3) if n != axis]
    turned = np.eye(3)
    turned[i, i], turned[i, j], turned[j, i], turned[j, j] = c, -s, s, c
    return turned


AXES["oblique"] = rotation(17, 0) @ rotation(-9, 1) @ rotation(31, 2) @ AXES["LIA"]


def values(dims, dtype):
    """Numbers that use the type's range."""
    n = np.arange(np.prod(dims), dtype=np.float64)
    found = {
        "uint8": (n * 37) % 256,
        "int16": (n * 997) % 65536 - 32768,
        "uint16": (n * 1999) % 65536,
        "int32": (n - 20) * 3001 + (n % 7),
        "float32": np.sin(n) * 1000 + n / 3,
    }[dtype]
    return found.reshape(dims, order="F").astype(dtype)


def header(dims, dtype, axes, spacing, centre, version=1, flag=1):
    """284 bytes, by the format's description."""
    text = struct.pack(">7ih", version, *(list(dims) + [1])[:4], CODES[dtype], 3, flag)
    cosines = np.asarray(axes, dtype=np.float64).T.ravel() if flag else np.zeros(9)
    text += struct.pack(">15f", *(spacing if flag else (0, 0, 0)), *cosines, *(centre if flag else (0, 0, 0)))
    return text.ljust(284, b"\0")


def tags():
    """Scan parameters, and a command line as FreeSurfer leaves it behind."""
    line = b"mri_convert /home/somebody/patient.dcm x.mgz\0"
    return struct.pack(">5f", 2300.0, 0.157, 2.98, 900.0, 256.0) + struct.pack(">iq", 3, len(line)) + line


def facts(array, affine, reference):
    finite = array.astype(np.float64)
    return {
        "reference": reference,
        "dtype": str(array.dtype.newbyteorder("=")),
        "shape": list(array.shape),
        "affine": np.asarray(affine, dtype=np.float64).tolist(),
        "axcodes": "".join(nibabel.aff2axcodes(affine)),
        "min": finite.min(),
        "max": finite.max(),
        "mean": finite.mean(),
        "values": [float(value) for value in array.ravel(order="F")],
    }


def main():
    made = {
        "uint8_ras.mgh": ("uint8", (5, 4, 3), "RAS", (1, 1, 1), tags()),
        "int16_lia.mgz": ("int16", (4, 3, 5), "LIA", (1, 1, 1), tags()),
        "uint16_psr.mgz": ("uint16", (3, 5, 4), "PSR", (0.8, 0.9, 1.25), b""),
        "int32_oblique.mgh": ("int32", (5, 3, 4), "oblique", (0.7, 1.1, 2.5), b""),
        "float32_oblique.mgz": ("float32", (3, 4, 6), "oblique", (0.937, 0.937, 1.2), tags()),
        "frames_float32.mgz": ("float32", (3, 2, 4, 3), "LIA", (2, 2, 2.2), tags()),
        "labels_uint8.mgz": ("uint8", (4, 4, 2), "LIA", (1, 1, 1), tags()),
        "unstated_int16.mgz": ("int16", (4, 3, 2), "LIA", (1, 1, 1), tags()),
    }
    expected = {}
    for name, (dtype, dims, axes, spacing, tail) in made.items():
        array = values(dims, dtype)
        intent, flag = (1 if name.startswith("labels") else 0), (0 if name.startswith("unstated") else 1)
        start = header(dims, dtype, AXES[axes], spacing, (3.5, -21.25, 12.1), intent << 8 | 1, flag)
        data = array.astype(array.dtype.newbyteorder(">")).tobytes(order="F")
        packed = name.endswith(".mgz")
        bytes_ = start + data + tail
        (HERE / name).write_bytes(gzip.compress(bytes_, mtime=0) if packed else bytes_)
        plain = start[:2] + b"\0\1" + start[4:] + data + tail
        image = MGHImage.from_bytes(plain)
        assert np.array_equal(np.asarray(image.dataobj), array)
        affine, reference = image.affine, "nibabel"
        if not flag:
            matrix = AXES["LIA"].astype(np.float64)
            affine, reference = nibabel.affines.from_matvec(matrix, -matrix @ (np.array(dims) / 2)), "FreeSurfer"
        expected[name] = facts(np.asarray(image.dataobj), affine, reference)
        if intent:
            expected[name]["reference"] = "nibabel, the intent taken off"
    result = {"nibabel": nibabel.__version__, "files": expected}
    (HERE / "expected.json").write_text(json.dumps(result, indent=1) + "\n")


main()
