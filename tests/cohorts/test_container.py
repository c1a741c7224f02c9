"""The image of the container: what its last stage copies is all that a BIDS App needs beside the C library."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from bids_data import made
from not_run import cannot_run

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "workflows" / "bids" / "Containerfile"


def libraries(program: Path) -> list[Path]:
    """What a program is linked with: the base image has them."""
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return [Path(path) for path in re.findall(r"(/\S+\.so\S*)", said)]


def filled(folder: Path, insitu: Path) -> tuple[dict[str, str], list[str]]:
    """Carry out the last stage's COPY. Gives ENV and ENTRYPOINT."""
    env: dict[str, str] = {}
    entry: list[str] = []
    stage = FILE.read_text().rsplit("\nFROM ", 1)[1].splitlines()[1:]
    for line in stage:
        word, _, rest = line.partition(" ")
        if word == "COPY":
            *_, source, target = rest.split()
            place = folder / target.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            if "--from=build" in rest:
                shutil.copy2(insitu, place)
            else:
                shutil.copytree(ROOT / source, place)
        elif word == "ENV":
            name, _, value = rest.partition("=")
            env[name] = value
        elif word == "ENTRYPOINT":
            entry = json.loads(rest)
        else:
            raise ValueError(f"{FILE}: found {line!r}, expected COPY, ENV or ENTRYPOINT")
    return env, entry


def test_what_the_image_holds_is_a_bids_app_in_an_empty_root(insitu: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    chroot = shutil.which("chroot")
    if not chroot or os.geteuid() != 0:
        cannot_run(request.node.name, "machine", "only root can change the root folder")
    if subprocess.run([insitu, "bids", "--help"], capture_output=True, check=False).returncode != 0:
        cannot_run(request.node.name, "build", f"{insitu} is of before `insitu bids`")
    root = tmp_path / "root"
    env, entry = filled(root, insitu)
    for library in libraries(insitu):
        place = root / str(library).lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, place)
    scans = made(root / "bids_dir", 4)
    (root / "output_dir").mkdir()
    for level, status in (("participant", 1), ("group", 0)):
        command = [chroot, str(root), *entry, "/bids_dir", "/output_dir", level]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
    assert len(list((root / "output_dir").rglob("*_dseg.nii.gz"))) == len(scans) - 2
    assert (root / "output_dir" / "group.html").is_file()
