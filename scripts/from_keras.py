#!/usr/bin/env python3
"""Weights of the published Keras code become a stage of a model's folder.

    from_keras.py NET.h5|NET.keras|NET.weights.h5 --stage whole|patch -o DIR [--fold K] [--roi ROI.h5]
        [--labels Anterior,Posterior] [--modalities MRI] [--window CENTER,WIDTH,MEAN,SD] [--threshold] [--axes xyz|zyx]

Width, depth, blocks, attention gates and the second network (--roi) are read off the shapes; layers are told by kind, shape and
order, whatever their names, as Keras lists them from the input to the output. --axes is the order of the axes of the volumes that the network was
trained on: x y z is what nibabel gives, and the default. A folder without a model.json gets one: labels and modalities are those
given; --window is the CT's (center and width in HU, mean and sd of the windowed values), without it images are MR.
Needs numpy, h5py and safetensors; not Keras. Exit status 2 and one line where a file is not such a network."""
import argparse, hashlib, io, json, os, re, sys, zipfile

PRESET = {"min_box": 24, "min_side": 24, "margin": 0.2, "max_voxels": 180**3}
COLORS = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#999999"]
PARTS = {"kernel": "weight", "bias": "bias", "gamma": "gamma", "beta": "beta"}


class Refused(Exception):
    """Place, found, expected."""


def refuse(place, found, expected):
    raise Refused(f"{place}: found {found}, expected {expected}")


def named_parts(values):
    """The variables of one layer by their names, told by their shapes: a kernel first, two vectors are gamma and beta."""
    if not values: return {}
    names = ("kernel", "bias") if len(values[0].shape) > 1 else ("gamma", "beta")
    return dict(zip(names, values))


def layers_of_legacy(file):
    """Layers of an HDF5 file of Keras 2, or of Keras 3 by the ending .h5, in the order of the model."""
    root = file["model_weights"] if "model_weights" in file else file
    text = lambda name: name.decode() if isinstance(name, bytes) else name
    for name in map(text, root.attrs["layer_names"]):
        group = root[name]
        weights = {text(key): group[text(key)][()] for key in group.attrs["weight_names"]}
        yield name, {key.split("/")[-1].split(":")[0]: value for key, value in weights.items()}


def layers_of_keras3(file):
    """Layers of the weights of Keras 3: each class by itself, in the order of the model."""
    natural = lambda name: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)$", name)]
    root = file["layers"]
    for name in sorted(root, key=natural):
        variables = root[name].get("vars", {})
        yield name, named_parts([variables[key][()] for key in sorted(variables, key=int)])


def read(path):
    """[(name, {part: values})] of the layers that have weights."""
    import h5py
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive: data = io.BytesIO(archive.read("model.weights.h5"))
        else:
            data = path
        with h5py.File(data, "r") as file:
            legacy = "layer_names" in file.get("model_weights", file).attrs
            found = list(layers_of_legacy(file) if legacy else layers_of_keras3(file))
    except (OSError, KeyError, ValueError) as error:
        refuse(path, f"{error}".splitlines()[0], "weights of a Keras model")
    return [(name, parts) for name, parts in found if parts]


def kind(parts):
    """Kind, shape and bias of a layer: what it is told by."""
    if "gamma" in parts: return "norm", tuple(parts["gamma"].shape), False
    shape = tuple(parts["kernel"].shape) if "kernel" in parts else ()
    return {5: "conv", 2: "dense"}.get(len(shape), "other"), shape, "bias" in parts


