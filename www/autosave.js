/**
 * The open volumes, kept in the browser with their masks, labels and corrections: written a moment after each change and put back
 * when the page is opened again. The untouched sample is not worth keeping.
 */
/** @import { Session } from 'insitu-seg/session' */
/** @import { Case } from './types.js' */
import { openSession } from 'insitu-seg/session';
import { bytesOf, through } from './bytes.js';
import { tunedToKeep } from './models.js';
import { phaseOf, state } from './state.js';

/** Strokes come in rows; what is between them need not be written. */
const WAIT_MS = 700;

const MODEL = 'tuned.safetensors';

/** @typedef {{ cases: Case[], current?: string, model?: Uint8Array, isWaiting?: boolean }} LastVisit `current`: the id of the volume that was open; `isWaiting`: another model than the tuned one ran */

/** @typedef {{ cases: CaseRecord[], current?: string, isWaiting?: boolean }} PageRecord */

export class Autosave {
  /** @type {Session | null} named files in the browser */
  #session = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Map<string, unknown>} file -> what it was made of */
  #written = new Map();
  #busy = Promise.resolve();

  /** Hears of what could not be written. @type {(thrown: unknown) => void} */
  onFail = () => {};

  /** Hears that something is not kept yet. */
  onChange = () => {};

  /** Hears that all there is is kept by now. */
  onKept = () => {};

  /** How often something changed. */
  #changes = 0;

  /** Opens the session; throws where the browser keeps no files, or another tab of the page has it. */
  async open() {
    this.#session = await openSession('page');
  }

  get isOpen() {
    return this.#session !== null;
  }

  /** What was there at the last visit. @returns {Promise<LastVisit>} */
  async restored() {
    const session = this.#session;
    if (!session) return { cases: [] };
    const [text, delta] = await Promise.all(['page.json', MODEL].map((name) => session.get(name)));
    const model = delta ? await bytesOf(delta) : undefined;
    if (!text) return { cases: [], model };
    const { cases, current, isWaiting } = /** @type {PageRecord} */ (JSON.parse(await text.text()));
    const back = await Promise.all(cases.map((one) => this.#restoreCase(session, one)));
    return { cases: back.filter((one) => one !== null), current, model, isWaiting };
  }

  /** @param {Session} session @param {CaseRecord} record @returns {Promise<Case | null>} null where its image is gone */
  async #restoreCase(session, { pair, names, checked, saved, ...one }) {
    const file = async (/** @type {'image' | 'hdr' | 'img'} */ part) => {
      const name = `${one.id}-${part}`;
      const blob = await session.get(name);
      if (!blob) return null;
      // Bytes of its own: a file that is written or forgotten later can no longer be read where it was.
      const copy = new File([await blob.arrayBuffer()], names?.[part] ?? one.name);
      this.#written.set(name, copy);
      return copy;
    };
    const [image, hdr, img] = [pair ? null : await file('image'), pair ? await file('hdr') : null, pair ? await file('img') : null];
    const input = image ?? (hdr && img ? { hdr, img } : null);
    if (!input) return null;
    /** @type {Case} */
    const back = { ...one, input, checked: new Map(checked.map((mark) => (typeof mark === 'string' ? [mark, null] : mark))) };
    if (saved) {
      const [labels, base, nifti, nrrd] = await Promise.all(
        ['labels', 'base', 'nifti', 'nrrd'].map((part) => session.get(`${one.id}-${part}`)),
      );
      if (labels && base && nifti && nrrd) {
        back.saved = {
          ...saved,
          labels: await inflated(labels),
          base: await inflated(base),
          nifti: await bytesOf(nifti),
          nrrd: await bytesOf(nrrd),
        };
      }
    }
    return back;
  }

  /** Something changed: it is written soon. */
  touch() {
    if (!this.#session) return;
    this.#changes += 1;
    this.onChange();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), WAIT_MS);
  }

  /** Writes now what has changed; one write after the other. */
  flush() {
    clearTimeout(this.#timer);
    this.#busy = this.#busy.then(() => this.#writeAll()).then(undefined, this.onFail);
    return this.#busy;
  }

  async #writeAll() {
    if (!this.#session) return;
    const changes = this.#changes;
    await this.#write(this.#session);
    if (this.#session && changes === this.#changes) this.onKept();
  }

  /** @param {Session} session */
  async #write(session) {
    const kept = state.cases.filter((one) => !one.isSample || phaseOf(one) === 'Corrected');
    const files = new Set(['page.json']);
    for (const one of kept) for (const name of await this.#writeCase(session, one)) files.add(name);
    const current = kept.find((one) => one === state.current)?.id;
    const { delta, isWaiting } = await tunedToKeep();
    await session.put('page.json', new Blob([JSON.stringify({ cases: kept.map(recordOf), current, isWaiting })]));
    if (delta) {
      await session.put(MODEL, delta);
      files.add(MODEL);
    }
    for (const name of await session.names()) {
      if (files.has(name)) continue;
      await session.remove(name);
      this.#written.delete(name);
    }
  }

  /** @param {Session} session @param {Case} one */
  async #writeCase(session, { id, input, editor, result }) {
    /** @type {string[]} */
    const names = [];
    /** @type {(part: string, version: unknown, content: () => Promise<Blob> | Blob | Uint8Array<ArrayBuffer>) => Promise<void>} */
    const put = async (part, version, content) => {
      const name = `${id}-${part}`;
      names.push(name);
      if (this.#written.get(name) === version) return;
      await session.put(name, await content());
      this.#written.set(name, version);
    };
    if (input instanceof Blob) await put('image', input, () => input);
    else for (const part of /** @type {const} */ (['hdr', 'img'])) await put(part, input[part], () => input[part]);
    if (editor && result) {
      await put('labels', editor.version, () => deflated(editor.labels));
      await put('base', result, () => deflated(editor.base));
      await put('nifti', result, () => result.toNifti());
      await put('nrrd', result, () => result.toNrrd());
    }
    return names;
  }

  /** Forgets everything. */
  async forget() {
    clearTimeout(this.#timer);
    await this.#busy;
    this.#written.clear();
    const session = this.#session;
    this.#session = null;
    await session?.forget();
  }
}

/**
 * A volume as JSON holds it.
 * @typedef {ReturnType<typeof recordOf>} CaseRecord
 * @param {Case} one
 */
function recordOf({ id, name, title, path, converted, info, input, editor, result, checked, side, madeBy, isSample }) {
  const pair = !(input instanceof Blob);
  /** @type {Partial<Record<'image' | 'hdr' | 'img', string>>} */
  const names = pair ? { hdr: input.hdr.name, img: input.img.name } : { image: input.name };
  const corrected = editor ? phaseOf({ info, editor, checked }) === 'Corrected' : false;
  const marks = /** @type {(string | [string, number | null])[]} */ ([...checked]);
  const one = { id, name, title, path, converted, info, pair, names, checked: marks, side, madeBy, isSample, corrected, saved: undefined };
  if (!editor || !result) return one;
  return { ...one, saved: { table: editor.table, result: factsOf(result) } };
}

/** A result without its arrays. @param {NonNullable<Case['result']> & { labels?: unknown, toCsv?: unknown }} result */
function factsOf({ labels, toNifti, toNrrd, toCsv, ...facts }) {
  return facts;
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
const deflated = (bytes) => new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'))).blob();
/** @param {Blob} blob */
const inflated = (blob) => through(blob, new DecompressionStream('gzip'));
