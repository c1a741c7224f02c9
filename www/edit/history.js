/**
 * Undo and redo over everything: strokes, label edits, runs, tuning. An entry says what it is, what it takes, and how it is
 * undone and done again. Beyond the budget the oldest are forgotten.
 *
 * @typedef {'run' | 'box' | 'stroke' | 'erase' | 'fill' | 'island' | 'largest' | 'smooth' | 'between' | 'label' | 'tune' | 'revert'} EditName
 * @typedef {{ name: EditName, bytes: number, undo(): unknown, redo(): unknown }} Entry
 */
export class History {
  /** @type {Entry[]} */
  #done = [];
  /** @type {Entry[]} */
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

  /** Adds what was just done; what had been undone is gone with it. @param {Entry} entry */
  push(entry) {
    for (const { bytes } of this.#undone) this.#bytes -= bytes;
    this.#undone = [];
    this.#done.push(entry);
    this.#bytes += entry.bytes;
    while (this.#bytes > this.budget && this.#done.length > 1) this.#bytes -= this.#done.shift()?.bytes ?? 0;
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

  /**
   * One at a time: what takes longer (a tuned model) must be over before the next.
   * @param {Entry[]} from @param {Entry[]} to @param {'undo' | 'redo'} direction @returns {Promise<Entry | undefined>}
   */
  async #move(from, to, direction) {
    const entry = from.at(-1);
    if (this.#busy || !entry) return undefined;
    this.#busy = true;
    try {
      await entry[direction]();
      // An entry pushed meanwhile ends the road on which this one lay.
      if (from.at(-1) === entry) {
        from.pop();
        to.push(entry);
      }
      return entry;
    } finally {
      this.#busy = false;
      this.onChange();
    }
  }
}
