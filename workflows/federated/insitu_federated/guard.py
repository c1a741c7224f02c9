"""Whether a mean of weights comes to hold: what the sites' verdicts say."""

from collections.abc import Iterable
from dataclasses import dataclass

from flwr.app import Message


@dataclass(frozen=True)
class Verdict:
    """What a site says of weights: Dice by label on its held-out cases, with those that hold and with these."""

    site: int
    cases: int
    accepted: bool
    fell: bool
    before: list[float]
    after: list[float]

    @staticmethod
    def of(reply: Message) -> "Verdict":
        """Read a reply."""
        metrics = reply.content["metrics"]
        flags = (bool(metrics["accepted"]), bool(metrics["fall"]))
        dice = (list(metrics["dice-before"]), list(metrics["dice-after"]))
        return Verdict(reply.metadata.src_node_id, int(metrics["num-examples"]), *flags, *dice)


@dataclass(frozen=True)
class Decision:
    """Whether weights hold, and why or why not."""

    holds: bool
    reason: str


def decide(verdicts: Iterable[Verdict], asked: int) -> Decision:
    """Weights hold where more than half of the sites that were asked find them no worse, and none falls by too much."""
    verdicts = list(verdicts)
    fallen = [verdict.site for verdict in verdicts if verdict.fell]
    votes = sum(verdict.accepted for verdict in verdicts)
    if fallen:
        return Decision(False, f"Dice falls by too much at {len(fallen)} of {asked} sites")
    if 2 * votes <= asked:
        return Decision(False, f"{votes} of {asked} sites find it no worse, expected more than half")
    return Decision(True, f"{votes} of {asked} sites find it no worse, and it falls by too much at none")
