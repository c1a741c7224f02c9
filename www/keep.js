/**
 * What is on the desk, kept in the browser: the volumes with their masks, labels and corrections, written a moment after each
 * change and put back when the page is opened again. The untouched sample is not worth keeping.
 */
import { openSession } from 'insitu-seg/session';
import { desk, stateOf } from './desk.js';

/** Strokes come in rows; what is between them need not be written. */
const WAIT_MS = 700;

const MODEL = 'tuned.safetensors';

export class Keeper {
  /** A session of the package: named files in the browser. */
  #store = null;
  #timer = 0;
  #written = new Map(); // file -> what it was made of
  #busy = Promise.resolve();

  /** Opens the session; throws where the browser keeps no files, or another tab of the page has it. */
  async open() {
    this.#store = await openSession('page');
  }

  get isOpen() {
    return this.#store !== null;
  }

  /** The volumes of the last visit, which one was open, and the tuned model if there was one. */
  async restored() {
    const [text, delta] = await Promise.all(['page.json', MODEL].map((name) => this.#store?.get(name)));
    const model = delta ? await bytesOf(delta) : undefined;
    if (!text) return { cases: [], model };
    const { cases, current } = JSON.parse(await text.text());
    const back = await Promise.all(cases.map((one) => this.#caseOf(one)));
    return { cases: back.filter(Boolean), current, model };
  }

  async #caseOf({ pair, checked, saved, ...one }) {
    const file = async (part) => {
      const name = `${one.id}-${part}`;
      const blob = await this.#store.get(name);
      if (!blob) return null;
      // Bytes of its own: a file that is written or forgotten later can no longer be read where it was.
      const copy = new File([await blob.arrayBuffer()], one.names?.[part] ?? one.name);
      this.#written.set(name, copy);
      return copy;
    };
    const input = pair ? { hdr: await file('hdr'), img: await file('img') } : await file('image');
    if (!input || (pair && !(input.hdr && input.img))) return null;
    const back = { ...one, input, checked: new Set(checked) };
    if (saved) {
      const [labels, base, nifti, nrrd] = await Promise.all(
        ['labels', 'base', 'nifti', 'nrrd'].map((part) => this.#store.get(`${one.id}-${part}`)),
      );
      if (labels && base && nifti && nrrd)
        back.saved = {
          ...saved,
          labels: await inflated(labels),
          base: await inflated(base),
          nifti: await bytesOf(nifti),
          nrrd: await bytesOf(nrrd),
        };
    }
    return back;
  }

  /** Something changed: it is written soon. */
  touch() {
    if (!this.#store) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), WAIT_MS);
  }

  /** Writes now what has changed; one write after the other. */
  flush() {
    clearTimeout(this.#timer);
    this.#busy = this.#busy.then(() => this.#store && this.#write()).catch((thrown) => this.onFail?.(thrown));
    return this.#busy;
  }

  async #write() {
    const kept = desk.cases.filter((one) => !one.isSample || stateOf(one) === 'Corrected');
    const files = new Set(['page.json']);
    for (const one of kept) for (const name of await this.#writeCase(one)) files.add(name);
    const current = kept.includes(desk.current) ? desk.current.id : undefined;
    await this.#store.put('page.json', JSON.stringify({ cases: kept.map(describe), current }));
    if (desk.segmenter?.canRevert) {
      await this.#store.put(MODEL, await desk.segmenter.saveModel());
      files.add(MODEL);
    }
    for (const name of await this.#store.names()) {
      if (files.has(name)) continue;
      await this.#store.remove(name);
      this.#written.delete(name);
    }
  }

  async #writeCase({ id, input, editor, result }) {
    const names = [];
    const put = async (part, version, content) => {
      const name = `${id}-${part}`;
      names.push(name);
      if (this.#written.get(name) === version) return;
      await this.#store.put(name, await content());
      this.#written.set(name, version);
    };
    if (input instanceof Blob) await put('image', input, () => input);
    else for (const part of ['hdr', 'img']) await put(part, input[part], () => input[part]);
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
    const store = this.#store;
    this.#store = null;
    await store?.forget();
  }
}

/** A case as JSON holds it. */
function describe({ id, name, title, info, input, editor, result, box, checked, isSample }) {
  const pair = !(input instanceof Blob);
  const names = pair ? { hdr: input.hdr.name, img: input.img.name } : { image: input.name };
  const one = {
    id,
    name,
    title,
    info,
    pair,
    names,
    checked: [...checked],
    isSample,
    corrected: editor ? stateOf({ info, editor, checked }) === 'Corrected' : false,
  };
  if (!editor || !result) return one;
  const { labels, toNifti, toNrrd, toCsv, ...facts } = result;
  return { ...one, saved: { table: editor.table, box, result: facts } };
}

const bytesOf = async (blob) => new Uint8Array(await blob.arrayBuffer());
const deflated = (bytes) => new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'))).blob();
const inflated = async (blob) =>
  new Uint8Array(await new Response(blob.stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer());
