/**
 * What a person makes must outlive a tab that is closed and a worker that dies. A session is a list of records (a
 * stroke, a run, a training: whatever the caller wants to find again, in order) and some named files (the image, the
 * mask, tuned weights), kept in the browser. Each record and each file is there whole or not at all.
 *
 *   sessions/<name>/records/00000042   a line of JSON, then the record's bytes
 *   sessions/<name>/files/<file>       as given
 */
/** @import { Content, Folder } from './opfs.js' */
import { InsituError } from './error.js';
import { openFolder, removeFolder } from './opfs.js';

/** A tab that is being closed releases its session a moment later. */
const WAIT_MS = 3_000;

/** A lock that was granted just as its request timed out is free again by then. */
const MOMENT_MS = 500;

/**
 * Opens a session, a new one or one from before; one tab at a time has it.
 * @type {typeof import('./session.js').openSession}
 */
export async function openSession(name = 'default') {
  checkName(name);
  const release = await acquire(name);
  try {
    const [files, records] = await Promise.all([openFolder('sessions', name, 'files'), openFolder('sessions', name, 'records')]);
    return new Session(name, files, records, await numbersOf(records), release);
  } catch (error) {
    release();
    throw error;
  }
}

/** The names of all sessions that are kept. @type {typeof import('./session.js').listSessions} */
export const listSessions = async () => (await openFolder('sessions')).names();

/** Removes all that this package keeps in the browser: every session, open or not, and every model. @type {typeof import('./session.js').forgetEverything} */
export const forgetEverything = () => removeFolder();

/** @param {number} number */
const fileOf = (number) => String(number).padStart(8, '0');

/** The numbers of the records; one whose tab died while it was written is none. @param {Folder} records */
async function numbersOf(records) {
  const numbers = (await records.names()).map(Number);
  while (numbers.length > 0 && (await records.read(fileOf(lastOf(numbers)))) === null) {
    await records.remove(fileOf(lastOf(numbers)));
    numbers.pop();
  }
  return numbers;
}

/** @param {number[]} numbers at least one */
const lastOf = (numbers) => numbers[numbers.length - 1];

/** @param {unknown} name */
function checkName(name) {
  if (typeof name !== 'string' || name === '' || name.length > 100) {
    throw new InsituError(
      'argument',
      `A name must be a text of 1 to 100 characters, found ${typeof name === 'string' ? `${name.length} characters` : typeof name}.`,
    );
  }
}

/** The session for this tab alone, until what this resolves to is called. @param {string} name @returns {Promise<() => void>} */
async function acquire(name) {
  const { locks } = globalThis.navigator ?? {};
  if (!locks) return () => {};
  const key = `insitu-seg session ${name}`;
  for (;;) {
    try {
      return await granted(locks, key);
    } catch (cause) {
      // A machine under load may take longer than that to grant what nobody holds.
      const isTimeout = cause instanceof Error && cause.name === 'TimeoutError';
      if (isTimeout && !(await staysHeld(locks, key))) continue;
      throw new InsituError('io', `The session "${name}" is open in another tab or another part of this page: close it there first.`, {
        cause,
      });
    }
  }
}

/** Whether somebody holds a lock, now and a moment later. @param {LockManager} locks @param {string} key */
async function staysHeld(locks, key) {
  const isHeld = async () => (await locks.query()).held?.some((lock) => lock.name === key) ?? false;
  if (!(await isHeld())) return false;
  await new Promise((resolve) => setTimeout(resolve, MOMENT_MS));
  return isHeld();
}

/** A lock, as what releases it. @param {LockManager} locks @param {string} key @returns {Promise<() => void>} */
const granted = (locks, key) =>
  new Promise((resolve, reject) => {
    const held = () => /** @type {Promise<void>} */ (new Promise((release) => resolve(release)));
    locks.request(key, { signal: AbortSignal.timeout(WAIT_MS) }, held).catch(reject);
  });

