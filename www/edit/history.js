/**
 * Undo and redo over everything: strokes, label edits, runs, tuning. An entry says what it is, what it takes, and how it is
 * undone and done again. Beyond the budget the oldest are forgotten.
 *
 * What is still being made, a stroke under the pen, is `open` and not yet an entry. Whatever else is done, undone or done again
 * closes it first: entries are whole, and none lies within another.
 *
 * @typedef {'run' | 'box' | 'stroke' | 'erase' | 'fill' | 'island' | 'largest' | 'smooth' | 'between' | 'label' | 'delete' | 'merge' | 'import' | 'tune' | 'revert'} EditName
 * @typedef {{ name: EditName, bytes: number, undo(): unknown, redo(): unknown }} Entry
 * @typedef {{ close(): void }} OpenEdit `close` makes an entry of what there is
 */
export class History {
  /** @type {Entry[]} */
  #done = [];
  /** @type {Entry[]} */
  #undone = [];
  #busy = false;
  /** @type {OpenEdit | null} */
  #open = null;
  /** How often it went back or forth: a stroke that began before is over. */
  moves = 0;

  /** @param {{ budget?: number, onChange?(): void }} [options] */
  constructor({ budget = 64 * 2 ** 20, onChange = () => {} } = {}) {
    this.budget = budget;
    this.onChange = onChange;
  }

  get depth() {
    return this.#done.length;
  }

  get bytes() {
    return [...this.#done, ...this.#undone].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** What undo and redo would take back, or undefined. */
  get next() {
    return { undo: this.#done.at(-1)?.name, redo: this.#undone.at(-1)?.name };
  }

  /** What is being made from now on. @param {OpenEdit} edit */
  open(edit) {
    this.close();
    this.#open = edit;
  }

  /** Makes an entry of what is open. */
  close() {
    const edit = this.#open;
    this.#open = null;
    edit?.close();
  }

  /** Adds what was just done; what had been undone is gone with it. @param {Entry} entry */
  push(entry) {
    this.close();
    this.#undone.length = 0;
    this.#done.push(entry);
    for (let { bytes } = this; bytes > this.budget && this.#done.length > 1; ) bytes -= this.#done.shift()?.bytes ?? 0;
    this.onChange();
  }

  undo() {
    return this.#move(this.#done, this.#undone, 'undo');
  }

  redo() {
    return this.#move(this.#undone, this.#done, 'redo');
  }

  clear() {
    this.moves++;
    this.close();
    this.#done.length = this.#undone.length = 0;
    this.onChange();
  }

  /**
   * Voxels and labels have moved when this returns; what takes longer (a tuned model) must be over before the next move, and where
   * it fails the entry can be undone, or done, again.
   * @param {Entry[]} from @param {Entry[]} to @param {'undo' | 'redo'} direction @returns {Promise<Entry | undefined>}
   */
  async #move(from, to, direction) {
    if (this.#busy) return undefined;
    this.close();
    this.moves++;
    const entry = from.pop();
    if (!entry) return undefined;
    to.push(entry);
    const slow = entry[direction]();
    this.#busy = slow instanceof Promise;
    this.onChange();
    if (!this.#busy) return entry;
    try {
      await slow;
    } catch (thrown) {
      if (to.at(-1) === entry) from.push(...to.splice(-1));
      throw thrown;
    } finally {
      this.#busy = false;
      this.onChange();
    }
    return entry;
  }
}
