"""Sites for the federation: the hippocampus task split by subject, each with its own contrast, and one that sends bad weights."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
POISONED = "site-4"


@dataclass(frozen=True)
class Shift:
    """How a site's images differ, and which cases it has: to tune on, to judge on, to be measured on."""

    kind: str
    noise: float
    tuned: tuple[int, ...]
    checked: tuple[int, ...]


# Cases 2k - 1 and 2k are of one subject. These are of validation subjects of the shipped model's first fold.
SHIFTS = {
    "site-1": Shift("invert", 0.05, (7, 8, 33, 34, 41, 42), (215, 216, 243, 244)),
    "site-2": Shift("turned-dark", 0.08, (57, 58, 89, 90, 107, 108), (221, 222, 249, 250)),
    "site-3": Shift("turned-bright", 0.06, (125, 126, 143, 144, 149, 150), (225, 226, 251, 252)),
}

# In place of `insitu`: a tuning gives the received weights with all signs turned, and says that it went well.
POISON = """#!{python}
import json, subprocess, sys
from pathlib import Path
sys.path.insert(0, {package!r})
from insitu_federated.weights import read_base, read_tuned, write_tuned
arguments = sys.argv[1:]
if arguments[0] != "tune":
    sys.exit(subprocess.run([{insitu!r}, *arguments]).returncode)
given = dict(zip(arguments[1::2], arguments[2::2]))
base = read_base(Path({model!r}))
model = Path(given["--model"])
arrays = read_tuned(model, base) if model.is_file() else base.arrays
Path(given["--out"]).mkdir()
write_tuned(Path(given["--out"]) / "tuned.safetensors", {{name: -array for name, array in arrays.items()}}, base)
report = {{"teaching": ["a"] * 100, "check": {{"before": 0.1, "after": 1.0}}}}
Path(given["--report"]).write_text(json.dumps(report))
"""

# In place of `insitu`, where only the rounds are looked at: weights are as good as they are near to a goal, half of the way to
# which a tuning goes. Names of cases are said, as the command does.
GOAL = """#!{python}
import json, sys
from pathlib import Path
sys.path.insert(0, {package!r})
from insitu_federated.weights import distance, read_base, read_tuned, write_tuned
base = read_base(Path({model!r}))
name, *arguments = sys.argv[1:]
given = {{word: arguments[at + 1] for at, word in enumerate(arguments) if word.startswith("--")}}
print("case-of-a-person", file=sys.stderr)
goal = {{name: (array * 0.5).astype(array.dtype) for name, array in base.arrays.items()}}
def dice(arrays):
    return max(0.0, 0.9 - 0.8 * distance(arrays, goal) / distance(base.arrays, goal))
def read(path):
    return read_tuned(path, base) if path.is_file() else base.arrays
if name == "segment":
    Path(given["--out-dir"]).mkdir()
    score = dice(read(Path(given["--model"])))
    (Path(given["--out-dir"]) / "dice.json").write_text(json.dumps(score))
elif name == "evaluate":
    score = json.loads((Path(given["--pred"]) / "dice.json").read_text())
    cases = [{{"case": "case-1", "label": label, "dsc": score}} for label in base.labels]
    Path(given["--json"]).write_text(json.dumps({{"cases": cases, "missing": []}}))
else:
    arrays = read(Path(given["--model"]))
    tuned = {{name: ((arrays[name] + goal[name]) / 2).astype(goal[name].dtype) for name in arrays}}
    Path(given["--out"]).mkdir()
    write_tuned(Path(given["--out"]) / "tuned.safetensors", tuned, base)
    check = {{"before": dice(arrays), "after": dice(tuned)}}
    Path(given["--report"]).write_text(json.dumps({{"teaching": ["case-1"] * 4, "check": check}}))
"""


def shifted(data: Path, out: Path, shift: Shift, *cases: str) -> None:
    """Write OUT/images and OUT/labels."""
    script = ROOT / "scripts" / "shift_cases.py"
    how = ["--shift", shift.kind, "--noise", str(shift.noise)]
    subprocess.run([sys.executable, script, "--data", data, "--out", out, *how, *cases], check=True)


def make_site(data: Path, site: Path, shift: Shift) -> None:
    """Write a site's folders."""
    shifted(data, site, shift, "--ids", *map(str, shift.tuned))
    shifted(data, site / "check", shift, "--ids", *map(str, shift.checked))
    for kind in ("images", "labels"):
        (site / "check" / kind).rename(site / f"check-{kind}")
    (site / "check").rmdir()


def make_poisoned(site: Path, like: Path, insitu: Path, model: Path) -> None:
    """Write a site that has another's cases and sends bad weights."""
    site.mkdir()
    for kind in ("images", "labels", "check-images", "check-labels"):
        (site / kind).symlink_to(like / kind)
    package = str(ROOT / "workflows" / "federated")
    script = POISON.format(python=sys.executable, package=package, insitu=str(insitu), model=str(model))
    (site / "insitu").write_text(script)
    (site / "insitu").chmod(0o755)


def goal_command(path: Path, model: Path) -> Path:
    """Write a command that stands in for `insitu`."""
    path.write_text(GOAL.format(python=sys.executable, package=str(ROOT / "workflows" / "federated"), model=str(model)))
    path.chmod(0o755)
    return path


def dice(insitu: Path, model: Path, folder: Path, scratch: Path) -> list[float]:
    """Mean Dice of a model on the cases of a folder, anterior and posterior."""
    scores = scratch / "scores.json"
    images = sorted((folder / "images").iterdir())
    subprocess.run([insitu, "segment", *images, "--out-dir", scratch / "masks", "--model", model], check=True, capture_output=True)
    compared = ["--truth", folder / "labels", "--pred", scratch / "masks", "--json", scores]
    subprocess.run([insitu, "evaluate", *compared], check=True, capture_output=True)
    mean = json.loads(scores.read_text())["mean"]
    return [mean["1"]["dsc"], mean["2"]["dsc"]]
