"""The workflow of a cohort: the same masks as the plain command, goes on after it was killed, and what it asks a cluster for."""

import csv
import os
import signal
import subprocess
import sys
import time
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import pytest
from bids_data import linked, made
from not_run import cannot_run

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / "workflows" / "bids" / "run.py"
MODELS = ROOT / "pkg" / "models"
ENV = os.environ | {"INSITU_MODELS": str(MODELS), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def bids(insitu: Path, request: pytest.FixtureRequest) -> Path:
    """The command, where it has `insitu bids`."""
    if subprocess.run([insitu, "bids", "--help"], capture_output=True, check=False).returncode != 0:
        cannot_run(request.node.name, "build", f"{insitu} is of before `insitu bids`")
    return insitu


def call(*arguments: object) -> list[str]:
    """A call of the workflow."""
    return [sys.executable, *map(str, (RUN, *arguments))]


def run(*arguments: object) -> str:
    """Run the workflow to its end. Gives what it says."""
    done = subprocess.run(call(*arguments), env=ENV, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def plain(insitu: Path, *arguments: object) -> None:
    """Run `insitu bids` by itself; some scans may fail."""
    done = subprocess.run([insitu, "bids", *map(str, arguments)], env=ENV, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr


def masks(out: Path) -> dict[str, bytes]:
    """The masks of a folder of derivatives."""
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*_dseg.nii.gz"))}


def times(out: Path) -> dict[str, int]:
    """When masks were written."""
    return {str(path.relative_to(out)): path.stat().st_mtime_ns for path in out.rglob("*_dseg.nii.gz")}


def test_two_cores_give_the_masks_of_the_plain_command_byte_for_byte(bids: Path, tmp_path: Path) -> None:
    scans = made(tmp_path / "data", 12)
    plain(bids, tmp_path / "data", tmp_path / "plain", "participant")
    plain(bids, tmp_path / "data", tmp_path / "plain", "group")
    out = tmp_path / "out"
    run(tmp_path / "data", out, "participant", "--insitu", bids, "--cores", 2)
    said = run(tmp_path / "data", out, "group", "--insitu", bids, "--cores", 2)
    assert len(masks(out)) == len(scans) - 2 and masks(out) == masks(tmp_path / "plain"), said
    tables = [list(csv.DictReader((folder / "group.tsv").open(), delimiter="\t")) for folder in (out, tmp_path / "plain")]
    assert len(tables[0]) == len(scans) and tables[0] == tables[1]
    assert len(list((out / "code" / "logs").glob("sub-*.log"))) == len(scans)
    before = times(out)
    assert "Nothing to be done" in run(tmp_path / "data", out, "participant", "--insitu", bids, "--cores", 2)
    scans[0].write_bytes(scans[2].read_bytes())
    run(tmp_path / "data", out, "participant", "--insitu", bids, "--cores", 2)
    after = times(out)
    assert [name for name in before if before[name] != after[name]] == ["sub-01/ses-A/anat/sub-01_ses-A_desc-hippocampus_dseg.nii.gz"]


def test_a_killed_run_goes_on(bids: Path, tmp_path: Path) -> None:
    made(tmp_path / "data", 12)
    out = tmp_path / "out"
    arguments = (tmp_path / "data", out, "participant", "--insitu", bids)
    child = subprocess.Popen(
        call(*arguments, "--cores", 1), env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    while len(list(out.glob("code/done/*"))) < 3 and child.poll() is None:
        time.sleep(0.02)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    done = {path.name for path in out.glob("code/done/*")}
    before = times(out)
    assert 3 <= len(done) < 12
    # As where it was killed after a job's mark was there, and before Snakemake had noted it: by name, which it holds as base64.
    noted = b64encode(f"code/done/{sorted(done)[0]}".encode()).decode()
    (out / ".snakemake" / "incomplete" / noted).write_text('{"external_jobid": null}')
    run(*arguments, "--unlock")
    run(*arguments, "--cores", 2)
    assert len(list(out.glob("code/done/*"))) == 12
    plain(bids, tmp_path / "data", tmp_path / "plain", "participant")
    assert masks(out) == masks(tmp_path / "plain")
    kept = [name for name in before if any(job in name.replace("/", "_") for job in done)]
    assert kept and all(times(out)[name] == before[name] for name in kept)


def test_a_dry_run_for_slurm_has_the_right_jobs(tmp_path: Path) -> None:
    made(tmp_path / "data", 12)
    slurm = ("--executor", "slurm", "--jobs", 10, "-n", "--default-resources", "slurm_account=lab")
    each = run(tmp_path / "data", tmp_path / "out", "participant", *slurm)
    assert each.count("rule segment:") == 12 and each.count("slurm_account=lab") >= 12
    for label in ("sub-01_ses-A", "sub-06_ses-B"):
        assert f"output: code/done/{label}" in each
    batches = run(tmp_path / "data", tmp_path / "out", "group", "--batch", 4, *slurm)
    assert batches.count("rule segment:") == 2 and batches.count("rule group:") == 1
    assert "runtime=45" in batches and "mem_mb=4000" in batches
    one = run(tmp_path / "data", tmp_path / "out", "participant", "--participant-label", "03", "--session-label", "B", *slurm)
    assert one.count("rule segment:") == 1 and "output: code/done/sub-03_ses-B" in one


def test_what_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    made(tmp_path / "data", 4)
    for wrong, word in ((("--participant-label", "77"), "found 77, expected"), (("--suffix", "FLAIR"), "found no image *_FLAIR")):
        done = subprocess.run(
            call(tmp_path / "data", tmp_path / "out", "participant", "-n", *wrong), env=ENV, capture_output=True, text=True, check=False
        )
        assert done.returncode != 0 and word in done.stdout + done.stderr


# In place of `insitu`: runs it, and writes how long it took into a file: seconds, and those of the processor.
TIMED = """#!{python}
import resource, subprocess, sys, time
since = time.monotonic()
status = subprocess.run([{insitu!r}, *sys.argv[1:]]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open({file!r}, "a") as file:
    file.write(f"{{time.monotonic() - since}} {{used.ru_utime + used.ru_stime}}\\n")
sys.exit(status)
"""


@dataclass(frozen=True)
class Time:
    """Seconds of the longest call of the command, of all its calls on processors, and with all around them."""

    longest: float
    processor: float
    total: float


@dataclass(frozen=True)
class Stopwatch:
    """The command, timed."""

    command: Path
    file: Path

    @staticmethod
    def of(insitu: Path, folder: Path) -> "Stopwatch":
        """Write the command that stands in for it."""
        watch = Stopwatch(folder / "insitu", folder / "seconds.txt")
        watch.command.write_text(TIMED.format(python=sys.executable, insitu=str(insitu), file=str(watch.file)))
        watch.command.chmod(0o755)
        return watch

    def __call__(self, words: list[object]) -> Time:
        """Run what calls it."""
        self.file.write_text("")
        since = time.monotonic()
        subprocess.run([str(word) for word in words], env=ENV, capture_output=True, check=True)
        total = time.monotonic() - since
        calls = [[float(word) for word in line.split()] for line in self.file.read_text().splitlines()]
        return Time(max(wall for wall, _ in calls), sum(used for _, used in calls), total)

    def workflow(self, data: Path, out: Path, *how: object) -> Time:
        """Run the workflow into a new folder."""
        return self(call(data, out, "participant", "--suffix", "T1w", "--insitu", self.command, "--cores", 2, "--quiet", "all", *how))


def least(times: list[Time]) -> Time:
    """The least of each: what else the machine does only adds to it."""
    return Time(*(min(getattr(one, name) for one in times) for name in ("longest", "processor", "total")))


def test_scans_in_a_batch_take_as_long_as_in_one_process(bids: Path, task04: Path, tmp_path: Path) -> None:
    images = sorted((task04 / "imagesTs").glob("*.nii.gz"))
    watch = Stopwatch.of(bids, tmp_path)
    ratios = []
    for copies in map(int, os.environ.get("INSITU_COPIES", "1").split(",")):
        root = tmp_path / str(copies)
        count = linked(root / "data", images, copies)
        scans = sorted((root / "data").glob("sub-*/anat/*.nii.gz"))
        ones, jobs = [], []
        # By turns, so that both meet the same machine.
        for turn in range(int(os.environ.get("INSITU_PAIRS", "3" if copies == 1 else "1"))):
            ones.append(watch([watch.command, "segment", *scans, "--out-dir", root / f"segment-{turn}"]))
            jobs.append(watch.workflow(root / "data", root / f"batch-{turn}", "--batch", count, "--threads-per-job", 2))
        one, job = least(ones), least(jobs)
        ratios.append(job.processor / one.processor)
        print(f"{count} scans: insitu segment {one.longest:.1f} s, {one.processor:.1f} s of processors;", end=" ")
        print(f"one job {job.longest:.1f} s, {job.processor:.1f} s of processors, with Snakemake {job.total:.1f} s", end="; ")
        print(
            "pairs: " + ", ".join(f"{b.longest / a.longest:.2f} ({b.processor / a.processor:.2f})" for a, b in zip(ones, jobs, strict=True))
        )
        if copies == 1:
            for name, how in (("two jobs of one thread", ("--batch", (count + 1) // 2)), ("a job each", ())):
                found = watch.workflow(root / "data", root / name, *how)
                print(f"{count} scans, {name}: {found.processor:.1f} s of processors, with Snakemake {found.total:.1f} s")
    # A bound that a busy machine keeps, too.
    assert min(ratios) < 1.25, ratios
