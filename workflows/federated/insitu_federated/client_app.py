"""What a site answers. Weights, numbers of cases and Dice leave it: no image, no mask, no name."""

from collections.abc import Callable

import numpy as np
from flwr.app import Context, Error, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.clientapp.mod import LocalDpMod
from flwr.clientapp.typing import ClientAppCallable

from .site import Site, SiteError
from .weights import Arrays, objection, write_tuned
from .wire import EVALUATE_METRICS, KEEP_METRICS, TRAIN_METRICS, arrays_of, record

FAILED = 1
# Below this no weights are called good, as by the guard of `insitu tune`.
LEAST_DICE = 0.5
GUARD = "guard"


def private(message: Message, context: Context, call_next: ClientAppCallable) -> Message:
    """Add Flower's local differential privacy to what is sent, where the site asks for it: off by default."""
    names = ("dp-clipping-norm", "dp-sensitivity", "dp-epsilon", "dp-delta")
    values = [float(context.node_config.get(name, 0)) for name in names]
    if values[0] <= 0:
        return call_next(message, context)
    return LocalDpMod(*values)(message, context, call_next)


app = ClientApp()


def received(message: Message, site: Site) -> Arrays:
    """The weights in a message. Raises SiteError where they are not those of the site's model."""
    arrays = arrays_of(message.content["arrays"])
    why = objection(arrays, site.base)
    if why:
        raise SiteError(f"the weights that were received: {why}")
    return arrays


def answer(message: Message, context: Context, work: Callable[[Site, Arrays], RecordDict]) -> Message:
    """Reply with what `work` gives. Of an error only its kind is told: its words may hold names of files."""
    try:
        site = Site.of(dict(context.node_config))
        return Message(content=work(site, received(message, site)), reply_to=message)
    except SiteError as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001
        reason = f"{type(error).__name__} at this site"
    return Message(Error(code=FAILED, reason=reason), reply_to=message)


@app.train(mods=[private])
def train(message: Message, context: Context) -> Message:
    """Tune what holds on the site's cases."""
    config = message.content["config"]

    def work(site: Site, arrays: Arrays) -> RecordDict:
        context.state[GUARD] = MetricRecord({"dice": site.dice(arrays)})
        tuned = site.tune(arrays, int(config["steps"]), int(config["server-round"]), float(config["min-gain"]))
        accepted = tuned.arrays is not None
        values = (tuned.cases, int(accepted), tuned.before, tuned.after)
        content = RecordDict({"metrics": MetricRecord(dict(zip(TRAIN_METRICS, values, strict=True)))})
        if accepted:
            content["arrays"] = record(tuned.arrays)
        return content

    return answer(message, context, work)


@app.evaluate()
def evaluate(message: Message, context: Context) -> Message:
    """Judge weights on the cases that are held out here, against those that hold."""
    most = float(context.node_config.get("max-fall", message.content["config"]["max-fall"]))

    def work(site: Site, arrays: Arrays) -> RecordDict:
        if GUARD not in context.state:
            raise SiteError("this site has not seen the weights that hold")
        before, after = list(context.state[GUARD]["dice"]), site.dice(arrays)
        fall = float(np.mean(before) - np.mean(after))
        # Written so that NaN is refused.
        accepted = int(fall <= 0 and float(np.mean(after)) >= LEAST_DICE)
        fell = int(not fall <= most)
        values = (site.checked(), accepted, before, after, fell)
        return RecordDict({"metrics": MetricRecord(dict(zip(EVALUATE_METRICS, values, strict=True)))})

    return answer(message, context, work)


@app.query("keep")
def keep(message: Message, context: Context) -> Message:
    """Keep the weights that hold after the last round, as a file that `insitu --model` takes."""

    def work(site: Site, arrays: Arrays) -> RecordDict:
        if site.out:
            site.out.mkdir(parents=True, exist_ok=True)
            write_tuned(site.out / "merged.safetensors", arrays, site.base)
        return RecordDict({"metrics": MetricRecord({KEEP_METRICS[0]: int(site.out is not None)})})

    return answer(message, context, work)