def architecture(layers, has_roi):
    """What the shapes say of the network."""
    kernels = [tuple(parts["kernel"].shape) for _, parts in layers if "kernel" in parts]
    convs = [shape for shape in kernels if len(shape) == 5]
    wide = [shape for shape in convs if shape[:3] == (3, 3, 3)]
    ups = [shape for shape in convs if shape[:3] == (2, 2, 2)]
    if not wide or len(ups) not in (3, 4): refuse("network", f"{len(wide)} convolutions of 3^3 and {len(ups)} of 2^3", "3 or 4 of 2^3, and some of 3^3")
    inputs, base = wide[0][3:]
    points = [kind(parts)[1:] for _, parts in layers if kind(parts)[1][:3] == (1, 1, 1)]
    attention = len(points) > 2
    # Of the convolutions of 1^3 with a bias on `base` channels two are gates': the skip's at full size, and the last one at half.
    ends = [shape[4] for shape, bias in points if bias and shape[3] == base]
    for gate in (max(base // 2, 1), 1) if attention else ():
        if gate in ends: ends.remove(gate)
    if len(ends) != 1: refuse("network", f"{len(ends)} convolutions of 1^3 that end it", f"one, on {base} channels")
    return {
        "base": int(base), "depth": len(ups), "inputs": int(inputs), "outputs": int(ends[0]),
        "blocks": "se-res" if any(len(shape) == 2 for shape in kernels) else "plain", "attention": attention, "roi": has_roi,
    }


def wanted(net):
    """[(our name, kind, shape, bias)] in the order of the network, from its input to its output."""
    base, depth = net["base"], net["depth"]
    list_ = []
    conv = lambda name, side, i, o, bias=False: list_.append((name, "conv", (side,) * 3 + (i, o), bias))
    norm = lambda name, c: list_.append((name, "norm", (c,), False))
    def conv_norm(name, i, o): conv(f"{name}.conv", 3, i, o); norm(f"{name}.norm", o)
    def block(name, i, f):
        conv_norm(f"{name}.a", i, f); conv_norm(f"{name}.b", f, f)
        if net["blocks"] == "plain": return
        s = max(f // 16, 1)
        list_.extend([(f"{name}.se.squeeze", "dense", (f, s), True), (f"{name}.se.excite", "dense", (s, f), True)])
        conv_norm(f"{name}.shortcut", i, f)
    conv_norm("stem", net["inputs"], base)
    for i in range(depth): block(f"down.{i}", base << i, base << i + 1)
    for i in reversed(range(depth)):
        f = base << i
        list_.append((f"up.{i}", "conv", (2, 2, 2, f, 2 * f), False)); norm(f"up.{i}.norm", f)
        if net["attention"]:
            u = max(f // 2, 1)
            conv(f"gate.{i}.skip", 1, f, u, True); conv(f"gate.{i}.up", 1, f, u); conv(f"gate.{i}.psi", 1, u, 1, True)
        if i > 0: block(f"merge.{i - 1}", 2 * f, f)
    conv_norm("head", 2 * base, base)
    conv("out", 1, base, net["outputs"], True)
    return list_


def pair(layers, net):
    """{our name of a tensor: theirs}, each layer told by kind, shape and order. All of both sides are used up."""
    pools = {}
    for name, parts in layers: pools.setdefault(kind(parts), []).append((name, parts))
    found = {}
    for ours, *form in wanted(net):
        pool = pools.get(tuple(form), [])
        if not pool: refuse(ours, "no such layer left", f"{form[0]} of {form[1]}{' with' if form[2] else ' without'} bias")
        found.update({f"{ours}.{PARTS[part]}": value for part, value in pool.pop(0)[1].items()})
    left = [name for pool in pools.values() for name, _ in pool]
    if left: refuse(left[0], f"{len(left)} layers more", "those of the published network")
    return found


def turn(axes): return (4, 3, 0, 1, 2) if axes == "zyx" else (4, 3, 2, 1, 0)


def ours(value, axes):
    """A tensor as the engine has it: outputs first, then z y x."""
    import numpy as np
    if len(value.shape) == 5: value = np.transpose(value, turn(axes))
    return np.ascontiguousarray(value.T if len(value.shape) == 2 else value, dtype="float32")


def theirs(value, axes):
    """The way back of `ours`."""
    import numpy as np
    if len(value.shape) == 5: value = np.transpose(value, np.argsort(turn(axes)))
    return np.ascontiguousarray(value.T if len(value.shape) == 2 else value)


def convert(path, roi=None, axes="xyz"):
    """(architecture, {our name: values}) of a file, and of that of its second network, which shares the encoder."""
    layers = read(path)
    net = architecture(layers, roi is not None)
    tensors = {name: ours(value, axes) for name, value in pair(layers, net).items()}
    if roi is not None:
        last = next(({PARTS[part]: value for part, value in parts.items()} for _, parts in reversed(read(roi))
                     if kind(parts) == ("conv", (1, 1, 1, 8 * net["base"], 1), True)), None)
        if last is None: refuse(roi, "no convolution of 1^3 at 1/8 of the size", f"one of {8 * net['base']} channels")
        tensors.update({f"roi.{part}": ours(value, axes) for part, value in last.items()})
    return net, tensors


def new_card(arguments, net):
    """The card of a model that begins with this stage."""
    labels = arguments.labels or [f"Label {n + 1}" for n in range(net["outputs"] if arguments.stage == "patch" else 1)]
    modalities = arguments.modalities or ["MRI" if arguments.window is None else "CT"] * net["inputs"]
    intensity = {"kind": "mr"}
    if arguments.window: intensity = {"kind": "ct", **dict(zip(("center", "width", "mean", "sd"), arguments.window))}
    name = os.path.basename(os.path.abspath(arguments.output))
    return {
        "format": 1, "name": name, "title": name, "task": name,
        "labels": [{"index": n + 1, "name": label, "color": COLORS[n % len(COLORS)]} for n, label in enumerate(labels)],
        "modalities": modalities, "intensity": intensity, "preset": PRESET, "field_mm": {"min": [0.0] * 3, "max": [10000.0] * 3},
        "stages": {}, "training_data": "as its authors say; converted from Keras", "licence": "as its authors say",
        "intended_use": "Research. Not a medical device; not for diagnosis.", "limits": "Converted; not tested by this project.",
    }


def write(arguments, net, tensors):
    """The weights, then the card."""
    from safetensors.numpy import save
    place = os.path.join(arguments.output, "model.json")
    card = new_card(arguments, net)
    if os.path.exists(place):
        with open(place, encoding="utf-8") as file: card = json.load(file)
    expected = len(card["labels"]) if arguments.stage == "patch" else 1
    if (net["inputs"], net["outputs"]) != (len(card["modalities"]), expected):
        refuse("network", f"{net['inputs']} inputs and {net['outputs']} outputs", f"{len(card['modalities'])} and {expected}, as the card of {arguments.output} has")
    form = {key: value for key, value in net.items() if value not in (False, "se-res")}
    if arguments.threshold: form["threshold"] = True
    data = save(tensors, {"model": card["name"], "stage": arguments.stage, "licence": card["licence"]})
    fold = {
        "fold": arguments.fold, "file": f"{arguments.stage}-{arguments.fold}.safetensors", "sha256": hashlib.sha256(data).hexdigest(),
        "steps": 0, "validation_dice": [], "command": "from_keras.py " + " ".join(map(os.path.basename, sys.argv[1:])),
    }
    old = card["stages"].get(arguments.stage)
    folds = [other for other in old["folds"] if other["fold"] != arguments.fold] if old and old["architecture"] == form else []
    card["stages"][arguments.stage] = {"architecture": form, "folds": sorted(folds + [fold], key=lambda fold: fold["fold"])}
    os.makedirs(arguments.output, exist_ok=True)
    with open(os.path.join(arguments.output, fold["file"]), "wb") as file: file.write(data)
    with open(place, "w", encoding="utf-8") as file: file.write(json.dumps(card, indent=2, ensure_ascii=False) + "\n")


def main():
    words = lambda text: [word.strip() for word in text.split(",")]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network")
    parser.add_argument("--stage", choices=("whole", "patch"), required=True)
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--roi")
    parser.add_argument("--labels", type=words)
    parser.add_argument("--modalities", type=words)
    parser.add_argument("--window", type=lambda text: [float(word) for word in words(text)])
    parser.add_argument("--threshold", action="store_true")
    parser.add_argument("--axes", choices=("xyz", "zyx"), default="xyz")
    arguments = parser.parse_args()
    try:
        if arguments.window and len(arguments.window) != 4: refuse("--window", f"{len(arguments.window)} numbers", "center, width, mean and sd")
        write(arguments, *convert(arguments.network, arguments.roi, arguments.axes))
    except Refused as error:
        print(f"from_keras.py: {error}", file=sys.stderr)
        sys.exit(2)
    print(arguments.output)


if __name__ == "__main__": main()
