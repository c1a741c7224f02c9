/**
 * Files that this site keeps in the browser (the origin's private file system): folders of whole files, all below
 * one folder of this package's.
 *
 * A file is written beside the one that it replaces and takes its place when it is whole (opfs-write.js): a tab that dies
 * in the middle leaves the old file, never half of a new one.
 */
import { InsituError } from './error.js';
import { isUnfinished, prepareFolder, writeWhole } from './opfs-write.js';

const HOME = 'insitu-seg';

/** @typedef {import('./opfs-write.js').Content} Content */

/** Any text as the name of a file: no slash, no colon, and neither '.' nor '..' stays as it is. @param {string} name */
const encode = (name) => encodeURIComponent(name).replace(/^\./, '%2E').replace(/\*/g, '%2A');
/** @param {string} name */
const decode = (name) => decodeURIComponent(name);

async function home() {
  if (!globalThis.navigator?.storage?.getDirectory) {
    throw new InsituError(
      'unsupported',
      'This browser keeps no files for this page: that needs a page served by https or from localhost, and a browser from 2023 or later.',
    );
  }
  return navigator.storage.getDirectory();
}

/** The folder at `path`, made if it is not there: `openFolder('sessions', 'default')`. @param {string[]} path */
export async function openFolder(...path) {
  return inWords(async () => {
    let folder = await home();
    const names = [HOME, ...path].map(encode);
    for (const name of names) folder = await folder.getDirectoryHandle(name, { create: true });
    await prepareFolder(folder);
    return new Folder(folder, names);
  });
}

/** Removes the folder at `path` and all that is in it; without a path, everything that this package keeps. @param {string[]} path */
export async function removeFolder(...path) {
  return inWords(async () => {
    let folder = await home();
    const names = [HOME, ...path].map(encode);
    const last = names.splice(-1)[0];
    try {
      for (const name of names) folder = await folder.getDirectoryHandle(name);
      await folder.removeEntry(last, { recursive: true });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  });
}

export class Folder {
  #handle;
  #path;

  /** @param {FileSystemDirectoryHandle} handle @param {string[]} path of the folder, as the file system has it */
  constructor(handle, path) {
    this.#handle = handle;
    this.#path = path;
  }

  /** The names of all files and folders in it, sorted. */
  async names() {
    /** @type {string[]} */
    const names = [];
    for await (const name of this.#handle.keys()) if (!isUnfinished(name)) names.push(decode(name));
    return names.sort();
  }

  /** The file, or null if there is none. An empty one is none: its writing began and never came to its end. @param {string} name */
  async read(name) {
    try {
      const file = await (await this.#handle.getFileHandle(encode(name))).getFile();
      return file.size > 0 ? file : null;
    } catch (error) {
      if (isMissing(error)) return null;
      throw await inSentence(error, 0);
    }
  }

  /** All of the file at once, or nothing of it. @param {string} name @param {Content} content */
  write(name, content) {
    return inWords(
      async () => {
        const isNew = (await this.read(name)) === null;
        try {
          await writeWhole({ folder: this.#handle, path: this.#path, name: encode(name) }, content);
        } catch (error) {
          // What had no content before shall not begin as an empty file.
          if (isNew) await this.#handle.removeEntry(encode(name)).catch(() => {});
          throw error;
        }
      },
      'size' in content ? content.size : content.byteLength,
    );
  }

  /** @param {string} name */
  remove(name) {
    return inWords(async () => {
      try {
        await this.#handle.removeEntry(encode(name));
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    });
  }
}

/** @param {unknown} error */
const isMissing = (error) => error instanceof Error && error.name === 'NotFoundError';

/** What `work` gives, or its failure as a sentence. @template T @param {() => Promise<T>} work @param {number} [size] @returns {Promise<T>} */
async function inWords(work, size = 0) {
  try {
    return await work();
  } catch (error) {
    throw await inSentence(error, size);
  }
}

/** @param {number} bytes */
const mb = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;

/** A browser does not always say that it is the room that lacks, so it is asked: `size` is what was to be kept, bytes. @param {unknown} thrown @param {number} size */
async function inSentence(thrown, size) {
  if (thrown instanceof InsituError) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { usage = NaN, quota = NaN } = (await navigator.storage.estimate?.().catch(() => null)) ?? {};
  // Chromium speaks of a pipe where the quota cuts a write short.
  const isFull = usage + size > quota || /data pipe/.test(error.message);
  if (error.name !== 'QuotaExceededError' && !isFull) {
    return new InsituError('io', `The browser could not keep or give a file of this page (${error.message.replace(/\.$/, '')}).`, {
      cause: error,
    });
  }
  const room = !(usage + size > quota) ? '' : ` (${mb(usage)} of ${mb(quota)} are taken)`;
  return new InsituError(
    'io',
    `The browser has no room left for this site's files${room}: free some, or forget older sessions; what was kept before is as it was.`,
    { cause: error },
  );
}
