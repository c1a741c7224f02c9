"""Data sets in BIDS form for the workflow: made ones, and ones of images that are there."""

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def made(root: Path, scans: int) -> list[Path]:
    """Write scans of made participants, two sessions each; the last two have no mask, as one is cut and one is a series."""
    subprocess.run(["node", ROOT / "scripts" / "make-bids.mjs", root, str(scans)], check=True, capture_output=True)
    return sorted(root.glob("sub-*/ses-*/anat/*_T1w.nii.gz"))


def linked(root: Path, images: list[Path], copies: int) -> int:
    """Write a data set of images that are there, each so many times. Gives the number of scans."""
    root.mkdir(parents=True)
    about = {"Name": "copies", "BIDSVersion": "1.10.0", "DatasetType": "raw"}
    (root / "dataset_description.json").write_text(json.dumps(about))
    for number, image in enumerate(images * copies):
        path = root / f"sub-{number + 1:04}" / "anat" / f"sub-{number + 1:04}_T1w.nii.gz"
        path.parent.mkdir(parents=True)
        path.symlink_to(image)
    return len(images) * copies