class Session {
  #files;
  #records;
  #numbers;
  #release;
  #open = true;
  #tail = Promise.resolve();

  /** @param {string} name @param {Folder} files @param {Folder} records @param {number[]} numbers @param {() => void} release */
  constructor(name, files, records, numbers, release) {
    this.name = name;
    this.#files = files;
    this.#records = records;
    this.#numbers = numbers;
    this.#release = release;
  }

  /** How many records there are. */
  get length() {
    return this.#numbers.length;
  }

  /** Adds a record at the end: anything that JSON can hold, and bytes beside it. @param {unknown} entry @param {Uint8Array} [bytes] */
  append(entry, bytes = new Uint8Array()) {
    const line = JSON.stringify(entry);
    if (line === undefined)
      return Promise.reject(new InsituError('argument', `A record must be what JSON can hold, found ${typeof entry}.`));
    const head = new TextEncoder().encode(`${line}\n`);
    const content = new Uint8Array(head.length + bytes.length);
    content.set(head);
    content.set(bytes, head.length);
    return this.#turn(async () => {
      const number = (this.#numbers.at(-1) ?? -1) + 1;
      await this.#records.write(fileOf(number), content);
      this.#numbers.push(number);
    });
  }

  /** All records in order. @template [Entry=unknown] @returns {Promise<import('./session.js').SessionRecord<Entry>[]>} */
  records() {
    return this.#turn(() => Promise.all(this.#numbers.map((number) => this.#read(number))));
  }

  /** Forgets all records after the first `length`: what was undone is not to come back. @param {number} length */
  truncate(length) {
    return this.#turn(async () => {
      // From the end: stopped in the middle, it leaves a shorter list and no gap.
      while (this.#numbers.length > Math.max(0, length)) {
        await this.#records.remove(fileOf(lastOf(this.#numbers)));
        this.#numbers.pop();
      }
    });
  }

  /** Keeps a file under a name, in the place of the one before. @param {string} name @param {Content} content */
  put(name, content) {
    return this.#onFile(name, () => this.#files.write(name, content));
  }

  /** The file of that name, or null. @param {string} name */
  get(name) {
    return this.#onFile(name, () => this.#files.read(name));
  }

  /** @param {string} name */
  remove(name) {
    return this.#onFile(name, () => this.#files.remove(name));
  }

  /** The names of the files. */
  names() {
    return this.#turn(() => this.#files.names());
  }

  /** Lets another tab have it; what it holds stays. */
  close() {
    const closed = this.#tail.then(() => this.#end());
    this.#tail = closed;
    return closed;
  }

  /** Removes the session with all that it holds. */
  forget() {
    return this.#turn(async () => {
      await removeFolder('sessions', this.name);
      this.#end();
    });
  }

  #end() {
    this.#open = false;
    this.#release();
  }

  /** @param {number} number */
  async #read(number) {
    const file = await this.#records.read(fileOf(number));
    const bytes = new Uint8Array((await file?.arrayBuffer()) ?? []);
    const end = bytes.indexOf(10);
    if (end < 0)
      throw new InsituError('malformed', `Record ${number} of the session "${this.name}" is not one: the browser lost or changed it.`);
    return { entry: JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))), bytes: bytes.slice(end + 1) };
  }

  /** @template T @param {string} name @param {() => Promise<T>} work */
  #onFile(name, work) {
    return this.#turn(() => {
      checkName(name);
      return work();
    });
  }

  /** One after the other, in the order of the calls; a failure does not stop the next. @template T @param {() => Promise<T>} work @returns {Promise<T>} */
  #turn(work) {
    const done = this.#tail.then(() => {
      if (!this.#open) throw new InsituError('argument', `The session "${this.name}" was closed: open it again.`);
      return work();
    });
    this.#tail = done.then(
      () => {},
      () => {},
    );
    return done;
  }
}
