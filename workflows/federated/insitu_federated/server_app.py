"""The server: it has the model, and no case."""

from pathlib import Path

from flwr.app import Context
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from .rounds import Rounds
from .weights import read_base

app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    """Run the rounds that --run-config asks for."""
    config = context.run_config
    for name in ("model", "out"):
        if not str(config[name]):
            raise ValueError(f'--run-config: found no {name}, expected {name}="FOLDER"')
    out = Path(str(config["out"]))
    out.mkdir(parents=True, exist_ok=True)
    sites = int(config["sites"])
    strategy = FedAvg(min_train_nodes=sites, min_evaluate_nodes=sites, min_available_nodes=sites)
    numbers = (int(config["steps"]), *(float(config[name]) for name in ("min-gain", "max-fall", "timeout")))
    Rounds(grid, read_base(Path(str(config["model"]))), strategy, out, *numbers).run(int(config["rounds"]))
