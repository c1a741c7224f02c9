"""What a test does where it cannot run, as tests/not-run.mjs: it says so, and fails where INSITU_REQUIRE lists the need."""

import os
from pathlib import Path

import pytest


def cannot_run(test: str, need: str, why: str) -> None:
    """Skip the test, or fail it where it has to run."""
    if need in (os.environ.get("INSITU_REQUIRE") or "").split(","):
        pytest.fail(f"not run, but INSITU_REQUIRE lists {need}: {why}")
    listed = os.environ.get("INSITU_NOT_RUN")
    if listed:
        with Path(listed).open("a") as file:
            file.write(f"{need}\t{test}\t{why}\n")
    pytest.skip(f"not run: {why}")
