/** Volumes that the page's address names: `?volume=ADDRESS`, or `?url=`, once for each. They come from the page's own server, as its policy says. */
import { pageError } from '../errors.js';
import { t } from '../i18n.js';
import { lastOf } from './paths.js';

/** @param {string} query of the page's address */
export function linkedVolumes(query) {
  const asked = new URLSearchParams(query);
  return [...asked.getAll('volume'), ...asked.getAll('url')];
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
