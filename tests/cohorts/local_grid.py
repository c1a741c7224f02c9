"""Flower's grid without a network: messages go to the client app in this process, and are kept as they would be sent."""

from collections.abc import Iterable
from pathlib import Path

from flwr.app import Context, Message, RecordDict
from flwr.supercore.inflatable.inflatable_object import get_all_nested_objects
from flwr.supercore.task_identity import TaskIdentity
from insitu_federated.client_app import app

CASES = ("images", "labels", "check-images", "check-labels")


class LocalGrid:
    """Sites by the numbers of their nodes."""

    def __init__(self, sites: Path, model: Path, insitu: Path, out: Path) -> None:
        TaskIdentity.task_id, TaskIdentity.run_id, TaskIdentity.node_id = 1, 1, 0
        self.sent: list[bytes] = []
        self.contexts: dict[int, Context] = {}
        for number, site in enumerate(sorted(sites.iterdir()), 1):
            own = site / "insitu"
            config: dict[str, bool | float | int | str] = {name: str(site / name) for name in CASES}
            config |= {"model": str(model), "insitu": str(own if own.is_file() else insitu), "out": str(out / site.name)}
            config |= {"log": str(out / f"{site.name}.log")}
            self.contexts[number] = Context(run_id=1, node_id=number, node_config=config, state=RecordDict(), run_config={})

    def get_node_ids(self) -> list[int]:
        """All sites."""
        return list(self.contexts)

    def send_and_receive(self, messages: Iterable[Message], *, timeout: float | None = None) -> list[Message]:  # noqa: ARG002
        """Have each site answer."""
        replies = [app(message, self.contexts[message.metadata.dst_node_id]) for message in messages]
        for reply in replies:
            self.sent += [one.deflate() for one in get_all_nested_objects(reply).values()]
        return replies
