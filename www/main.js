/**
 * The page: an image, one button, a mask. This file holds what happens when; view.js draws the slices,
 * panel.js writes the words, files.js opens and saves, pair.js makes one image of two files.
 */
import { InsituError, createSegmenter } from 'insitu-seg';
import sampleUrl from 'insitu-seg/samples/hippocampus/image.nii.gz?url';
import { onFiles, save } from './files.js';
import { imageOf, oneFile } from './pair.js';
import * as panel from './panel.js';
import { createView } from './view.js';

const SAMPLE = { name: 'sample.nii.gz', title: 'Sample' };
const $ = (id) => document.getElementById(id);

let view;
let segmenter;
let sample;
/** The open image, { name, title, input }, and the result of its last run. */
let image;
let last = null;
let abort = null;
let drawn = null;

/**
 * Draws the slices of `next`, once: the sample is drawn while the engine is still being loaded. What the engine
 * reads and the viewer does not is open all the same, without slices, and never under those of another image.
 */
async function draw(next) {
  if (!view || drawn === next) return;
  try {
    await view.showImage(await oneFile(next.input));
    panel.hideViewNotice();
  } catch (thrown) {
    console.warn(thrown);
    view.clear();
    panel.showViewNotice('The slices of this file cannot be drawn; segmenting and downloading work all the same.');
  }
  drawn = next;
}

/** Shows `thrown` as one sentence; the page stays as it was and can be used. */
function fail(thrown) {
  if (!(thrown instanceof InsituError)) console.error(thrown);
  panel.showError(thrown.message, thrown.checks);
  panel.setState('error');
}

/** Makes `next` the open image, if it can be read; otherwise the image before it stays. */
async function open(next) {
  panel.clearError();
  panel.setState('opening');
  try {
    const info = await segmenter.inspect(next.input);
    refuseChannels(info);
    await draw(next);
    view?.clearMask();
    image = next;
    last = null;
    panel.showImage(image, info, image === sample);
    panel.clearResult();
    panel.setState('ready');
  } catch (thrown) {
    fail(withName(thrown, next.name));
  }
}

/** At once, not after the button: an image that the model cannot take would be no use here. */
function refuseChannels({ channels, checks }) {
  const wanted = segmenter.model.stages.whole.architecture.inputs;
  if (channels === wanted) return;
  const sentence = `Found ${channels} volumes in the file, expected ${wanted}, as the model takes: save one of them as a 3-D file.`;
  throw new InsituError('unsupported', sentence, { checks });
}

function withName(thrown, name) {
  if (!(thrown instanceof InsituError) || thrown.message.includes(name)) return thrown;
  return new InsituError(thrown.code, `${name}: ${thrown.message}`, { cause: thrown, checks: thrown.checks });
}

async function segment() {
  panel.clearError();
  panel.clearResult();
  view?.clearMask();
  last = null;
  abort = new AbortController();
  panel.setState('running');
  try {
    const result = await segmenter.segment(image.input, { signal: abort.signal, onProgress: panel.showProgress });
    await view?.showMask(result.toNifti(), result.classes);
    last = result;
    panel.showResult(result);
    panel.setState('done');
  } catch (thrown) {
    if (thrown.code === 'cancelled') {
      panel.setState('ready');
      panel.say('Cancelled. The image is unchanged.');
    } else {
      fail(withName(thrown, image.name));
    }
  }
  panel.showBackend(segmenter);
}

function openFiles(files) {
  if (!segmenter || panel.getState() === 'running') return;
  try {
    open(imageOf(files));
  } catch (thrown) {
    panel.clearError();
    fail(thrown);
  }
}

async function fetchSample() {
  const response = await fetch(sampleUrl);
  if (!response.ok) throw new InsituError('io', `The sample could not be fetched (the server answered ${response.status}).`);
  return { ...SAMPLE, input: new File([await response.blob()], SAMPLE.name) };
}

async function start() {
  panel.showSides(false);
  $('segment').addEventListener('click', segment);
  $('cancel').addEventListener('click', () => abort?.abort());
  $('sample').addEventListener('click', () => open(sample));
  $('download').addEventListener('click', () => save(last.toNifti(), panel.stem(image.name) + '_mask.nii.gz', 'application/gzip'));
  $('download-nrrd').addEventListener('click', () => save(last.toNrrd(), panel.stem(image.name) + '_mask.seg.nrrd', 'application/octet-stream'));
  $('download-csv').addEventListener('click', () => save(last.toCsv(), panel.stem(image.name) + '_volumes.csv', 'text/csv'));
  $('opacity').addEventListener('input', (event) => view?.setOpacity(event.target.valueAsNumber));
  $('radiological').addEventListener('change', (event) => {
    view?.setRadiological(event.target.checked);
    panel.showSides(event.target.checked);
  });
  onFiles(openFiles);

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
