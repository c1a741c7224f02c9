/**
 * Files that come in: images opened and listed, DICOM converted and its series offered. What cannot be opened now waits its turn; what
 * cannot be opened at all is named, and keeps nothing else from being opened.
 */
/** @import { Given } from '../files.js' */
/** @import { Image } from './pair.js' */
/** @import { DicomFile } from '../dicom/series.js' */
/** @import { OpenedModel } from '../models.js' */
/** @import { Case, DicomSeries, Several } from '../types.js' */
import { InsituError } from 'insitu-seg';
import { seriesOf } from '../dicom/dicom.js';
import { engine } from '../engine.js';
import { isPageError, messageOf, pageError } from '../errors.js';
import { clearError, fail } from '../failures.js';
import { t } from '../i18n.js';
import { useOpened } from '../models.js';
import { painted } from '../painted.js';
import { state } from '../state.js';
import { inspected, openNow, settle } from '../workflow.js';
import { frameOf, framesIn } from './frames.js';
import { importMask } from './mask.js';
import { modelsAmong, readModel, theOnly } from './model.js';
import { listed, pathOfCase } from './names.js';
import { newCase } from './new-case.js';
import { nrrdsAmong } from './nrrd-files.js';
import { imagesOf } from './pair.js';
import { folderOf, mayBeSame, pathOf, stem } from './paths.js';
import { holdTheSame } from './sniff.js';
import { sorted } from './sort.js';

/** Given while the page was busy. @type {Given[]} */
let waiting = [];
let isImporting = false;

/** The sample gives way to a person's own images, unless something was made of it. */
const withoutSample = () => state.cases.filter((one) => !one.isSample || one.editor);

/** Whatever ends, those who wait are next; after what is still to be said of it. */
export function setUpImport() {
  state.on('status', () => setTimeout(importWaiting));
}

/** Opens what was given, now or as soon as the page is free. @param {Given} given */
export function importFiles(given) {
  waiting.push(given);
  if (isImporting || state.isBusy) state.announce(t('queued', { names: waitingNames() }), 'image');
  return importWaiting();
}

const waitingNames = () => listed(waiting.flatMap(({ files, unread = [] }) => [...files.map(pathOf), ...unread]));

async function importWaiting() {
  if (isImporting) return;
  isImporting = true;
  try {
    while (waiting.length > 0 && !state.isBusy) {
      if (!state.segmenter) {
        state.announce(t('notOpened', { names: waitingNames() }), 'image');
        waiting = [];
        return;
      }
      const [given] = waiting.splice(0, 1);
      await importGiven(given);
    }
  } finally {
    isImporting = false;
  }
}

/** @param {Given} given */
async function importGiven({ files: given, unread = [], folders = [] }) {
  clearError();
  state.status = 'opening';
  state.emit('opening', { name: listed([...given.map(pathOf), ...unread, ...folders]), step: 'read' });
  await painted();
  /** @type {Error[]} */
  const problems = [];
  /** @type {File | undefined} */
  let mask;
  /** @type {OpenedModel | undefined} */
  let model;
  const refuse = (/** @type {'unreadable' | 'emptyFiles' | 'noVolumes'} */ key, /** @type {string[]} */ names) =>
    names.length > 0 && problems.push(pageError('argument', t(key, { names: listed(names) })));
  try {
    const { models, rest: files } = await modelsAmong(given);
    if (models.length > 0) model = await theModel(models, problems);
    if (given.length + unread.length === 0) problems.push(pageError('argument', t('nothingGiven', { folders: listed(folders) || '–' })));
    const found = await sorted(files);
    refuse('unreadable', [...unread, ...found.unread]);
    refuse('emptyFiles', found.empty);
    refuse('noVolumes', found.broken);
    const { images, refusals } = imagesOf(found.images);
    const nrrds = await nrrdsAmong(found.nrrds);
    problems.push(...refusals, ...nrrds.refusals);
    const masks = [...found.masks, ...nrrds.masks];
    const { one, several } = await byVolumes([...images, ...nrrds.images]);
    if (several.length > 0 || one.length > 0) state.emit('several', several);
    const { fresh, known } = await sortedOut(one);
    const opened = await openFirst([...fresh, ...known], problems);
    const isOffered = found.dicom.length > 0 && (await importDicom(found.dicom, !opened, problems));
    const isNothing = !opened && !isOffered && masks.length === 0 && several.length === 0 && !model;
    if (masks.length > 1) problems.push(pageError('argument', t('maskOne', { names: listed(masks.map(pathOf)) })));
    else [mask] = masks;
    if (isNothing && problems.length === 0) problems.push(pageError('argument', t('noImages', { count: files.length })));
    tell(problems, isNothing);
    const words = [
      ...(known.length > 0 ? [t('alreadyOpen', { names: listed(known.map(pathOfCase)) })] : []),
      ...(found.others.length > 0 && !isNothing ? [t('skipped', { count: found.others.length, names: listed(found.others) })] : []),
    ];
    if (words.length > 0) state.announce(words.join(' '), 'image');
  } catch (thrown) {
    fail(thrown, 'image');
  }
  settle();
  if (model) await useOpened(model);
  if (mask) await importMask(mask);
}

