/** As much of a DICOM file as tells which series it is of: whether it is one at all, and some of its first elements. */

/** Enough for the elements before the pixels, but for those that a vendor made large. */
const FIRST = 16 * 2 ** 10;
const MOST = 2 ** 20;

/** The sequence of bytes that says so, where a file has it. */
const PREAMBLE = 128;

/** Value representations whose length has four bytes. */
const LONG = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);

const UNDEFINED = 0xffffffff;
const BIG_ENDIAN = '1.2.840.10008.1.2.2';
const DEFLATED = '1.2.840.10008.1.2.1.99';
/** The list of contents of a medium: no image. */
const DICOMDIR = '1.2.840.10008.1.3.10';

const SYNTAX = 0x00020010;
const MEDIA_CLASS = 0x00020002;
const SOP_CLASS = 0x00080016;
const SOP = 0x00080018;
const STUDY = 0x0020000d;
const SERIES = 0x0020000e;
const PIXELS = 0x7fe00010;
const WANTED = new Set([SYNTAX, MEDIA_CLASS, SOP_CLASS, SOP, STUDY, SERIES]);

/**
 * What a file is of. Where its elements are packed, nobody can say: then the texts are empty.
 * @typedef {{ study: string, series: string, sop: string, isDirectory: boolean }} DicomHead
 */

/** The head of a DICOM file, with preamble or without; null where it is none. @param {Blob} file @returns {Promise<DicomHead | null>} */
export async function dicomHead(file) {
  for (let size = FIRST; ; size *= 8) {
    const bytes = new Uint8Array(await file.slice(0, size).arrayBuffer());
    const hasPreamble = String.fromCharCode(...bytes.subarray(PREAMBLE, PREAMBLE + 4)) === 'DICM';
    const found = elementsOf(bytes, hasPreamble ? PREAMBLE + 4 : 0);
    const isWhole = found.has(SERIES) || found.has(PIXELS) || bytes.length >= file.size || size >= MOST;
    if (!hasPreamble && !looksRight(found)) return null;
    if (!isWhole) continue;
    const text = (/** @type {number} */ tag) => found.get(tag) ?? '';
    return { study: text(STUDY), series: text(SERIES), sop: text(SOP), isDirectory: text(MEDIA_CLASS) === DICOMDIR };
  }
}

/** Without its mark a file is DICOM only where it names its own class. @param {Map<number, string>} found */
const looksRight = (found) => /^[12]\.\d[\d.]+$/.test(found.get(SOP_CLASS) ?? found.get(MEDIA_CLASS) ?? '');

/**
 * The wanted elements of the first bytes of a file, in order, up to the pixels or to what was not read.
 * @param {Uint8Array} bytes @param {number} start @returns {Map<number, string>} tag -> text; of pixels that they are there
 */
function elementsOf(bytes, start) {
  const view = new DataView(bytes.buffer);
  /** @type {Map<number, string>} */
  const found = new Map();
  let at = start;
  let last = -1;
  while (at + 8 <= bytes.length) {
    const isMeta = view.getUint16(at, true) === 2;
    const syntax = isMeta ? '' : found.get(SYNTAX);
    if (syntax === DEFLATED) break;
    const element = elementAt(view, at, syntax !== BIG_ENDIAN);
    // Tags only rise; where they do not, it is something else.
    if (element === null || element.tag <= last) break;
    last = element.tag;
    if (element.tag === PIXELS) found.set(PIXELS, 'there');
    if (element.tag >= PIXELS || element.end > bytes.length) break;
    if (WANTED.has(element.tag)) found.set(element.tag, textOf(bytes.subarray(element.value, element.end)));
    at = element.end;
  }
  return found;
}

/**
 * @param {DataView} view @param {number} at @param {boolean} little
 * @returns {{ tag: number, value: number, end: number } | null} null where it ends behind the bytes
 */
function elementAt(view, at, little) {
  const head = headAt(view, at, little);
  if (head === null) return null;
  const { tag, value, length } = head;
  const end = length === UNDEFINED ? endOfSequence(view, value, little) : value + length;
  return end === null ? null : { tag, value, end };
}

/** Past a sequence of unknown length, and past those within it. @param {DataView} view @param {number} from @param {boolean} little */
function endOfSequence(view, from, little) {
  let depth = 1;
  for (let at = from; at + 8 <= view.byteLength; ) {
    if (view.getUint16(at, little) === 0xfffe) {
      const [mark, length] = [view.getUint16(at + 2, little), view.getUint32(at + 4, little)];
      at += 8;
      // An item begins or ends, or the sequence does.
      if (mark === 0xe0dd && --depth === 0) return at;
      if (mark === 0xe000 && length !== UNDEFINED) at += length;
      continue;
    }
    const inner = headAt(view, at, little);
    if (inner === null) return null;
    if (inner.length === UNDEFINED) depth++;
    at = inner.value + (inner.length === UNDEFINED ? 0 : inner.length);
  }
  return null;
}

/** An element's tag, with or without its kind, and where its value lies. @param {DataView} view @param {number} at @param {boolean} little */
function headAt(view, at, little) {
  const tag = view.getUint16(at, little) * 2 ** 16 + view.getUint16(at + 2, little);
  const vr = String.fromCharCode(view.getUint8(at + 4), view.getUint8(at + 5));
  if (!/^[A-Z]{2}$/.test(vr)) return { tag, value: at + 8, length: view.getUint32(at + 4, little) };
  if (!LONG.has(vr)) return { tag, value: at + 8, length: view.getUint16(at + 6, little) };
  return at + 12 > view.byteLength ? null : { tag, value: at + 12, length: view.getUint32(at + 8, little) };
}

/** @param {Uint8Array} bytes */
const textOf = (bytes) => new TextDecoder('latin1').decode(bytes).replace(/[\0 ]+$/, '');
