/** Volumes that the page's address names: `?volume=ADDRESS`, or `?url=`, once for each. They come from the page's own server, as its policy says. */
/** @import { Case } from '../types.js' */
import { pageError } from '../errors.js';
import { t } from '../i18n.js';
import { lastOf } from './paths.js';

/** @param {string} query of the page's address */
export function linkedVolumes(query) {
  const asked = new URLSearchParams(query);
  return [...asked.getAll('volume'), ...asked.getAll('url')];
}

/**
 * The box of the address, `?box=X,Y,Z,X,Y,Z` or `?box=NAME=...`: voxels of the file, from the first to before the second corner, as the
 * command takes it.
 * @param {string} query @returns {NonNullable<Case['linkedBox']> | null}
 */
export function linkedBox(query) {
  const asked = new URLSearchParams(query).get('box');
  if (asked === null) return null;
  const [, object, list] = /^(?:(\w+)=)?((?:\d+,){5}\d+)$/.exec(asked.replaceAll(' ', '')) ?? [];
  const numbers = list?.split(',').map(Number) ?? [];
  const [start, end] = [numbers.slice(0, 3), numbers.slice(3)].map((corner) => /** @type {[number, number, number]} */ (corner));
  if (numbers.length !== 6 || start.some((at, axis) => at >= end[axis])) throw pageError('argument', t('linkBox', { found: asked }));
  return { start, end, ...(object === undefined ? {} : { object }) };
}

/** @param {string} address relative to the page @returns {Promise<File>} */
export async function fetchVolume(address) {
  if (!URL.canParse(address, location.href)) throw pageError('argument', t('linkBad', { address }));
  const url = new URL(address, location.href);
  const response = await fetch(url).catch((thrown) => {
    throw pageError('io', t('linkFailed', { address: url.href, reason: thrown.message }), { cause: thrown });
  });
  if (!response.ok) throw pageError('io', t('linkFailed', { address: url.href, reason: `HTTP ${response.status}` }));
  return new File([await response.blob()], decodeURIComponent(lastOf(url.pathname)) || 'volume.nii.gz');
}
