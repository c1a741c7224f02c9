/**
 * Label maps in NRRD, .nrrd and 3D Slicer's .seg.nrrd, with the names of their segments. Format: teem.sourceforge.net/nrrd/format.html.
 * Knows no page.
 */
/** @import { LabelClass } from '../edit/table.js' */
/** @import { Key } from '../i18n.js' */
/** @import { LabelMap } from './lattice.js' */
import { unpacked } from '../bytes.js';

/** What a file has instead of a label map that can be read. */
export class NrrdFault extends Error {
  /**
   * @param {string} field of the format @param {string} found @param {Key} expected the sentence that says what was expected
   * @param {Record<string, number>} [values] of that sentence
   */
  constructor(field, found, expected, values = {}) {
    super(`${field}: ${found || '–'}, ${expected}`);
    this.field = field;
    this.found = found || '–';
    this.expected = expected;
    this.values = values;
  }
}

const ARRAYS = {
  'unsigned char': Uint8Array,
  'signed char': Int8Array,
  'unsigned short': Uint16Array,
  short: Int16Array,
  'unsigned int': Uint32Array,
  int: Int32Array,
};
/** Other names of the types. @type {Record<string, keyof typeof ARRAYS>} */
const TYPES = {
  ...{ uchar: 'unsigned char', uint8: 'unsigned char', uint8_t: 'unsigned char', int8: 'signed char', int8_t: 'signed char' },
  ...{
    ushort: 'unsigned short',
    uint16: 'unsigned short',
    uint16_t: 'unsigned short',
    int16: 'short',
    int16_t: 'short',
    'signed short': 'short',
  },
  ...{ uint: 'unsigned int', uint32: 'unsigned int', uint32_t: 'unsigned int', int32: 'int', int32_t: 'int', 'signed int': 'int' },
};
/** Signs by which the axes of a space become right, anterior, superior. @type {Record<string, number[]>} */
const SPACES = {
  'left-posterior-superior': [-1, -1, 1],
  'right-anterior-superior': [1, 1, 1],
  'left-anterior-superior': [-1, 1, 1],
  ...{ lps: [-1, -1, 1], ras: [1, 1, 1], las: [-1, 1, 1] },
};
/** Far more than a header of a thousand segments takes. */
const HEADER_MOST = 1 << 20;

/** Whether bytes begin as NRRD does. @param {Uint8Array} bytes */
export const isNrrd = (bytes) => new TextDecoder().decode(bytes.subarray(0, 4)) === 'NRRD';

/** @param {Uint8Array<ArrayBuffer>} file @returns {Promise<LabelMap>} */
export async function readNrrd(file) {
  const { fields, keys, end } = headerOf(file);
  const field = (/** @type {string} */ name) => fields.get(name) ?? '';
  const dims = field('sizes').split(/\s+/).map(Number);
  // Slicer puts segments that overlap into layers, which are a fourth axis.
  if (dims.length !== 3) throw new NrrdFault('sizes', field('sizes'), 'nrrdLayers');
  if (fields.has('data file') || fields.has('datafile')) throw new NrrdFault('data file', field('data file'), 'nrrdSameFile');
  const Values = ARRAYS[TYPES[field('type')] ?? /** @type {keyof typeof ARRAYS} */ (field('type'))];
  if (!Values) throw new NrrdFault('type', field('type'), 'nrrdType');
  const count = dims[0] * dims[1] * dims[2];
  const length = count * Values.BYTES_PER_ELEMENT;
  const voxels = await unpacked(new Blob([file.subarray(end)]));
  if (!['raw', 'gzip', 'gz'].includes(field('encoding'))) throw new NrrdFault('encoding', field('encoding'), 'nrrdEncoding');
  if (!(voxels.length >= length)) throw new NrrdFault('voxels', String(voxels.length), 'nrrdLength', { length });
  if (Values.BYTES_PER_ELEMENT > 1 && field('endian') === 'big') throw new NrrdFault('endian', 'big', 'nrrdLittle');
  return { dims, affine: affineOf(field), values: new Values(voxels.buffer, 0, count), classes: segmentsOf(keys) };
}

/** Fields (`name: value`) and keys (`name:=value`) of the header, and where the voxels begin. @param {Uint8Array} file */
function headerOf(file) {
  const text = new TextDecoder().decode(file.subarray(0, HEADER_MOST));
  const bytes = (/** @type {string} */ part) => new TextEncoder().encode(part).length;
  const [ending] = /\r?\n\r?\n/.exec(text) ?? [];
  if (!isNrrd(file) || !ending) throw new NrrdFault('header', '', 'nrrdHeader');
  const head = text.slice(0, text.indexOf(ending));
  /** @type {Map<string, string>} */
  const fields = new Map();
  /** @type {Map<string, string>} */
  const keys = new Map();
  for (const line of head.split(/\r?\n/).slice(1)) {
    const [, name, sign, value] = /^([^#:][^:]*)(:=|:)\s*(.*)$/.exec(line) ?? [];
    if (sign === ':=') keys.set(name, value);
    else if (sign) fields.set(name.toLowerCase(), value.trim());
  }
  return { fields, keys, end: bytes(head) + bytes(ending) };
}

/** @param {(name: string) => string} field */
function affineOf(field) {
  const signs = SPACES[field('space').toLowerCase()];
  if (!signs) throw new NrrdFault('space', field('space'), 'nrrdSpace');
  const vectors = (/** @type {string} */ name) =>
    [...field(name).matchAll(/\(([^)]*)\)/g)].map(([, numbers]) => numbers.split(',').map(Number));
  const [directions, [origin]] = [vectors('space directions'), vectors('space origin')];
  const columns = [...directions, origin];
  const sound = columns.length === 4 && columns.every((column) => column?.length === 3 && column.every(Number.isFinite));
  if (!sound) throw new NrrdFault('space directions', field('space directions'), 'nrrdVectors');
  return [...signs.map((sign, row) => columns.map((column) => sign * column[row] + 0)), [0, 0, 0, 1]];
}

/** The segments that Slicer and we name. @param {Map<string, string>} keys @returns {LabelClass[]} */
function segmentsOf(keys) {
  const numbers = [...keys.keys()].flatMap((key) => /^Segment(\d+)_LabelValue$/.exec(key)?.[1] ?? []);
  return numbers.map((n) => {
    const key = (/** @type {string} */ name) => keys.get(`Segment${n}_${name}`) ?? '';
    const part = (/** @type {string} */ share) =>
      Math.round(255 * Number(share))
        .toString(16)
        .padStart(2, '0');
    const shares = key('Color').split(/\s+/);
    const isColor = shares.length === 3 && shares.every((share) => Number(share) >= 0 && Number(share) <= 1);
    return {
      index: Number(key('LabelValue')),
      name: key('Name'),
      ...(isColor ? { color: `#${shares.map(part).join('')}` } : { color: '#999999' }),
    };
  });
}
