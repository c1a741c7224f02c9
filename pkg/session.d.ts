/**
 * What a person makes, kept in the browser's private files until it is forgotten: it outlives a tab that is closed and a
 * worker that dies. Needs a page served by https or from localhost, and Chrome 102, Firefox 111, Safari 16.4 or later.
 * @module
 */

/** A record of a session: what was appended. */
export interface SessionRecord<Entry = unknown> {
  entry: Entry;
  bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Records in order, and files by name. Calls wait for each other. Each record and each file is there whole or not at all,
 * whenever the tab dies. Errors are `InsituError`s: 'io' where the browser has no room left or refuses, with what was kept
 * before as it was; 'argument' after `close` or `forget`.
 */
export interface Session {
  readonly name: string;
  /** How many records there are. */
  readonly length: number;
  /** Adds a record at the end: anything that JSON can hold, and bytes beside it. */
  append(entry: unknown, bytes?: Uint8Array): Promise<void>;
  /** All records in order. */
  records<Entry = unknown>(): Promise<SessionRecord<Entry>[]>;
  /** Forgets all records after the first `length`. */
  truncate(length: number): Promise<void>;
  /** Keeps a file that is not empty, in the place of the one of that name. */
  put(name: string, content: Blob | ArrayBuffer | ArrayBufferView): Promise<void>;
  /** The file of that name, or null. */
  get(name: string): Promise<File | null>;
  remove(name: string): Promise<void>;
  /** The names of the files. */
  names(): Promise<string[]>;
  /** Lets another tab have it; what it holds stays. */
  close(): Promise<void>;
  /** Removes the session with all that it holds. */
  forget(): Promise<void>;
}

/** Opens a session, a new one or one from before. One tab at a time has it: elsewhere it is refused as 'io'. */
export function openSession(name?: string): Promise<Session>;

/** The names of all sessions that are kept. */
export function listSessions(): Promise<string[]>;

/** Removes all that this package keeps in the browser: every session, open or not, and every model. */
export function forgetEverything(): Promise<void>;
