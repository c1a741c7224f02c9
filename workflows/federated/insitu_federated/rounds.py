"""The rounds: what is sent, what is averaged, and what comes to hold."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MessageType, RecordDict
from flwr.serverapp import Grid
from flwr.serverapp.strategy import FedAvg
from flwr.supercore import log

from .guard import Decision, Verdict, decide
from .weights import Arrays, Base, distance, objection, rounded, write_tuned
from .wire import arrays_of, record

INFO, WARNING = 20, 30
KEEP = f"{MessageType.QUERY}.keep"


def megabytes(messages: Iterable[Message]) -> float:
    """The arrays of messages, in MB (10^6 bytes)."""
    records = (record for message in messages if message.has_content() for record in message.content.array_records.values())
    return sum(len(array.data) for record in records for array in record.values()) / 1e6


@dataclass
class Rounds:
    """Federated averaging under the guard of the sites."""

    grid: Grid
    base: Base
    strategy: FedAvg
    out: Path
    steps: int
    min_gain: float
    max_fall: float
    timeout: float
    history: list[dict] = field(default_factory=list)

    def run(self, rounds: int) -> Arrays:
        """Go through all rounds. Gives the weights that hold in the end, which the sites get too."""
        holds = self.base.arrays
        for number in range(1, rounds + 1):
            holds = self.round(number, holds)
            write_tuned(self.out / "merged.safetensors", holds, self.base)
            (self.out / "rounds.json").write_text(json.dumps(self.history, indent=1) + "\n")
        nodes = list(self.grid.get_node_ids())
        self.send(nodes, holds, KEEP, ConfigRecord())
        return holds

    def round(self, number: int, holds: Arrays) -> Arrays:
        """One round. Gives the mean of what the sites learned, or what held before."""
        config = ConfigRecord({"steps": self.steps, "min-gain": self.min_gain})
        sent = list(self.strategy.configure_train(number, record(holds), config, self.grid))
        replies = list(self.grid.send_and_receive(sent, timeout=self.timeout))
        usable, left_out = self.usable(replies)
        entry: dict = {
            "round": number,
            "sites": [self.told(reply) for reply in usable],
            "left_out": left_out,
            "megabytes_to_sites": megabytes(sent),
            "megabytes_from_sites": megabytes(replies),
            "judged": [],
            "holds": False,
        }
        self.history.append(entry)
        if not usable:
            log(WARNING, "round %s: no site learned anything", number)
            return holds
        for candidate, judges, without in self.candidates(number, usable, [message.metadata.dst_node_id for message in sent]):
            decision, verdicts = self.judge(candidate, judges)
            entry["judged"].append({"without": without, **asdict(decision), "verdicts": [asdict(one) for one in verdicts]})
            log(INFO, "round %s, without %s: %s", number, without or "none", decision.reason)
            if decision.holds:
                entry["holds"] = True
                return candidate
        return holds

    def usable(self, replies: list[Message]) -> tuple[list[Message], list[dict]]:
        """The replies with weights of the model, and why the others have none."""
        usable, left_out = [], []
        for reply in replies:
            why = self.objection(reply)
            if why:
                left_out.append({"site": reply.metadata.src_node_id, "reason": why})
                log(WARNING, "site %s is left out: %s", reply.metadata.src_node_id, why)
            else:
                usable.append(reply)
        return usable, left_out

    def objection(self, reply: Message) -> str | None:
        """Why a reply cannot be averaged."""
        if reply.has_error():
            return str(reply.error.reason)
        if not reply.content["metrics"]["accepted"]:
            return "its own guard refused what it learned"
        if "arrays" not in reply.content:
            return "no weights"
        if not float(reply.content["metrics"]["num-examples"]) > 0:
            return "no cases"
        return objection(arrays_of(reply.content["arrays"]), self.base)

    def candidates(self, number: int, usable: list[Message], asked: list[int]) -> Iterable[tuple[Arrays, list[int], list[int]]]:
        """Means to be judged: of all sites; where it does not hold, without one of them, the one farthest from the rest first.

        Who is left out does not judge: a site that sends bad weights shall not bar those of the others either.
        """
        yield self.mean(number, usable), asked, []
        if len(usable) < 2:
            return
        means = [(reply, self.mean(number, [other for other in usable if other is not reply])) for reply in usable]
        means.sort(key=lambda pair: -distance(arrays_of(pair[0].content["arrays"]), pair[1]))
        for reply, mean in means:
            site = reply.metadata.src_node_id
            yield mean, [node for node in asked if node != site], [site]

    def mean(self, number: int, replies: list[Message]) -> Arrays:
        """Flower's FedAvg of replies; sums are taken in 32 bits."""
        for reply in replies:
            wide = {name: Array(array.astype(np.float32)) for name, array in arrays_of(reply.content["arrays"]).items()}
            reply.content["arrays"] = ArrayRecord(wide)
        mean, _ = self.strategy.aggregate_train(number, replies)
        if mean is None:
            raise RuntimeError("FedAvg gave no mean of the replies")
        return rounded(arrays_of(mean))

    def judge(self, candidate: Arrays, judges: list[int]) -> tuple[Decision, list[Verdict]]:
        """Ask sites for their verdicts. One that does not answer has no vote, but counts."""
        config = ConfigRecord({"max-fall": self.max_fall})
        replies = self.send(judges, candidate, MessageType.EVALUATE, config)
        verdicts = [Verdict.of(reply) for reply in replies if not reply.has_error()]
        return decide(verdicts, len(judges)), verdicts

    def send(self, nodes: list[int], arrays: Arrays, kind: str, config: ConfigRecord) -> list[Message]:
        """Send weights to sites and wait for what they say."""
        content = RecordDict({"arrays": record(arrays), "config": config})
        messages = [Message(content=content, message_type=kind, dst_node_id=node) for node in nodes]
        return list(self.grid.send_and_receive(messages, timeout=self.timeout))

    def told(self, reply: Message) -> dict:
        """What a site said of its tuning."""
        return {"site": reply.metadata.src_node_id, **dict(reply.content["metrics"])}
