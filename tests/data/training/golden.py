"""golden.py LESSONS_FOLDER [--print]: repeats the trainings that `INSITU_LESSONS=LESSONS_FOLDER cargo test --release --features cli
--test published` wrote, step by step in Keras, and keeps its losses in losses.json; with --print it only says how far they are off."""
import json, os, sys
os.environ["CUDA_VISIBLE_DEVICES"] = ""
here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "network"))
sys.path.insert(0, os.path.join(here, "..", "..", "..", "scripts"))
import numpy as np, tensorflow as tf, keras
from safetensors import safe_open
import from_keras
from net import net

def lessons(path):
    with safe_open(path, "np") as file: return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()

def losses(path):
    tensors, settings = lessons(path)
    model, _ = net(1, 2, int(settings["base"]), noise=0)
    layers = [(layer.name, {weight.path.split("/")[-1]: weight for weight in layer.weights}) for layer in model.layers if layer.weights]
    weights = from_keras.pair(layers, from_keras.architecture(layers, False))
    for name, weight in weights.items(): weight.assign(from_keras.theirs(tensors[name], "zyx"))
    entropy, clip = json.loads(settings["loss"]) == "dice-entropy", float(settings["clip"])
    optimizer = keras.optimizers.AdamW(1.0, weight_decay=float(settings["decay"]))
    optimizer.build(model.trainable_variables)
    found = []
    for step, rate in enumerate(json.loads(settings["rates"])):
        x, y = (np.ascontiguousarray(tensors[f"{kind}/{step}"].transpose(0, 2, 3, 4, 1)) for kind in ("image", "target"))
        with tf.GradientTape() as tape:
            p = model(x, training=True)
            sums = [tf.reduce_sum(part, (0, 1, 2, 3)) for part in (p * y, p, y)]
            loss = -tf.reduce_mean((2 * sums[0] + 1) / (sums[1] + sums[2] + 1))
            if entropy: loss += tf.reduce_mean(keras.losses.binary_crossentropy(y, p))
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, model.trainable_variables), clip)
        optimizer.learning_rate = rate
        optimizer.apply(gradients, model.trainable_variables)
        found.append(float(loss))
    ours = json.loads(settings["losses"])
    print(os.path.basename(path), "base", settings["base"], "off by", max(abs(a - b) for a, b in zip(found, ours)))
    return {"base": int(settings["base"]), "fingerprint": json.loads(settings["fingerprint"]), "losses": [round(loss, 6) for loss in found]}

if __name__ == "__main__":
    made = {name: losses(os.path.join(sys.argv[1], f"{name}.safetensors")) for name in ("msd2018", "insitu")}
    if "--print" not in sys.argv:
        with open(os.path.join(here, "losses.json"), "w") as file: file.write(json.dumps(made, indent=1) + "\n")
