"""keras_nets.py OUT: makes networks of the published architecture in Keras with random weights, saves them as its users have them,
turns each into a stage of a model's folder by scripts/from_keras.py, and keeps an input with what Keras makes of it:
OUT/NAME/model.json, OUT/NAME/STAGE-0.safetensors, OUT/NAME/case.safetensors (`input` and `output`, [n, c, z, y, x])."""
import os, subprocess, sys
os.environ["CUDA_VISIBLE_DEVICES"] = ""
root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(root, "tests", "data", "network"))
import numpy as np, keras
from safetensors.numpy import save_file
from net import net, plain

# name: (inputs, labels, base, depth, axes, ending, options)
NETS = {
    "published": (1, 2, 8, 3, "xyz", "h5", {}),
    "whole": (1, 1, 8, 3, "xyz", "keras", {}),
    "deep": (4, 3, 4, 4, "zyx", "keras", {}),
    "weights": (2, 2, 6, 3, "xyz", "weights.h5", {}),
    "plain": (1, 2, 6, 3, "zyx", "h5", {"block": plain}),
    "gates": (2, 1, 4, 3, "xyz", "h5", {"attention": True}),
    "region": (1, 2, 4, 4, "xyz", "keras", {"roi": True, "attention": True, "block": plain}),
}


def made(name, out):
    inputs, labels, base, depth, axes, ending, options = NETS[name]
    model, roi = net(inputs, labels, base, depth, **options)
    rng = np.random.default_rng(len(name))
    for weight in {id(w): w for m in (model, roi) if m for w in m.weights}.values():
        flat = len(weight.shape) == 1
        center = 1 if weight.path.endswith("gamma") else 0
        weight.assign(rng.normal(center, 0.2 if flat else 1.6 / np.sqrt(np.prod(weight.shape[:-1])), weight.shape))
    files = {"network": os.path.join(out, f"{name}.{ending}"), "roi": os.path.join(out, f"{name}-roi.{ending}")}
    for kind, each in (("network", model), ("roi", roi)):
        if each is not None: (each.save_weights if ending == "weights.h5" else each.save)(files[kind])
    order = (0, 4, 1, 2, 3) if axes == "zyx" else (0, 4, 3, 2, 1)
    first = lambda values: np.ascontiguousarray(np.asarray(values).transpose(order), dtype="float32")
    x = rng.normal(0, 1, (1, 33, 24, 27, inputs)).astype("float32")
    folder = os.path.join(out, name)
    stage = "whole" if name == "whole" else "patch"
    command = [sys.executable, os.path.join(root, "scripts", "from_keras.py"), files["network"], "--stage", stage, "-o", folder]
    subprocess.run(command + ["--axes", axes] + (["--roi", files["roi"]] if roi else []), check=True, stdout=subprocess.DEVNULL)
    case = {"input": first(x), "output": first(model(x, training=False))}
    if roi: case["roi"] = first(roi(x, training=False))
    save_file(case, os.path.join(folder, "case.safetensors"))
    print(name, model.count_params())


def refused(out):
    """What is no such network is refused in one line, and nothing is written."""
    dense = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
    dense.save(os.path.join(out, "dense.h5"))
    with open(os.path.join(out, "text.h5"), "w") as file: file.write("no weights")
    for name in ("dense.h5", "text.h5", "missing.h5"):
        command = [sys.executable, os.path.join(root, "scripts", "from_keras.py"), os.path.join(out, name), "--stage", "patch", "-o", os.path.join(out, "never")]
        run = subprocess.run(command, capture_output=True, text=True)
        assert run.returncode == 2 and "found" in run.stderr and run.stderr.count("\n") == 1, run
    assert not os.path.exists(os.path.join(out, "never"))


if __name__ == "__main__":
    for name in NETS: made(name, sys.argv[1])
    refused(sys.argv[1])
