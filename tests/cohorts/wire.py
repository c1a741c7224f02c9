"""What may be in a message of a site, and a look at all that it sent."""

import json
from collections.abc import Iterable
from pathlib import Path

import nibabel as nib
import numpy as np
from flwr.app import MetricRecord
from flwr.proto.message_pb2 import PushObjectRequest
from flwr.supercore.inflatable.inflatable_object import get_object_type_from_object_content
from insitu_federated.wire import EVALUATE_METRICS, KEEP_METRICS, TRAIN_METRICS
from recording import Exchange

METRICS = {*TRAIN_METRICS, *EVALUATE_METRICS, *KEEP_METRICS}
RECORDS = {"arrays", "metrics"}
LEAVES = {"Message", "Array", "ArrayChunk"}
WINDOW = 128
FORMS = ("float16", "float32", "float64", "int16", "uint8")


def objects(exchanges: Iterable[Exchange]) -> list[bytes]:
    """The objects of Flower's messages that were sent."""
    return [PushObjectRequest.FromString(one.request).object_content for one in exchanges if one.path.endswith("push-object")]


def keys_of(content: bytes) -> tuple[str, set[str]]:
    """The kind of an object, and the names that it holds."""
    kind = get_object_type_from_object_content(content)
    if kind == "MetricRecord":
        return kind, set(MetricRecord.inflate(content))
    body = content.split(b"\0", 1)[1]
    if kind in {"RecordDict", "ArrayRecord"}:
        return kind, set(json.loads(body))
    return kind, set()


def unexpected(contents: Iterable[bytes], tensors: set[str]) -> list[str]:
    """What is in objects that a site must not send."""
    allowed = {"MetricRecord": METRICS, "RecordDict": RECORDS, "ArrayRecord": tensors}
    found = []
    for content in contents:
        kind, keys = keys_of(content)
        if kind not in allowed and kind not in LEAVES:
            found.append(kind)
        found += [f"{kind}: {key}" for key in keys - allowed.get(kind, keys)]
    return found


def traces(path: Path) -> list[bytes]:
    """Bytes that would be in a message if it held an image or mask: of its file, and of its voxels in several forms."""
    volume = nib.load(path)
    voxels = np.asarray(volume.dataobj)
    raw = path.read_bytes()
    middle = [raw[len(raw) // 2 :][:WINDOW]]
    for order in ("C", "F"):
        flat = voxels.ravel(order)
        # Where grey values change most, so that no run of zeros is taken for a trace.
        first = max(range(0, flat.size - WINDOW, WINDOW), key=lambda start: len(np.unique(flat[start : start + WINDOW])))
        run = flat[first : first + WINDOW]
        with np.errstate(all="ignore"):
            middle += [run.astype(form).tobytes() for form in FORMS if len(np.unique(run.astype(form))) > 1]
    return middle
