/**
 * Images and label maps in NRRD, .nrrd and 3D Slicer's .seg.nrrd, with the names of their segments. Format: teem.sourceforge.net/nrrd/format.html.
 * Knows no page.
 */
/** @import { LabelClass } from '../edit/table.js' */
/** @import { Key } from '../i18n.js' */
/** @import { LabelMap } from './lattice.js' */
import { unpacked } from '../bytes.js';

/** @typedef {{ array: NumberArray, nifti: string }} NrrdType */
/** @typedef {typeof Uint8Array | typeof Int8Array | typeof Uint16Array | typeof Int16Array | typeof Uint32Array | typeof Int32Array | typeof Float32Array | typeof Float64Array} NumberArray */

/**
 * What a file holds: voxels in the order of the file, x fastest, of one volume after the other; `affine` takes voxels to mm, RAS+.
 * @typedef {{ dims: number[], volumes: number, affine: number[][], type: NrrdType, values: InstanceType<NumberArray>, keys: Map<string, string> }} Nrrd
 */

/** What a file has instead of what can be read. */
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

/** Types, and other names of them. @type {Record<string, NrrdType>} */
const TYPES = Object.fromEntries(
  /** @type {const} */ ([
    [{ array: Uint8Array, nifti: 'uint8' }, ['unsigned char', 'uchar', 'uint8', 'uint8_t']],
    [{ array: Int8Array, nifti: 'int8' }, ['signed char', 'int8', 'int8_t']],
    [{ array: Uint16Array, nifti: 'uint16' }, ['unsigned short', 'unsigned short int', 'ushort', 'uint16', 'uint16_t']],
    [{ array: Int16Array, nifti: 'int16' }, ['short', 'short int', 'signed short', 'signed short int', 'int16', 'int16_t']],
    [{ array: Uint32Array, nifti: 'uint32' }, ['unsigned int', 'uint', 'uint32', 'uint32_t']],
    [{ array: Int32Array, nifti: 'int32' }, ['int', 'signed int', 'int32', 'int32_t']],
    [{ array: Float32Array, nifti: 'float32' }, ['float']],
    [{ array: Float64Array, nifti: 'float64' }, ['double']],
  ]).flatMap(([type, names]) => names.map((name) => [name, type])),
);
/** Signs by which the axes of a space become right, anterior, superior. @type {Record<string, number[]>} */
const SPACES = {
  'left-posterior-superior': [-1, -1, 1],
  'right-anterior-superior': [1, 1, 1],
  'left-anterior-superior': [-1, 1, 1],
  ...{ lps: [-1, -1, 1], ras: [1, 1, 1], las: [-1, 1, 1] },
};
/** Millimetres of the units of all three axes. @type {Record<string, number>} */
const UNITS = { '"mm"': 1, '"cm"': 10, '"m"': 1000, '"um"': 0.001, '"µm"': 0.001, '""': 1 };
/** What NIfTI can say. */
const MOST_SIDE = 32767;
/** Far more than a header of a thousand segments takes. */
const HEADER_MOST = 1 << 20;

/** Whether bytes begin as NRRD does. @param {Uint8Array} bytes */
export const isNrrd = (bytes) => new TextDecoder().decode(bytes.subarray(0, 4)) === 'NRRD';

/** A label map: one volume of whole numbers. @param {Uint8Array<ArrayBuffer>} file @returns {Promise<LabelMap>} */
export async function readNrrd(file) {
  const { dims, affine, values, keys } = await openNrrd(file, { mostAxes: 3, isLabels: true });
  return { dims, affine, values, classes: segmentsOf(keys) };
}

/**
 * An image, or whatever else the file holds.
 * @param {Uint8Array<ArrayBuffer>} file @param {{ mostAxes?: 3 | 4, isLabels?: boolean }} [wanted] @returns {Promise<Nrrd>}
 * @throws {NrrdFault} by the field that is wrong
 */
