"""What the tests of the workflows share."""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "workflows" / "federated"), str(ROOT / "workflows" / "bids" / "workflow")]

from not_run import cannot_run  # noqa: E402


@pytest.fixture
def insitu(request: pytest.FixtureRequest) -> Path:
    """The built command, or what INSITU names."""
    path = Path(os.environ.get("INSITU") or ROOT / "target" / "release" / "insitu")
    if not path.is_file():
        cannot_run(request.node.name, "build", f"there is no {path} (cargo build --release --features cli)")
    return path.resolve()


@pytest.fixture
def task04(request: pytest.FixtureRequest) -> Path:
    """The hippocampus task, which is not in the repository."""
    path = Path(os.environ.get("INSITU_DATA") or ROOT / ".." / "shared" / "data") / "Task04_Hippocampus"
    if not path.is_dir():
        cannot_run(request.node.name, "data", f"there is no {path}")
    return path.resolve()
