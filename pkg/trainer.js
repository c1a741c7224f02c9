/**
 * Who learns in a tuning: the engine that runs, or beside it the module with burn, which is fetched when it is first asked for
 * and ends with its tuning. What it learned the running engine takes over as a file of tuned weights.
 */
/** @import { Answer, Args, CallName } from './calls.js' */
/** @import { Report, Supervisor } from './supervisor.js' */
import { InsituError } from './error.js';

/** @typedef {Pick<Supervisor, 'call'>} Callee */

/** Whom to call for a tuning. @param {'engine' | 'burn'} trainer @param {Supervisor} running @returns {Callee} */
export function trainerOf(trainer, running) {
  if (trainer === 'engine') return running;
  if (trainer !== 'burn') throw new InsituError('argument', `trainer: found ${String(trainer)}, expected 'engine' or 'burn'.`);
  return { call: (name, make, options) => callOnBurn(running, name, make, options) };
}

/**
 * One call on the module with burn, whose tuned weights the running engine then takes.
 * @template {CallName} Name
 * @param {Supervisor} running @param {Name} name @param {() => Promise<{ args: Args<Name>, transfer?: Transferable[] }>} make
 * @param {{ stop: AbortSignal, report?: Report }} options @returns {Promise<Answer<Name>>}
 */
async function callOnBurn(running, name, make, { stop, report }) {
  const burn = running.beside('burn');
  const end = () => burn.dispose();
  stop.addEventListener('abort', end, { once: true });
  report?.({ stage: 'load', done: 0, total: 1 });
  try {
    const answer = await burn.call(name, make, { stop, report });
    const { delta } = /** @type {Partial<Answer<'tune'>>} */ (answer);
    if (delta) await running.call('setDelta', async () => ({ args: { delta } }), { stop });
    return answer;
  } finally {
    stop.removeEventListener('abort', end);
    end();
  }
}
