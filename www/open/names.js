/** What open volumes are called, in the list and in the files that are saved: by their files, with folders where names repeat. */
/** @import { Case } from '../types.js' */
import { t } from '../i18n.js';
import { state } from '../state.js';
import { folderOf, lastOf, stem, tellApart } from './paths.js';
import { SAMPLES, sampleOf } from './samples.js';

/** Where its file lay, as far as that is known. @param {Case} one */
export const pathOfCase = ({ path, name }) => path ?? name;

/** The open volumes, and this one among them. @param {Case} one */
function withOthers(one) {
  const all = state.cases.includes(one) ? [...state.cases] : [...state.cases, one];
  return { all, at: all.indexOf(one) };
}

/** As it is shown: both names of a pair. @param {Case} one */
export function titleOf(one) {
  const sample = sampleOf(one);
  if (sample) return t(SAMPLES[sample].title);
  const { all, at } = withOthers(one);
  return tellApart(all.map((other) => folderOf(pathOfCase(other)) + other.title))[at];
}

/** The name of its file, of a pair that of the header. @param {Case} one */
export function fileNameOf(one) {
  const { all, at } = withOthers(one);
  return tellApart(all.map(pathOfCase))[at];
}

/** For the names of the files that are saved of it: no other open volume has the same. @param {Case} one */
export function savedName(one) {
  const { all, at } = withOthers(one);
  const names = tellApart(all.map(pathOfCase).map((path) => folderOf(path) + stem(lastOf(path))));
  return tellApart(names.map((name) => name.replaceAll('/', '_')))[at].replace(/ \((\d+)\)$/, '-$1');
}

/** Names as a sentence lists them, the first of many. @param {readonly string[]} names */
export function listed(names) {
  const MOST = 8;
  return names.length <= MOST ? names.join(', ') : `${names.slice(0, MOST).join(', ')}, … (${names.length})`;
}
