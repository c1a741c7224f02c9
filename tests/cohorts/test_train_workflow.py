"""Training by one config file: ends in a packed model that segments, and goes on where it was killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TRAIN = ROOT / "workflows" / "train"
ENV = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def call(folder: Path, config: Path, *more: str) -> list[str]:
    """A call of the workflow."""
    snakemake = [sys.executable, "-m", "snakemake", "--snakefile", str(TRAIN / "Snakefile"), "--configfile", str(config)]
    return [*snakemake, "--directory", str(folder), "--cores", "2", *more]


def run(folder: Path, config: Path, *more: str) -> str:
    """Run the workflow to its end."""
    done = subprocess.run(call(folder, config, *more), env=ENV, capture_output=True, text=True, check=False)
    logs = "".join(path.read_text() for path in folder.glob("logs/*.log"))
    assert done.returncode == 0, done.stdout + done.stderr + logs
    return done.stdout + done.stderr


def configured(tmp_path: Path, insitu: Path) -> Path:
    """Phantoms, and a config file for networks that learn them in a minute."""
    made = [insitu, "phantom", "--task", "Task04", "--out", tmp_path / "phantoms", "--cases", "8", "--test", "3"]
    subprocess.run(made, check=True, capture_output=True)
    config = {
        **{"insitu": str(insitu), "task": str(tmp_path / "phantoms"), "folds": 2, "train": [0, 1], "seed": 1, "threads": 1},
        **{stage: {"base": 4, "steps": steps, "options": ""} for stage, steps in (("patch", 140), ("whole", 60))},
        "test": {"images": str(tmp_path / "phantoms" / "imagesTs"), "labels": str(tmp_path / "phantoms" / "labelsTs"), "options": ""},
        **{"memory_mb": 1000, "minutes": 10},
    }
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    return path


def weights(folder: Path) -> dict[str, object]:
    """The weights of a packed model: the header of each file, whose entries stand in any order, and its numbers."""
    found: dict[str, object] = {}
    for path in sorted((folder / "model").glob("*.safetensors")):
        content = path.read_bytes()
        end = 8 + int.from_bytes(content[:8], "little")
        found[path.name] = (json.loads(content[8:end]), content[end:])
    return found


def test_all_folds_of_both_stages_end_in_a_model_that_segments_and_a_killed_training_in_the_same(insitu: Path, tmp_path: Path) -> None:
    config = configured(tmp_path, insitu)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    since = time.monotonic()
    run(whole, config)
    print(f"both stages of two folds, {time.monotonic() - since:.0f} s")
    card = json.loads((whole / "model" / "model.json").read_text())
    assert [fold["fold"] for fold in card["stages"]["patch"]["folds"]] == [0, 1]
    assert sorted(weights(whole)) == ["patch-0.safetensors", "patch-1.safetensors", "whole-0.safetensors", "whole-1.safetensors"]
    mean = json.loads((whole / "scores.json").read_text())["mean"]
    print(f"Dice on phantoms that nobody trained on: {mean['1']['dsc']:.3f} {mean['2']['dsc']:.3f}")
    assert min(mean["1"]["dsc"], mean["2"]["dsc"]) > 0.15
    assert {path.name for path in (whole / "logs").glob("*.log")} >= {"patch-0.log", "whole-1.log", "pack.log", "evaluate.log"}
    assert "Nothing to be done" in run(whole, config)

    killed.mkdir()
    child = subprocess.Popen(call(killed, config), env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    log = killed / "logs" / "patch-0.log"
    while child.poll() is None and not (log.is_file() and "epoch 3 " in log.read_text()):
        time.sleep(0.05)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    assert not (killed / "done" / "patch-0").exists()
    run(killed, config, "--unlock")
    run(killed, config)
    # Snakemake begins a job's log anew; the training began where it was.
    assert "epoch 4 " in log.read_text() and "epoch 1 " not in log.read_text(), log.read_text()
    epochs = [path.read_text().count("\n") for path in ((folder / "logs" / "patch-0.csv") for folder in (whole, killed))]
    assert epochs[0] == epochs[1]
    assert weights(killed) == weights(whole)
