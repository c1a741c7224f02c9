"""Times onnxruntime on the CPU: its version on a line, then for every line it reads the milliseconds of a forward pass.

As `insitu bench` measures: one pass to warm up, the median of five.

python native_ort.py net.onnx THREADS
"""
import statistics
import sys
import time

import numpy as np
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(sys.argv[2])
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
shape = session.get_inputs()[0].shape
x = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def forward():
    start = time.perf_counter()
    session.run(None, {"x": x})
    return (time.perf_counter() - start) * 1000


print(onnxruntime.__version__, flush=True)
for _ in sys.stdin:
    forward()
    print(statistics.median(forward() for _ in range(5)), flush=True)
