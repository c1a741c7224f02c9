/**
 * How many threads a machine runs at once. A browser names the cores of the machine, or any number, and not those that it may use; more
 * threads than these wait for each other.
 */

/** How long one thread is measured, and all of them at once. */
const ALONE_MS = 10;
const TOGETHER_MS = 40;
/** In so short a time a core is mostly one's own. */
const BRIEF_MS = 1;
const SOON_MS = 4;

/** Cores that share their parts (hyperthreads) and machines at work give less than they name: that is no reason to leave some out. */
const TRUSTED = 0.6;

/** From and until when is measured: milliseconds since 1970. @typedef {{ from: number, until: number }} Span */
/** Turns of a loop per millisecond: over all of that time, and at its best, which is what a core does that nobody else uses. @typedef {{ rate: number, best: number }} Speed */

const now = () => performance.timeOrigin + performance.now();

/** @param {number} ms a moment from now on, by when each has heard of it @returns {Span} */
const soon = (ms) => ({ from: now() + SOON_MS, until: now() + SOON_MS + ms });

/** @param {((span: Span) => Promise<Speed>)[]} threads each measures itself over the same time */
export async function coresFor(threads) {
  const all = (/** @type {Span} */ span) => Promise.all(threads.map((measure) => measure(span)));
  await all(soon(ALONE_MS)); // until the loop of each is compiled
  const alone = await threads[0](soon(ALONE_MS));
  const together = await all(soon(TOGETHER_MS));
  // A first look may come before the loop is compiled, or while others start: what one core does is what any did at its best.
  const best = Math.max(alone.best, ...together.map((one) => one.best));
  const found = together.reduce((sum, { rate }) => sum + rate, 0) / best;
  return found >= TRUSTED * threads.length ? threads.length : Math.max(2, Math.round(found));
}

/** @param {Span} span @returns {Speed} of this thread; one that begins late has done nothing before */
export function speedOver({ from, until }) {
  let [turns, best, since, turnsThen, mixed] = [0, 0, now(), 0, 1];
  for (;;) {
    for (let i = 0; i < 2000; i++) mixed = Math.imul(mixed ^ i, 0x01000193);
    const at = now();
    if (at < from) since = at;
    else if (at < until) turns++;
    // `mixed` is never 0, but asked for, so that the loop is not left out.
    else return { rate: (turns + (mixed === 0 ? 1 : 0)) / (until - from), best: best || turns / (until - from) };
    if (at - since >= BRIEF_MS) {
      best = Math.max(best, (turns - turnsThen) / (at - since));
      [since, turnsThen] = [at, turns];
    }
  }
}
