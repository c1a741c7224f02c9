import { folder, loadWasm } from './assets.js';
import { cancelled, InsituError } from './error.js';
import { WorkerHost } from './host.js';
import { chooseEngine, moduleOf } from './support.js';

/**
 * How fast a network with random weights runs here: the median of `runs` forward passes after one that does not
 * count, and with `train` of as many training steps, in a worker of its own.
 * @type {typeof import('./index.js').benchmark}
 */
export async function benchmark({ base, size, train = false, backend = 'auto', threads, relaxedSimd, runs = 5, assets }) {
  whole('base', base);
  if (!Array.isArray(size) || size.length !== 3)
    throw new InsituError('argument', `size must be three whole numbers, found ${JSON.stringify(size)}.`);
  for (const side of size) whole('size', side);
  whole('runs', runs);

  const choice = await chooseEngine({ backend, threads, relaxedSimd });
  const place = folder(assets);
  const wasm = await loadWasm(moduleOf(choice), place);
  const host = new WorkerHost(place);
  try {
    const measured = threads === undefined;
    const loaded = await host.call('load', { module: moduleOf(choice), threads: choice.threads, measured, wasm });
    const found = await host.call('benchmark', { backend: choice.backend, base, size, train, runs });
    return { ...found, threads: loaded.threads };
  } finally {
    host.end(cancelled());
  }
}

/** The engine has bounds of its own for what is whole. @param {string} name @param {number} value */
function whole(name, value) {
  if (!Number.isInteger(value) || value < 1 || value > 2 ** 16)
    throw new InsituError('argument', `${name} must be a whole number from 1 on, found ${value}.`);
}