/**
 * Images of one volume, and those of several, of which one is chosen; where the model takes several, all of them are one image.
 * @template {Several['image']} Image @param {Image[]} images
 */
async function byVolumes(images) {
  const takesOne = engine().model.stages.whole.architecture.inputs === 1;
  const counts = await Promise.all(images.map((image) => (takesOne ? framesIn(image).catch(() => 1) : 1)));
  return {
    one: images.filter((_, i) => counts[i] === 1),
    several: images.flatMap((image, i) => (counts[i] === 1 ? [] : [{ image, count: counts[i] }])),
  };
}

/** @param {import('./model.js').ModelFiles[]} models @param {Error[]} problems */
async function theModel(models, problems) {
  try {
    return await readModel(theOnly(models));
  } catch (thrown) {
    problems.push(thrown instanceof Error ? thrown : new Error(String(thrown)));
    return undefined;
  }
}

/** What was left out, in one go; the page is in error where nothing is left. @param {Error[]} problems @param {boolean} isNothing */
function tell(problems, isNothing) {
  if (problems.length === 0) return;
  if (isNothing && problems.length === 1) return fail(problems[0], 'image');
  const message = problems.map((problem) => problem.message).join(' ');
  if (isNothing) fail(pageError('argument', message), 'image');
  else state.emit('error', { message, isPages: problems.every(isPageError), place: 'image' });
}

/**
 * Images that are open already, and those that are not, each once.
 * @param {(Image & Pick<Case, 'converted'>)[]} images
 */
async function sortedOut(images) {
  /** @type {Case[]} */
  const fresh = [];
  /** @type {Case[]} */
  const known = [];
  for (const image of images) {
    const same = await sameAmong([...state.cases.filter(({ isSample }) => !isSample), ...fresh], image);
    if (!same) fresh.push(newCase(image));
    else if (!known.includes(same) && !fresh.includes(same)) known.push(same);
  }
  return { fresh, known };
}

/** @param {Case[]} cases @param {Image} image */
async function sameAmong(cases, image) {
  const parts = (/** @type {Case['input']} */ input) => (input instanceof Blob ? [input] : [input.hdr, input.img]);
  const own = parts(image.input);
  for (const one of cases) {
    const theirs = parts(one.input);
    if (theirs.length !== own.length || !mayBeSame(pathOfCase(one), image.path ?? image.name)) continue;
    // One that changed on the disk since then is another.
    const same = await Promise.all(own.map((part, i) => holdTheSame(part, theirs[i]))).catch(() => [false]);
    if (same.every(Boolean)) return one;
  }
  return undefined;
}

