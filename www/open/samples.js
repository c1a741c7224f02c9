/** The volumes that come with the page: a whole head, which a newcomer sees first, and a crop around one hippocampus. */
/** @import { Case } from '../types.js' */
/** @import { Key } from '../i18n.js' */
import cropUrl from 'insitu-seg/samples/hippocampus/image.nii.gz?url';
import { pageError } from '../errors.js';
import { t } from '../i18n.js';
import headUrl from '../samples/head/image.nii.gz?url';
import { newCase } from './new-case.js';

/** @typedef {{ name: string, url: string, title: Key, origin: Key }} Sample `name`: of its file, by which it is known again */

/** @satisfies {Record<string, Sample>} */
export const SAMPLES = {
  head: { name: 'sample-head.nii.gz', url: headUrl, title: 'sampleHead', origin: 'sampleHeadOrigin' },
  crop: { name: 'sample.nii.gz', url: cropUrl, title: 'sampleCrop', origin: 'sampleCropOrigin' },
};

/** @typedef {keyof typeof SAMPLES} SampleName */

export const SAMPLE_NAMES = /** @type {SampleName[]} */ (Object.keys(SAMPLES));

/** The sample of the address (`?sample=crop`), or the head. @param {string} query @returns {SampleName} */
export const firstSample = (query) => SAMPLE_NAMES.find((name) => name === new URLSearchParams(query).get('sample')) ?? 'head';

/** Which sample a volume is. @param {Pick<Case, 'name' | 'isSample'>} one @returns {SampleName | undefined} */
export const sampleOf = (one) => (one.isSample ? SAMPLE_NAMES.find((name) => SAMPLES[name].name === one.name) : undefined);

/** @param {SampleName} which @returns {Promise<Case>} */
export async function fetchSample(which) {
  const { name, url } = SAMPLES[which];
  // What is kept for visits without a network is not asked for again.
  const kept = await globalThis.caches?.match(url).catch(() => undefined);
  const response = kept ?? (await fetch(url));
  if (!response.ok) throw pageError('io', t('sampleFailed', { status: response.status }));
  return newCase({ name, title: name, input: new File([await response.blob()], name), isSample: true });
}
