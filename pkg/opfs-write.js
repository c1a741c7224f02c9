/** How a file comes to its place whole: by the browser's own `createWritable`, or by a worker of ours where there is none. */
import { InsituError, messageOf } from './error.js';

/** A file that is being written: one of the browser's own, or one of opfs-worker.js. */
const UNFINISHED = /\.crswap$|\+part$/;

/** @typedef {Blob | ArrayBuffer | ArrayBufferView<ArrayBuffer>} Content */

/** What nobody writes any more after this time is what a tab that died has left, milliseconds. */
const LEFT_MS = 60_000;

/** @param {string} name as the file system has it */
export const isUnfinished = (name) => UNFINISHED.test(name);

const hasStreams = () => 'createWritable' in FileSystemFileHandle.prototype;

/**
 * All of the file, or an error and nothing of it. `name` and `path` are as the file system has them.
 * @param {{ folder: FileSystemDirectoryHandle, path: string[], name: string }} place @param {Content} content
 */
export async function writeWhole({ folder, path, name }, content) {
  if (!hasStreams()) return writer().write({ path, name, content });
  const stream = await (await folder.getFileHandle(name, { create: true })).createWritable();
  try {
    await stream.write(content);
    await stream.close();
  } catch (error) {
    await stream.abort().catch(() => {});
    throw error;
  }
}

/** Before a folder is used: the worker is loaded while there is a network, and what a tab that died has left is removed. @param {FileSystemDirectoryHandle} folder */
export async function prepareFolder(folder) {
  if (hasStreams()) return;
  writer();
  for await (const [name, handle] of folder.entries()) {
    if (handle.kind !== 'file' || !isUnfinished(name)) continue;
    const { lastModified } = await /** @type {FileSystemFileHandle} */ (handle).getFile();
    if (lastModified < Date.now() - LEFT_MS) await folder.removeEntry(name).catch(() => {});
  }
}

/** One for all folders of this page. @type {Writer | undefined} */
let shared;
const writer = () => (shared?.isAlive ? shared : (shared = new Writer()));

/** @typedef {{ path: string[], name: string, content: Content }} Order */
/** @typedef {{ id: number, error?: { name: string, message: string } }} Answer */

/** @param {ArrayBuffer | ArrayBufferView<ArrayBuffer>} content */
const bytesOf = (content) =>
  content instanceof ArrayBuffer ? new Uint8Array(content) : new Uint8Array(content.buffer, content.byteOffset, content.byteLength);

class Writer {
  isAlive = true;
  #worker = new Worker(new URL('./opfs-worker.js', import.meta.url), { type: 'module', name: 'insitu-seg files' });
  /** @type {Map<number, { resolve(): void, reject(error: Error): void }>} */
  #orders = new Map();
  #lastId = 0;

  constructor() {
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onerror = (event) => this.#end(event);
  }

  /** @param {Order} order @returns {Promise<void>} */
  write({ content, ...place }) {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#orders.set(id, { resolve, reject });
      if (content instanceof Blob) return this.#worker.postMessage({ id, content, ...place });
      // A copy, which may be handed over. No Blob of it: where there is no room, a browser does not keep that either.
      const bytes = bytesOf(content).slice();
      this.#worker.postMessage({ id, content: bytes, ...place }, [bytes.buffer]);
    });
  }

  /** @param {Answer} answer */
  #receive({ id, error }) {
    const order = this.#orders.get(id);
    this.#orders.delete(id);
    if (error) order?.reject(new DOMException(error.message, error.name));
    else order?.resolve();
  }

  /** It could not be loaded, or died: the next write starts another. @param {ErrorEvent} event */
  #end(event) {
    this.isAlive = false;
    this.#worker.terminate();
    const found = event.message ? ` (${messageOf(event.message)})` : '';
    const error = new InsituError(
      'io',
      `The worker that keeps files could not be started${found}: serve all of the package from this origin.`,
    );
    for (const { reject } of this.#orders.values()) reject(error);
    this.#orders.clear();
  }
}
