#!/usr/bin/env python3
"""Open masks with readers that share no code with insitu-seg.

    python3 tests/python/open_outputs.py DIR

DIR/manifest.json lists images, the masks written on their grids, points (RAS mm) with the labels that stand there, and
the segments of the .seg.nrrd files. Every reader must find each label in the voxel nearest to its point and the mask
lying as the image does; headers must be the image's. One line per deviation, then exit status 1.

Needs numpy and nibabel; without SimpleITK, slicerio or pynrrd says what is not run.
"""
import argparse, collections, importlib, json, pathlib, shutil, sys, tempfile
import nibabel as nib
import numpy as np

SAME = """dim pixdim sform_code qform_code quatern_b quatern_c quatern_d qoffset_x qoffset_y qoffset_z
    srow_x srow_y srow_z xyzt_units""".split()
EMPTY = "descrip aux_file db_name intent_name".split()
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])  # from RAS, and back
NEAR, SPACING, DIRECTION, COLOR = 1e-3, 1e-5, 1e-4, 1 / 255  # mm, relative, cosines, shares of 1


def optional(name):
    """The module, or None after saying that it is not here."""
    try:
        return importlib.import_module(name)
    except ImportError:
        print("not run: no", {"nrrd": "pynrrd"}.get(name, name))
        return None


def check_labels(entry, voxels, nearest):
    """`nearest` gives the index of the voxel at a point and the centre of that voxel, both points in RAS mm."""
    voxels = voxels.reshape((*voxels.shape, 1, 1)[:3])  # a slice is a volume of one; trailing axes must be 1
    for marker in entry["markers"]:
        label, world = marker["label"], marker["world"]
        index, centre = nearest(world)
        if any(not 0 <= i < size for i, size in zip(index, voxels.shape)):
            yield f"label {label}: {world} is outside the mask"
        elif voxels[tuple(index)] != label:
            yield f"label {label}: {voxels[tuple(index)]} at {world}"
        elif (off := np.linalg.norm(np.subtract(centre, world))) > NEAR:
            yield f"label {label}: {off:.1e} mm from {world}"
    count = np.count_nonzero(voxels)
    if entry.get("only_markers") and count != len(entry["markers"]):
        yield f"{count} voxels with a label, {len(entry['markers'])} expected"


def by_affine(affine):
    """`nearest` of a RAS affine."""

    def nearest(world):
        index = np.rint(np.linalg.solve(affine, [*world, 1])[:3]).astype(int)
        return index, (affine @ [*index, 1])[:3]

    return nearest


def by_simpleitk(image):
    """`nearest` of SimpleITK, which counts in LPS."""

    def nearest(world):
        index = image.TransformPhysicalPointToIndex(LPS[:3, :3] @ world)
        return index, LPS[:3, :3] @ image.TransformIndexToPhysicalPoint(index)

    return nearest


def check_geometry(found, expected):
    """Sizes, spacing and, where given, direction cosines against the image's."""
    tolerances = {"sizes": {}, "spacing": {"rtol": SPACING, "atol": 0}, "direction": {"rtol": 0, "atol": DIRECTION}}
    for (what, tolerance), ours, theirs in zip(tolerances.items(), found, expected):
        if not np.allclose(ours, theirs, **tolerance):
            yield f"{what} {ours}, the image's {theirs}"


def raw_header(path):
    """The header as stored: nibabel's images drop the scaling and mend fields."""
    image_class = type(nib.load(path))
    with nib.openers.ImageOpener(path) as file:
        return image_class.header_class.from_fileobj(file, check=False)


def one_volume(dim):
    """The image's dim, or that of its first volume if it has several."""
    return [3, *dim[1:4], 1, 1, 1, 1] if np.prod(dim[4 : dim[0] + 1]) > 1 else dim


def check_header(image, mask):
    """Fields of a NIfTI header."""
    for field in SAME:
        expected = one_volume(image[field]) if field == "dim" else image[field]
        if not np.array_equal(expected, mask[field], equal_nan=True):
            yield f"{field} {mask[field]}, the image's is {image[field]}"
    if mask.get_data_dtype() not in (np.uint8, np.uint16):
        yield f"datatype {mask.get_data_dtype()}"
    for field, expected in {"scl_slope": 1, "scl_inter": 0, "intent_code": 1002}.items():
        if mask[field] != expected:
            yield f"{field} {mask[field]}, not {expected}"
    for field in EMPTY:
        if field in mask.keys() and mask[field].item():
            yield f"{field} {mask[field].item()}"
    if mask.extensions:
        yield f"extensions with codes {mask.extensions.get_codes()}"


def check_nibabel(entry, image, path):
    """NIfTI: header, labels, orientation, spacing."""
    mask = nib.load(path)
    yield from check_header(raw_header(image), raw_header(path))
    image = nib.load(image)
    codes = nib.aff2axcodes(mask.affine), nib.aff2axcodes(image.affine)
    if codes[0] != codes[1]:
        yield f"axes {codes[0]}, the image's are {codes[1]}"
    yield from check_geometry(*((nifti.shape[:3], nifti.header.get_zooms()[:3]) for nifti in (mask, image)))
    yield from check_labels(entry, np.asanyarray(mask.dataobj), by_affine(mask.affine))


