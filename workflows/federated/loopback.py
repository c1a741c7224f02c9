"""Try federated tuning on one machine: one SuperLink and a SuperNode for each folder of a site, all on 127.0.0.1.

    python workflows/federated/made_sites.py SITES
    python workflows/federated/loopback.py SITES --model pkg/models/hippocampus --out OUT --insitu target/release/insitu

SITES has a folder for each site with images, labels, check-images and check-labels, and may have a file `insitu` that the
site runs in place of the command. No TLS, as nothing leaves the machine: not for use between machines (docs/federated.md).
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOLS = Path(sys.executable).parent
PATIENCE = 600  # seconds
TRIES = 5
CASES = ("images", "labels", "check-images", "check-labels")


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def environment(home: Path) -> dict[str, str]:
    """Flower's own folder apart for each process, and no word to its makers."""
    home.mkdir(parents=True, exist_ok=True)
    path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"
    quiet = {"FLWR_TELEMETRY_ENABLED": "0", "FLWR_DISABLE_UPDATE_CHECK": "1"}
    return os.environ | {"FLWR_HOME": str(home), "PATH": path} | quiet


def config_text(values: dict[str, object]) -> str:
    """Values as Flower's command line takes them."""
    return " ".join(f'{name}="{value}"' if isinstance(value, (str, Path)) else f"{name}={value}" for name, value in values.items())


class Loopback:
    """The processes of a federation, ended together."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.processes: list[subprocess.Popen] = []

    def __enter__(self) -> "Loopback":
        self.out.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()

    def start(self, name: str, *command: str) -> None:
        """Start one of Flower's programs, whose words go to OUT/NAME.log."""
        with (self.out / f"{name}.log").open("w") as log:
            env = environment(self.out / "flwr" / name)
            tool, *arguments = command
            # Sessions of their own, as if on machines of their own: Ctrl-C ends them here, in order.
            process = subprocess.Popen([TOOLS / tool, *arguments], env=env, stdout=log, stderr=log, start_new_session=True)
            self.processes.append(process)

    def link(self) -> int:
        """Start the SuperLink. Gives its port."""
        port = free_port()
        serving = ["--isolation", "subprocess", "--disable-runtime-dependency-installation"]
        self.start("superlink", "flower-superlink", "--insecure", *serving, "--host", "127.0.0.1", "--port", str(port))
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                    return port
            except OSError:
                time.sleep(0.2)
        raise RuntimeError(f"{self.out / 'superlink.log'}: the SuperLink does not answer")

    def node(self, site: Path, model: Path, insitu: str, port: int, threads: int) -> None:
        """Start the SuperNode of a site."""
        own = site / "insitu"
        values: dict[str, object] = {name: site / name for name in CASES}
        values |= {"model": model, "insitu": str(own) if own.is_file() else insitu, "threads": threads}
        values |= {"log": self.out / f"{site.name}-insitu.log", "out": self.out / site.name}
        where = ["--superlink", f"127.0.0.1:{port}", "--port", str(free_port())]
        self.start(site.name, "flower-supernode", "--insecure", *where, "--node-config", config_text(values))

    def run(self, port: int, config: dict[str, object]) -> int:
        """Run the app until it ends. Gives the exit status."""
        env = environment(self.out / "flwr" / "cli")
        connection = f'[superlink]\ndefault = "loopback"\n\n[superlink.loopback]\naddress = "127.0.0.1:{port}"\ninsecure = true\n'
        (self.out / "flwr" / "cli" / "config.toml").write_text(connection)
        command = [TOOLS / "flwr", "run", HERE, "loopback", "--stream", "--run-config", config_text(config)]
        path = self.out / "run.log"
        for _ in range(TRIES):
            with path.open("w") as log:
                status = subprocess.run(command, env=env, stdout=log, stderr=log, check=False).returncode
            # A machine whose cores are full may answer too late.
            if "SuperLink is unavailable" not in path.read_text():
                break
        return status


def main() -> None:
    """Run a federation of made or own sites."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sites", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--insitu", default="insitu")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--max-fall", type=float, default=0.02)
    arg = parser.parse_args()
    sites = sorted(path.resolve() for path in arg.sites.iterdir() if path.is_dir())
    model, out = arg.model.resolve(), arg.out.resolve()
    insitu = str(Path(arg.insitu).resolve()) if os.sep in arg.insitu else arg.insitu
    config: dict[str, object] = {"model": model, "out": out, "sites": len(sites), "rounds": arg.rounds}
    config |= {"steps": arg.steps, "max-fall": arg.max_fall}
    with Loopback(out) as loopback:
        port = loopback.link()
        for site in sites:
            loopback.node(site, model, insitu, port, arg.threads)
        status = loopback.run(port, config)
    found = out / "rounds.json"
    ended = len(json.loads(found.read_text())) if found.is_file() else 0
    if status or ended < arg.rounds:
        sys.exit(f"{ended} of {arg.rounds} rounds ended: {out / 'run.log'} says why")
    print(f"{found}\n{out / 'merged.safetensors'}")


if __name__ == "__main__":
    main()