/** Opens the first that can be opened, lists those after it, and looks at them then. @param {Case[]} fresh @param {Error[]} problems */
async function openFirst(fresh, problems) {
  for (const [i, one] of fresh.entries()) {
    try {
      await openNow(one);
    } catch (thrown) {
      problems.push(thrown instanceof Error ? thrown : new Error(String(thrown)));
      continue;
    }
    const rest = fresh.slice(i + 1);
    state.cases = [...new Set([...withoutSample(), ...rest])];
    setTimeout(() => checkListed(rest, problems));
    return true;
  }
  return false;
}

/**
 * Says which of the listed volumes cannot be opened, before somebody counts on them. Gives way to whatever a person does.
 * @param {Case[]} cases @param {Error[]} problems what was said before of those that came together
 */
async function checkListed(cases, problems) {
  for (const one of cases) {
    while (state.isBusy) await new Promise((resolve) => setTimeout(resolve, 300));
    if (one.info || !state.cases.includes(one)) continue;
    try {
      await inspected(one);
    } catch (thrown) {
      if (!(thrown instanceof InsituError) || !['malformed', 'unsupported', 'limit', 'io', 'argument'].includes(thrown.code)) continue;
      one.isBroken = true;
      state.cases = [...state.cases];
      problems.push(thrown);
      if (!state.isBusy) tell(problems, false);
    }
  }
}

/**
 * Series to choose from, the largest 3-D one first; a single one is opened at once, where nothing else was.
 * @param {DicomFile[]} files @param {boolean} mayOpen @param {Error[]} problems @returns {Promise<boolean>} whether there are series
 */
async function importDicom(files, mayOpen, problems) {
  state.emit('dicom', { reading: files.length });
  try {
    const { series, left } = await seriesOf(files);
    const reasons = /** @type {Record<string, 'dicomNoEven' | 'dicomNoImage'>} */ ({ uneven: 'dicomNoEven', empty: 'dicomNoImage' });
    for (const { name, reason } of left) problems.push(pageError('unsupported', t(reasons[reason] ?? 'dicomFailedOne', { name, reason })));
    if (series.length === 0) throw pageError('unsupported', t('dicomNone', { count: files.length }));
    state.emit('dicom', { series });
    if (series.length === 1 && mayOpen) await openConverted(series[0]);
    return true;
  } catch (thrown) {
    state.emit('dicom', null);
    const known = thrown instanceof InsituError;
    problems.push(known ? thrown : pageError('unsupported', t('dicomFailed', { reason: messageOf(thrown).replace(/\.$/, '') })));
    return false;
  }
}

/** @param {DicomSeries} series */
async function openConverted({ name, path, file, warnings }) {
  await openOrOffer({ name, title: name, path, input: file, converted: { from: 'DICOM', by: 'dcm2niix', warnings } });
}

/** An image that is opened; of one of several volumes one is to be chosen first. @param {Several['image']} image */
async function openOrOffer(image) {
  const { one, several } = await byVolumes([image]);
  state.emit('several', several);
  if (one.length === 0) return;
  const { fresh, known } = await sortedOut(one);
  await openNow(known[0] ?? fresh[0]);
  state.cases = withoutSample();
}

/** @param {DicomSeries} series */
export async function openSeries(series) {
  if (state.isBusy) return state.announce(t('busy'));
  state.status = 'opening';
  await openConverted(series).catch((thrown) => fail(thrown, 'image'));
  settle();
}

/** Opens one volume of a file of several. @param {Several} several @param {number} at from 1 on */
export async function openVolume({ image }, at) {
  if (state.isBusy) return state.announce(t('busy'));
  clearError();
  state.status = 'opening';
  try {
    const name = `${stem(image.name)}_volume-${at}.nii`;
    const path = folderOf(image.path ?? image.name) + name;
    const input = await frameOf(image, at - 1, name);
    const { fresh, known } = await sortedOut([{ ...image, name, path, title: `${image.title} #${at}`, input }]);
    await openNow(known[0] ?? fresh[0]);
    state.cases = withoutSample();
  } catch (thrown) {
    fail(thrown);
  }
  settle();
}
