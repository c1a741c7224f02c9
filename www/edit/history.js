/**
 * Undo and redo over everything: strokes, label edits, runs, tuning. An entry says what it is, what it takes, and how it is
 * undone and done again. Beyond the budget the oldest are forgotten.
 *
 * @typedef {{ name: string, bytes: number, undo(): unknown, redo(): unknown }} Entry `name`: a key of the words
 */
export class History {
  #done = [];
  #undone = [];
  #bytes = 0;
  #busy = false;

  /** @param {{ budget?: number, onChange?(): void }} [options] */
  constructor({ budget = 64 * 2 ** 20, onChange = () => {} } = {}) {
    this.budget = budget;
    this.onChange = onChange;
  }

  get depth() {
    return this.#done.length;
  }

  get bytes() {
    return this.#bytes;
  }

  /** What undo and redo would take back, or undefined. */
  get next() {
    return { undo: this.#done.at(-1)?.name, redo: this.#undone.at(-1)?.name };
  }

  /** Adds what was just done; what had been undone is gone with it. */
  push(entry) {
    this.#undone.forEach(({ bytes }) => (this.#bytes -= bytes));
    this.#undone = [];
    this.#done.push(entry);
    this.#bytes += entry.bytes;
    while (this.#bytes > this.budget && this.#done.length > 1) this.#bytes -= this.#done.shift().bytes;
    this.onChange();
  }

  undo() {
    return this.#move(this.#done, this.#undone, 'undo');
  }

  redo() {
    return this.#move(this.#undone, this.#done, 'redo');
  }

  clear() {
    [this.#done, this.#undone, this.#bytes] = [[], [], 0];
    this.onChange();
  }

  /** One at a time: what takes longer (a tuned model) must be over before the next. Gives the entry, or undefined. */
  async #move(from, to, what) {
    if (this.#busy || from.length === 0) return undefined;
    this.#busy = true;
    const entry = from.at(-1);
    try {
      await entry[what]();
      // An entry pushed meanwhile ends the road on which this one lay.
      if (from.at(-1) === entry) to.push(from.pop());
      return entry;
    } finally {
      this.#busy = false;
      this.onChange();
    }
  }
}
