/**
 * What a person makes must outlive a tab that is closed and a worker that dies. A session is a list of records (a
 * stroke, a run, a training: whatever the caller wants to find again, in order) and some named files (the image, the
 * mask, tuned weights), kept in the browser. Each record and each file is there whole or not at all.
 *
 *   sessions/<name>/records/00000042   a line of JSON, then the record's bytes
 *   sessions/<name>/files/<file>       as given
 */
import { InsituError } from './error.js';
import { openFolder, removeFolder } from './opfs.js';

/** A tab that is being closed lets go of its session a moment later. */
const WAIT_MS = 3_000;

/**
 * Opens a session, a new one or one from before; one tab at a time has it.
 * @param {string} [name]
 * @returns {Promise<Session>}
 */
export async function openSession(name = 'default') {
  checkName(name);
  const letGo = await hold(name);
  try {
    const [files, records] = await Promise.all([openFolder('sessions', name, 'files'), openFolder('sessions', name, 'records')]);
    return new Session(name, files, records, await numbersOf(records), letGo);
  } catch (error) {
    letGo();
    throw error;
  }
}

/** The names of all sessions that are kept. */
export const listSessions = async () => (await openFolder('sessions')).names();

/** Removes all that this package keeps in the browser: every session, open or not, and every model. */
export const forgetEverything = () => removeFolder();

const fileOf = (number) => String(number).padStart(8, '0');

/** The numbers of the records; one whose tab died while it was written is none. */
async function numbersOf(records) {
  const numbers = (await records.names()).map(Number);
  while (numbers.length > 0 && (await records.read(fileOf(numbers.at(-1)))) === null) await records.remove(fileOf(numbers.pop()));
  return numbers;
}

function checkName(name) {
  if (typeof name !== 'string' || name === '' || name.length > 100) {
    throw new InsituError(
      'argument',
      `A name must be a text of 1 to 100 characters, found ${typeof name === 'string' ? `${name.length} characters` : typeof name}.`,
    );
  }
}

/** Takes the session for this tab; resolves to what gives it back. */
async function hold(name) {
  const { locks } = globalThis.navigator ?? {};
  if (!locks) return () => {};
  const key = `insitu-seg session ${name}`;
  for (;;) {
    try {
      return await granted(locks, key);
    } catch (cause) {
      // A machine under load may take longer than that to grant what nobody holds.
      const late = cause.name === 'TimeoutError' && !(await locks.query()).held.some((lock) => lock.name === key);
      if (late) continue;
      throw new InsituError('io', `The session "${name}" is open in another tab or another part of this page: close it there first.`, {
        cause,
      });
    }
  }
}

/** A lock, as what lets it go. */
const granted = (locks, key) =>
  new Promise((resolve, reject) => {
    const held = () => new Promise((letGo) => resolve(letGo));
    locks.request(key, { signal: AbortSignal.timeout(WAIT_MS) }, held).catch(reject);
  });

class Session {
  #files;
  #records;
  #numbers;
  #letGo;
  #open = true;
  #tail = Promise.resolve();

  constructor(name, files, records, numbers, letGo) {
    this.name = name;
    this.#files = files;
    this.#records = records;
    this.#numbers = numbers;
    this.#letGo = letGo;
  }

  /** How many records there are. */
  get length() {
    return this.#numbers.length;
  }

  /** Adds a record at the end: anything that JSON can hold, and bytes beside it. */
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

  /** All records in order: { entry, bytes }. */
  records() {
    return this.#turn(() => Promise.all(this.#numbers.map((number) => this.#read(number))));
  }

  /** Forgets all records after the first `length`: what was undone is not to come back. */
  truncate(length) {
    return this.#turn(async () => {
      // From the end: stopped in the middle, it leaves a shorter list and no gap.
      while (this.#numbers.length > Math.max(0, length)) {
        await this.#records.remove(fileOf(this.#numbers.at(-1)));
        this.#numbers.pop();
      }
    });
  }

  /** Keeps a file (a Blob, an ArrayBuffer or a view) under a name, in the place of the one before. */
  put(name, content) {
    return this.#turn(() => (checkName(name), this.#files.write(name, content)));
  }

  /** The file of that name, or null. */
  get(name) {
    return this.#turn(() => (checkName(name), this.#files.read(name)));
  }

  remove(name) {
    return this.#turn(() => (checkName(name), this.#files.remove(name)));
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
    this.#letGo();
  }

  async #read(number) {
    const file = await this.#records.read(fileOf(number));
    const bytes = new Uint8Array((await file?.arrayBuffer()) ?? 0);
    const end = bytes.indexOf(10);
    if (end < 0)
      throw new InsituError('malformed', `Record ${number} of the session "${this.name}" is not one: the browser lost or changed it.`);
    return { entry: JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))), bytes: bytes.slice(end + 1) };
  }

  /** One after the other, in the order of the calls; a failure does not stop the next. */
  #turn(work) {
    const done = this.#tail.then(() => {
      if (!this.#open) throw new InsituError('argument', `The session "${this.name}" was closed: open it again.`);
      return work();
    });
    this.#tail = done.catch(() => {});
    return done;
  }
}
