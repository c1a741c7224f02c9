/** What the converter warns of, per file that it made, and in the page's language where the page knows the sentence. */
import { t } from '../i18n.js';

/** Said of nearly every file, and of nothing that is wrong: who built the scanner; slices that are sorted by where they lie. */
const IDLE = /manufacturer|order is not spatial/i;

/** Ours, of a series that is a single slice. */
export const ONE_SLICE = 'one-slice';

/** @param {string} line */
export const isUneven = (line) => /interslice distance varies/i.test(line);

/**
 * The warnings of one run, by what was made: they come before the line that says so.
 * @param {string[]} lines
 */
export function warningsOf(lines) {
  /** @type {Map<string, string[]>} */
  const found = new Map();
  /** @type {string[]} */
  let now = [];
  for (const line of lines) {
    const warning = /warning: (.+)/i.exec(line)?.[1];
    if (warning && !IDLE.test(warning)) now.push(warning);
    const stem = /^Convert \d+ DICOM as \/out\/(.+) \(/.exec(line)?.[1];
    if (stem === undefined) continue;
    found.set(stem, [...new Set(now)]);
    now = [];
  }
  /** @param {string} stem of a file that was made, or made of another */
  const of = (stem) => {
    const key = [...found.keys()].filter((one) => stem.startsWith(one)).sort((a, b) => b.length - a.length)[0];
    const tilt = /_Tilt/.test(stem) ? ['gantry-tilt'] : [];
    return [...(found.get(key ?? '') ?? []), ...tilt];
  };
  return { of };
}

/** A warning as a sentence of the page, where it knows it. @param {string} warning */
export function warningInWords(warning) {
  if (isUneven(warning)) return { text: t('dicomUneven'), isPages: true };
  const missing = /Missing images\? Expected (\d+) images, but instance number \S+ ranges from (\d+) to (\d+)/.exec(warning);
  if (missing) return { text: t('dicomMissing', { found: missing[1], first: missing[2], last: missing[3] }), isPages: true };
  if (warning === ONE_SLICE) return { text: t('dicomOneSlice'), isPages: true };
  if (/gantry.tilt/i.test(warning)) return { text: t('dicomTilt'), isPages: true };
  return { text: warning.replace(/\.?$/, '.'), isPages: false };
}
