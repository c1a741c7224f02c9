"""A site: where its cases are, and what it lets `insitu` do with them. Only the site itself says so, by --node-config."""

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .weights import Arrays, Base, read_base, read_tuned, write_tuned

FOLDERS = ("model", "images", "labels", "check-images", "check-labels")

# Exit statuses of `insitu`.
DONE, SOME_FAILED, NOTHING_DONE, REFUSED = 0, 1, 2, 3


class SiteError(Exception):
    """What the server may be told of a failure: no name and no path of the site is in its words."""


@dataclass(frozen=True)
class Tuned:
    """What came of a tuning; no weights where the site's own guard refused them."""

    arrays: Arrays | None
    cases: int
    before: float
    after: float


@dataclass(frozen=True)
class Site:
    """A site's folders and the command that works on them."""

    base: Base
    images: Path
    labels: Path
    check_images: Path
    check_labels: Path
    insitu: str
    log: Path | None
    threads: int
    out: Path | None

    @staticmethod
    def of(config: dict) -> "Site":
        """Read --node-config. Raises SiteError for a folder that is not there."""
        missing = [name for name in FOLDERS if not Path(str(config.get(name) or "/nowhere")).is_dir()]
        if missing:
            raise SiteError(f"--node-config of this site: expected folders that exist as {', '.join(missing)}")
        model, *folders = (Path(str(config[name])) for name in FOLDERS)
        optional = {name: Path(str(config[name])) if config.get(name) else None for name in ("log", "out")}
        command = str(config.get("insitu", "insitu"))
        return Site(read_base(model), *folders, command, optional["log"], int(config.get("threads", 0)), optional["out"])

    def run(self, *arguments: str | Path | float) -> int:
        """Run `insitu`; its words go to the site's log. Gives the exit status.

        It gives way to all else: a SuperNode that says no word as the cores are full is taken for dead.
        """
        env = os.environ | {"INSITU_MODELS": str(self.base.folder.parent)}
        if self.threads:
            env["RAYON_NUM_THREADS"] = str(self.threads)
        polite = ["nice", "-n", "10"] if shutil.which("nice") else []
        command = [*polite, self.insitu, *map(str, arguments)]
        try:
            done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        except OSError as error:
            raise SiteError(f"insitu cannot be started at this site ({type(error).__name__})") from None
        if self.log:
            with self.log.open("a") as log:
                log.write(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}exit status {done.returncode}\n")
        return done.returncode

    def tune(self, arrays: Arrays, steps: int, seed: int, min_gain: float) -> Tuned:
        """Tune from these weights on the site's cases; the command's own guard may refuse what comes of it."""
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            report = folder / "report.json"
            status = self.run(
                *("tune", "--model", self.model(arrays, folder), "--images", self.images, "--labels", self.labels),
                *("--out", folder / "tuned", "--report", report, "--steps", steps, "--seed", seed, "--min-gain", min_gain),
            )
            if status not in (DONE, REFUSED) or not report.is_file():
                raise SiteError(f"insitu tune ended with status {status}; the site's log says why")
            found = json.loads(report.read_text())
            check = found["check"] or {"before": 0.0, "after": 0.0}
            tuned = read_tuned(folder / "tuned" / "tuned.safetensors", self.base) if status == DONE else None
            return Tuned(tuned, len(found["teaching"]), check["before"], check["after"])

    def dice(self, arrays: Arrays) -> list[float]:
        """Mean Dice, by label, on the cases that are held out; a case without a mask counts as 0."""
        images = sorted(path for path in self.check_images.iterdir() if not path.name.startswith("."))
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            model = self.model(arrays, folder)
            masks, scores = folder / "masks", folder / "scores.json"
            if self.run("segment", *images, "--out-dir", masks, "--model", model) == NOTHING_DONE:
                return [0.0 for _ in self.base.labels]
            status = self.run("evaluate", "--truth", self.check_labels, "--pred", masks, "--json", scores)
            if status not in (DONE, SOME_FAILED):
                raise SiteError(f"insitu evaluate ended with status {status}; the site's log says why")
            found = json.loads(scores.read_text())
            missing = len(found["missing"])
            rows = [[row["dsc"] for row in found["cases"] if row["label"] == label] for label in self.base.labels]
            return [sum(row) / max(len(row) + missing, 1) for row in rows]

    def checked(self) -> int:
        """The number of cases that are held out."""
        return sum(not path.name.startswith(".") for path in self.check_images.iterdir())

    def model(self, arrays: Arrays, folder: Path) -> Path:
        """Weights as something that `--model` takes."""
        path = folder / "received.safetensors"
        return path if write_tuned(path, arrays, self.base) else self.base.folder