export async function openNrrd(file, { mostAxes = 4, isLabels = false } = {}) {
  const { fields, keys, end } = headerOf(file);
  const field = (/** @type {string} */ name) => fields.get(name) ?? '';
  const sizes = field('sizes').split(/\s+/).map(Number);
  // Slicer puts segments that overlap into layers, which are a fourth axis.
  if (sizes.length < 3 || sizes.length > mostAxes) throw new NrrdFault('sizes', field('sizes'), isLabels ? 'nrrdLayers' : 'nrrdAxes');
  if (!sizes.every((size) => Number.isInteger(size) && size > 0 && size <= MOST_SIDE))
    throw new NrrdFault('sizes', field('sizes'), 'nrrdSizes', { most: MOST_SIDE });
  if (fields.has('data file') || fields.has('datafile')) throw new NrrdFault('data file', field('data file'), 'nrrdSameFile');
  const type = TYPES[field('type')];
  if (!type || (isLabels && type.nifti.startsWith('float')))
    throw new NrrdFault('type', field('type'), isLabels ? 'nrrdType' : 'nrrdNumbers');
  const { affine, list } = axesOf(field, sizes.length);
  const bytes = await voxelsOf(field, file.subarray(end), type, sizes);
  const values = new type.array(bytes.buffer, bytes.byteOffset, bytes.length / type.array.BYTES_PER_ELEMENT);
  const dims = sizes.filter((_, axis) => axis !== list);
  const volumes = list === undefined ? 1 : sizes[list];
  // Several values of each voxel beside each other: one volume after the other from here on.
  const isMixed = list !== undefined && list < 3;
  return { dims, volumes, affine, type, values: isMixed ? unmixed(values, sizes, list) : values, keys };
}

/**
 * The voxels of all volumes, unpacked and little-endian.
 * @param {(name: string) => string} field @param {Uint8Array<ArrayBuffer>} packed @param {NrrdType} type @param {number[]} sizes
 */
async function voxelsOf(field, packed, { array }, sizes) {
  if (!['raw', 'gzip', 'gz'].includes(field('encoding'))) throw new NrrdFault('encoding', field('encoding'), 'nrrdEncoding');
  for (const name of ['line skip', 'byte skip']) if (Number(field(name)) !== 0) throw new NrrdFault(name, field(name), 'nrrdNoSkip');
  const width = array.BYTES_PER_ELEMENT;
  const length = sizes.reduce((product, size) => product * size, width);
  const all = await unpacked(new Blob([packed]));
  if (all.length < length) throw new NrrdFault('voxels', String(all.length), 'nrrdLength', { length });
  const bytes = all.subarray(0, length);
  if (width > 1 && field('endian') === 'big') for (let i = 0; i < length; i += width) bytes.subarray(i, i + width).reverse();
  return bytes;
}

/** @param {InstanceType<NumberArray>} values @param {number[]} sizes @param {number} list the axis of the volumes */
function unmixed(values, sizes, list) {
  const out = values.slice();
  const inner = sizes.slice(0, list).reduce((a, b) => a * b, 1);
  const count = sizes[list];
  const outer = values.length / inner / count;
  let from = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < count; c++) for (let i = 0; i < inner; i++) out[i + inner * (o + outer * c)] = values[from++];
  }
  return out;
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

/** Where voxels lie, and which axis is that of several volumes. @param {(name: string) => string} field @param {number} count of axes */
function axesOf(field, count) {
  const signs = SPACES[field('space').toLowerCase()];
  if (!signs) throw new NrrdFault('space', field('space'), 'nrrdSpace');
  const vectors = (/** @type {string} */ name) =>
    (field(name).match(/none|\([^)]*\)/g) ?? []).map((one) => (one === 'none' ? null : one.slice(1, -1).split(',').map(Number)));
  const [directions, [origin]] = [vectors('space directions'), vectors('space origin')];
  const list = directions.indexOf(null);
  const columns = [...directions.filter((one) => one !== null), origin];
  const isSound = (/** @type {number[] | null | undefined} */ column) => column?.length === 3 && column.every(Number.isFinite);
  if (directions.length !== count || columns.length !== 4 || !columns.every(isSound))
    throw new NrrdFault('space directions', field('space directions'), 'nrrdVectors');
  const units = [...new Set(field('space units').match(/"[^"]*"/g) ?? ['"mm"'])].join(' ');
  const mm = UNITS[units];
  if (!mm) throw new NrrdFault('space units', units, 'nrrdUnits');
  const affine = [...signs.map((sign, row) => columns.map((column) => sign * mm * (column?.[row] ?? 0) + 0)), [0, 0, 0, 1]];
  return { affine, list: list < 0 ? undefined : list };
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

/** As many different values label maps have at most that do not say that they are some. */
const MOST_LABELS = 64;

/**
 * Whether a file is a label map and no image: by its segments, or as it has few different whole numbers and no more than labels may be.
 * @param {Nrrd} nrrd
 */
export function isLabelMap({ keys, type, volumes, values }) {
  if (keys.has('Segment0_LabelValue') || keys.has('Segment0_ID')) return true;
  if (volumes > 1 || type.nifti.startsWith('float')) return false;
  const seen = new Set();
  for (const value of values) {
    if (value < 0 || value > 254) return false;
    seen.add(value);
    if (seen.size > MOST_LABELS) return false;
  }
  return true;
}