def alone(sitk, path):
    """The file read in a folder of its own: where x.nii lies beside x.nii.gz, SimpleITK reads x.nii for both."""
    with tempfile.TemporaryDirectory() as folder:
        return sitk.ReadImage(shutil.copy(path, folder))


def spatial(image, axes):
    """Sizes, spacing and direction of the first axes of a SimpleITK image; of a slice, its direction is cut off."""
    direction = np.reshape(image.GetDirection(), [image.GetDimension()] * 2)[:axes, :axes]
    return image.GetSize()[:axes], image.GetSpacing()[:axes], *([direction] if axes == 3 else [])


def check_simpleitk(sitk, entry, image, path):
    """Labels, geometry (no image if SimpleITK refuses it); names of segments, of which it keeps every character."""
    mask = alone(sitk, path)
    if image:
        axes = min(mask.GetDimension(), image.GetDimension(), 3)
        yield from check_geometry(spatial(mask, axes), spatial(image, axes))
    if mask.GetDimension() == 3:  # to SimpleITK a slice lies nowhere in space
        yield from check_labels(entry, sitk.GetArrayViewFromImage(mask).T, by_simpleitk(mask))
    if path.endswith(".seg.nrrd"):
        for n, segment in enumerate(entry["segments"]):
            if (name := mask.GetMetaData(f"Segment{n}_Name")) != segment["name"]:
                yield f"segment {n} is called {name!r}, not {segment['name']!r}"


def check_pynrrd(nrrd, entry, path):
    """Header and labels of a .seg.nrrd."""
    voxels, header = nrrd.read(path)
    affine = np.eye(4)
    affine[:3] = np.column_stack([header["space directions"].T, header["space origin"]])
    yield from check_labels(entry, voxels, by_affine(LPS @ affine))


def check_slicerio(slicerio, entry, path):
    """Segments of a .seg.nrrd, their order, names, colours and labels."""
    found = slicerio.read_segmentation(path)
    segments = found["segments"]
    if len(segments) != len(entry["segments"]):
        yield f"{len(segments)} segments, {len(entry['segments'])} expected"
    for n, (segment, expected) in enumerate(zip(segments, entry["segments"])):
        name = expected["name"].encode("ascii", "ignore").decode().strip()  # all that pynrrd leaves of a name
        color = [int(expected["color"][i : i + 2], 16) / 255 for i in (1, 3, 5)]
        if segment["name"] != name:
            yield f"segment {n} is called {segment['name']!r}, not {name!r}"
        if segment["labelValue"] != expected["label"]:
            yield f"segment {n} has label {segment['labelValue']}, not {expected['label']}"
        if not np.allclose(segment["color"], color, rtol=0, atol=COLOR):
            yield f"segment {n} has colour {segment['color']}, not {expected['color']}"
    for extent in [segment["extent"] for segment in segments[:1]]:  # 3D Slicer crops the whole layer to it
        low, high = np.reshape(extent, (3, 2)).T
        points = np.argwhere(found["voxels"])
        if ((points < low) | (points > high)).any():
            yield f"the first segment's extent {extent} leaves labels out"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, metavar="DIR")
    folder = parser.parse_args().folder
    sitk, slicerio, nrrd = map(optional, ("SimpleITK", "slicerio", "nrrd"))
    if sitk:
        sitk.ProcessObject.SetGlobalWarningDisplay(False)
    masks, refused, deviations = collections.Counter(), 0, 0
    for entry in json.loads((folder / "manifest.json").read_bytes()):
        image = str(folder / entry["image"])
        try:
            by_sitk = sitk and alone(sitk, image)
        except RuntimeError:
            by_sitk, refused = None, refused + 1
        for output in entry["outputs"]:
            path, seg, checks = str(folder / output), output.endswith(".seg.nrrd"), {}
            if not seg:
                checks["nibabel"] = check_nibabel(entry, image, path)
            if by_sitk or sitk and seg:
                checks["SimpleITK"] = check_simpleitk(sitk, entry, by_sitk, path)
            if seg and nrrd:
                checks["pynrrd"] = check_pynrrd(nrrd, entry, path)
            if seg and nrrd and slicerio:
                checks["slicerio"] = check_slicerio(slicerio, entry, path)
            for reader, check in checks.items():
                masks[reader] += 1
                try:
                    found = list(check)
                except Exception as error:  # whatever keeps a reader from a mask
                    found = [f"{type(error).__name__}: {error}"]
                deviations += len(found)
                for line in found:
                    print(f"{output}: {reader}: {' '.join(line.split())}")
    counts = ", ".join(f"{reader} {count}" for reader, count in masks.items())
    print(f"masks read: {counts}; images refused by SimpleITK: {refused}; deviations: {deviations}")
    return deviations > 0


if __name__ == "__main__":
    sys.exit(main())
