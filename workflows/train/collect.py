"""Put the folds of a model, trained in a folder each, into one folder.

    python3 collect.py FOLDER... --out OUT

Of each stage the folds stand in the order of the folders. Python's own modules only.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

STAGES = ("whole", "patch")
SHARED = ("format", "task", "labels", "modalities", "intensity", "preset", "licence")


def same(name: str, cards: list[dict], of: Callable[[dict], object]) -> None:
    """Raise ValueError where cards differ in something that all folds of a model share."""
    for card in cards[1:]:
        if of(card) != of(cards[0]):
            raise ValueError(f"{name} of {card['name']}: found {of(card)}, expected {of(cards[0])}, as in {cards[0]['name']}")


def field(cards: list[dict]) -> dict:
    """The range of the images' sizes in mm, of all folds together."""
    fields = [card["field_mm"] for card in cards if card.get("field_mm")]
    if len(fields) < len(cards):
        return {}
    ends = {end: [pick(sizes) for sizes in zip(*(one[end] for one in fields), strict=True)] for end, pick in (("min", min), ("max", max))}
    return {"field_mm": ends}


def collected(cards: list[dict]) -> dict:
    """One card of several. Raises ValueError where they are not folds of one model."""
    for key in SHARED:
        same(key, cards, lambda card, key=key: card.get(key))
    stages = {}
    for stage in STAGES:
        same(f"architecture of the {stage} stage", cards, lambda card, stage=stage: card["stages"][stage]["architecture"])
        folds = [fold for card in cards for fold in card["stages"][stage]["folds"]]
        numbers = [fold["fold"] for fold in folds]
        if len(set(numbers)) < len(numbers):
            raise ValueError(f"{stage} stage: found folds {numbers}, expected each once")
        stages[stage] = cards[0]["stages"][stage] | {"folds": folds}
    return cards[0] | field(cards) | {"stages": stages}


def main() -> None:
    """Copy the weights, and write the card last."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    arg = parser.parse_args()
    try:
        cards = [json.loads((folder / "model.json").read_text()) for folder in arg.folders]
        card = collected(cards)
    except (ValueError, KeyError, OSError) as error:
        sys.exit(f"collect.py: {error}")
    arg.out.mkdir(parents=True, exist_ok=True)
    for folder, own in zip(arg.folders, cards, strict=True):
        for stage in STAGES:
            for fold in own["stages"][stage]["folds"]:
                shutil.copyfile(folder / fold["file"], arg.out / fold["file"])
    (arg.out / "model.json").write_text(json.dumps(card | {"name": arg.out.resolve().name}, indent=1) + "\n")


if __name__ == "__main__":
    main()
