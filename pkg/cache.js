/**
 * Models that the browser keeps for the next visit: cards by the URL they came from, weights by their SHA-256, so that
 * another version is another file. Nothing is used or kept whose hash is not the card's. Where the browser keeps no
 * files, or has no room, all is fetched as if this file were not there, and `notes` says why.
 */
/** @import { Folder } from './opfs.js' */
import { InsituError, messageOf } from './error.js';
import { openFolder } from './opfs.js';

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

/** @param {boolean} wanted */
export async function openCache(wanted) {
  if (!wanted) return new Cache();
  try {
    const [cards, weights] = await Promise.all([openFolder('models', 'cards'), openFolder('models', 'weights')]);
    return new Cache(cards, weights);
  } catch (error) {
    return new Cache(undefined, undefined, error instanceof InsituError && error.code === 'unsupported' ? [] : [notKept(error)]);
  }
}

/** @param {unknown} error */
const notKept = (error) => `The model is not kept for the next visit: ${messageOf(error)}`;

class Cache {
  /** Whether any weights came from the network. */
  fetched = false;
  #cards;
  #weights;

  /** @param {Folder} [cards] @param {Folder} [weights] @param {string[]} [notes] */
  constructor(cards, weights, notes = []) {
    this.#cards = cards;
    this.#weights = weights;
    this.notes = notes;
  }

  /**
   * The card from the network, as it may have changed; where there is no network, the one from the last visit.
   * @param {string} url @param {() => Promise<Bytes>} fetchCard
   */
  async card(url, fetchCard) {
    try {
      const bytes = await fetchCard();
      await this.#keep(this.#cards, url, bytes);
      return bytes;
    } catch (error) {
      const old = await this.#find(this.#cards, url);
      if (!old || !(error instanceof Error && 'unreachable' in error)) throw error;
      this.notes.push(`The model card is the one of the last visit: ${error.message}`);
      return old;
    }
  }

  /** @param {string} name @param {string} sha256 @param {() => Promise<Bytes>} fetchWeights */
  async weights(name, sha256, fetchWeights) {
    const old = await this.#find(this.#weights, sha256);
    if (old && (await hashOf(old)) === sha256) return old;
    this.fetched = true;
    const bytes = await fetchWeights();
    const found = await hashOf(bytes);
    // The engine hashes once more, whatever the road; a browser without `crypto.subtle` keeps nothing.
    if (found === undefined) return bytes;
    if (found !== sha256) {
      throw new InsituError(
        'malformed',
        `${name}: found SHA-256 ${found}, expected ${sha256}, as model.json says: the file is damaged or of another version.`,
      );
    }
    await this.#keep(this.#weights, sha256, bytes);
    return bytes;
  }

  /** @param {Folder | undefined} folder @param {string} name */
  async #find(folder, name) {
    const file = await folder?.read(name).catch(() => null);
    return file ? new Uint8Array(await file.arrayBuffer()) : null;
  }

  /** @param {Folder | undefined} folder @param {string} name @param {Bytes} bytes */
  async #keep(folder, name, bytes) {
    try {
      await folder?.write(name, bytes);
    } catch (error) {
      const note = notKept(error);
      if (!this.notes.includes(note)) this.notes.push(note);
    }
  }
}

/** @param {Bytes} bytes */
async function hashOf(bytes) {
  if (!globalThis.crypto?.subtle) return undefined;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
