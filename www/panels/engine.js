/** Where the network runs, in the header and, with the reason, under the button; and which model it is. */
/** @import { ModelCard } from 'insitu-seg' */
/** @import { Segmenter } from '../types.js' */
import { $ } from '../dom.js';
import { t } from '../i18n.js';
import { state } from '../state.js';
import { writeSentence } from './words.js';

export function setUpEngine() {
  state.on('segmenter', (segmenter) => {
    showBackend(segmenter);
    if (segmenter) showModel(segmenter.model);
  });
}

/** @param {Segmenter | null} segmenter */
function showBackend(segmenter) {
  document.documentElement.dataset.backend = segmenter?.backend ?? 'none';
  $('backend-name').textContent = segmenter ? nameOf(segmenter) : t('notStarted');
  if (segmenter) writeSentence($('why'), segmenter.why);
}

/** @param {Segmenter} segmenter */
function nameOf({ backend, adapter, threads }) {
  if (backend === 'webgpu') return t('onGpu', { adapter: adapter || 'WebGPU' });
  return threads > 1 ? t('onThreads', { threads }) : t('onCpu');
}

/** @param {ModelCard} model */
function showModel({ title, name, licence, intended_use: use, limits }) {
  $('model').textContent = licence ? t('model', { title: title ?? name, licence }) : t('modelBare', { title: title ?? name });
  const words = [use, limits].flat().filter(Boolean).join(' ');
  $('intended-words').textContent = words;
  $('intended').hidden = words === '';
}

/** A way out where the GPU was asked for and cannot be had. */
export const offerCpu = () => ($('instead').hidden = false);
