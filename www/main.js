/**
 * The page: an image, one button, a mask. This file holds what happens when; view.js draws the slices,
 * panel.js writes the words, files.js opens and saves.
 */
import { InsituError, createSegmenter } from 'insitu-seg';
import sampleUrl from 'insitu-seg/samples/hippocampus/image.nii.gz?url';
import { onFile, save } from './files.js';
import * as panel from './panel.js';
import { createView } from './view.js';

const SAMPLE = { name: 'sample.nii.gz', title: 'Sample' };
const $ = (id) => document.getElementById(id);

let view;
let segmenter;
let sample;
/** The open image, { name, title, blob }, and the result of its last run. */
let image;
let last = null;
let abort = null;
let drawn = null;

/** Draws the slices of `next`, once: the sample is drawn while the engine is still being loaded. */
async function draw(next) {
  if (drawn === next) return;
  await view?.showImage(new Uint8Array(await next.blob.arrayBuffer()));
  drawn = next;
}

/** Shows `thrown` as one sentence; the page stays as it was and can be used. */
function fail(thrown) {
  if (!(thrown instanceof InsituError)) console.error(thrown);
  panel.showError(thrown.message);
  panel.setState('error');
}

/** Makes `next` the open image, if it can be read; otherwise the image before it stays. */
async function open(next) {
  panel.clearError();
  panel.setState('opening');
  try {
    const info = await segmenter.inspect(next.blob);
    await draw(next);
    view?.clearMask();
    image = next;
    last = null;
    panel.showImage(image, info, image === sample);
    panel.clearResult();
    panel.setState('ready');
  } catch (thrown) {
    fail(withName(thrown, next.title));
  }
}

function withName(thrown, name) {
  return thrown instanceof InsituError && !thrown.message.includes(name) ? new InsituError(thrown.code, `${name}: ${thrown.message}`) : thrown;
}

async function segment() {
  panel.clearError();
  panel.clearResult();
  view?.clearMask();
  last = null;
  abort = new AbortController();
  panel.setState('running');
  try {
    const result = await segmenter.segment(image.blob, { signal: abort.signal, onProgress: panel.showProgress });
    await view?.showMask(result.toNifti(), result.classes);
    last = result;
    panel.showResult(result);
    panel.setState('done');
  } catch (thrown) {
    if (thrown.code === 'cancelled') {
      panel.setState('ready');
      panel.say('Cancelled. The image is unchanged.');
    } else {
      fail(withName(thrown, image.title));
    }
  }
  panel.showBackend(segmenter);
}

async function fetchSample() {
  const response = await fetch(sampleUrl);
  if (!response.ok) throw new InsituError('io', `The sample could not be fetched (the server answered ${response.status}).`);
  return { ...SAMPLE, blob: new File([await response.blob()], SAMPLE.name) };
}

async function start() {
  panel.showSides(false);
  $('segment').addEventListener('click', segment);
  $('cancel').addEventListener('click', () => abort?.abort());
  $('sample').addEventListener('click', () => open(sample));
  $('download').addEventListener('click', () => save(last.toNifti(), panel.stem(image.name) + '_mask.nii.gz', 'application/gzip'));
  $('download-csv').addEventListener('click', () => save(last.toCsv(), panel.stem(image.name) + '_volumes.csv', 'text/csv'));
  $('opacity').addEventListener('input', (event) => view?.setOpacity(event.target.valueAsNumber));
  $('radiological').addEventListener('change', (event) => {
    view?.setRadiological(event.target.checked);
    panel.showSides(event.target.checked);
  });
  onFile((file) => {
    if (segmenter && panel.getState() !== 'running') open({ name: file.name, title: file.name, blob: file });
  });

  try {
    view = await createView($('slices'), $('opacity').valueAsNumber, panel.showWhere);
  } catch (thrown) {
    panel.showViewNotice(thrown.message);
  }
  try {
    const backend = new URLSearchParams(location.search).get('backend') ?? 'auto';
    sample = await fetchSample();
    [segmenter] = await Promise.all([createSegmenter({ backend }), draw(sample)]);
  } catch (thrown) {
    panel.showBackend(null);
    panel.offerCpu(thrown.code === 'device');
    fail(thrown);
    return;
  }
  panel.showBackend(segmenter);
  panel.showModel(segmenter.model);
  await open(sample);
}

start();
