/**
 * Typed events: `Events` maps each name to what comes with it.
 * @template {object} Events
 */
export class Emitter {
  /** @type {{ [Name in keyof Events]?: ((detail: Events[Name]) => void)[] }} */
  #listeners = {};

  /**
   * Listeners are called in the order in which they came.
   * @template {keyof Events} Name @param {Name} name @param {(detail: Events[Name]) => void} listener
   */
  on(name, listener) {
    (this.#listeners[name] ??= []).push(listener);
  }

  /** @template {keyof Events} Name @param {Name} name @param {Events[Name]} detail */
  emit(name, detail) {
    for (const listener of this.#listeners[name] ?? []) listener(detail);
  }
}
