/**
 * The network of ../shared/tools/reference_onnx.py in TensorFlow.js: the same layers, in the same order. Maps are
 * [d, h, w, channels], without a batch. Each maker draws its weights once and gives a function from map to map.
 * `draw(shape, sd)` gives a weight.
 */
export function network(tf, base, draw, labels = 2, depth = 3) {
  const { tidy, conv, edge, block, pool, up } = makers(tf, draw);
  const channels = (level) => base * 2 ** level;
  const levels = Array.from({ length: depth }, (_, i) => i);
  const stem = edge(1, base);
  const down = levels.map((i) => block(channels(i), channels(i + 1)));
  const rise = levels.toReversed().map((i) => ({
    lift: up(channels(i + 1), channels(i)),
    merge: (i > 0 ? block : edge)(2 * channels(i), channels(i)),
  }));
  const head = conv(base, labels, 1);

  return (x) => {
    const skips = [stem(x)];
    for (const step of down) skips.push(step(pool(skips.at(-1))));
    let map = skips.pop();
    for (const { lift, merge } of rise) map = tidy((small, skip) => merge(tf.concat([skip, lift(small)], 3)))(map, skips.pop());
    return tf.sigmoid(head(map));
  };
}

/** Makers of the network's parts. */
function makers(tf, draw) {
  const leaky = (x) => tf.leakyRelu(x, 0.3);
  /** Each step frees what it made on the way: a map at full size is tens of megabytes. */
  const tidy =
    (step) =>
    (...maps) =>
      tf.tidy(() => step(...maps));

  const conv = (cin, cout, k = 3) => {
    const weight = draw([k, k, k, cin, cout], Math.sqrt(2 / (cin * k ** 3)));
    return (x) => tf.conv3d(x, weight, 1, 'same');
  };

  const norm = (c) => {
    const [gamma, beta] = [tf.ones([c]), tf.zeros([c])];
    return tidy((x) => {
      const { mean, variance } = tf.moments(x, [0, 1, 2]);
      return tf.batchNorm(x, mean, variance, beta, gamma, 1e-3);
    });
  };

  const convNorm = (cin, cout) => {
    const [convolve, normalise] = [conv(cin, cout), norm(cout)];
    return tidy((x) => normalise(convolve(x)));
  };

  /** Convolution, norm, activation: the first and the last step at full size. */
  const edge = (cin, cout) => {
    const step = convNorm(cin, cout);
    return tidy((x) => leaky(step(x)));
  };

  const block = (cin, cout) => {
    const hidden = Math.max(Math.floor(cout / 16), 1);
    const [first, second] = [convNorm(cin, cout), convNorm(cout, cout)];
    const [squeeze, excite] = [draw([cout, hidden], 0.3), draw([hidden, cout], 0.3)];
    const shortcut = convNorm(cin, cout);
    return tidy((x) => {
      const y = second(leaky(first(x)));
      const pooled = tf.reshape(tf.mean(y, [0, 1, 2]), [1, cout]);
      const gate = tf.sigmoid(tf.matMul(tf.relu(tf.matMul(pooled, squeeze)), excite));
      return leaky(tf.add(tf.mul(y, tf.reshape(gate, [cout])), shortcut(x)));
    });
  };

  const pool = (x) => tf.maxPool3d(x, 2, 2, 'valid');

  const up = (cin, cout) => {
    const [weight, normalise] = [draw([2, 2, 2, cout, cin], 0.1), norm(cout)];
    return tidy((x) => {
      const size = x.shape.slice(0, 3).map((n) => 2 * n);
      return leaky(normalise(tf.conv3dTranspose(x, weight, [...size, cout], 2, 'valid')));
    });
  };

  return { tidy, conv, edge, block, pool, up };
}
