"""Times a training step of Keras on TensorFlow's CPU (oneDNN): its version on a line, then for every line it reads milliseconds.

As `insitu bench --train` measures: forward, soft Dice and cross-entropy, gradients, AdamW; one step to warm up, the median of five.

python native_keras.py FOLDER_OF_NET_PY BASE BATCH THREADS X Y Z
"""
import os
import statistics
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
folder, base, batch, threads, x, y, z = sys.argv[1], *map(int, sys.argv[2:])
sys.path.insert(0, folder)
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(threads)
import keras
from net import net

LABELS = 2
model = net(1, LABELS, base)
optimizer = keras.optimizers.AdamW(1e-3, weight_decay=1e-4)
optimizer.build(model.trainable_variables)
image = tf.random.normal((batch, z, y, x, 1))
target = tf.cast(tf.random.uniform((batch, z, y, x, LABELS)) < 0.5, tf.float32)


@tf.function
def step():
    with tf.GradientTape() as tape:
        p = model(image, training=True)
        overlap, sizes = (tf.reduce_sum(part, (0, 1, 2, 3)) for part in (p * target, p + target))
        entropy = tf.reduce_mean(keras.losses.binary_crossentropy(target, p))
        loss = entropy - tf.reduce_mean((2 * overlap + 1) / (sizes + 1))
    optimizer.apply(tape.gradient(loss, model.trainable_variables))
    return loss


def milliseconds():
    start = time.perf_counter()
    float(step())
    return (time.perf_counter() - start) * 1000


print(f"{keras.__version__} on TensorFlow {tf.__version__}", flush=True)
for _ in sys.stdin:
    milliseconds()
    print(statistics.median(milliseconds() for _ in range(5)), flush=True)
