/** Starts the page: its panels, the engine, and what was open at the last visit. */

import { InsituError } from 'insitu-seg';
import { Autosave } from './autosave.js';
import { draw } from './draw.js';
import { fail } from './failures.js';
import { onFiles } from './files.js';
import { t } from './i18n.js';
import { firstSegmenter } from './models.js';
import { importFiles, setUpImport } from './open/import.js';
import { fetchVolume, linkedBox, linkedVolumes } from './open/link.js';
import { linkedModel } from './open/model.js';
import { fetchSample, firstSample } from './open/samples.js';
import { setUpAllPanel } from './panels/all.js';
import { setUpBox } from './panels/box.js';
import { setUpDifference } from './panels/difference.js';
import { offerCpu, setUpEngine } from './panels/engine.js';
import { setUpImage } from './panels/image.js';
import { setUpIntensities } from './panels/intensities.js';
import { setUpKeys } from './panels/keys.js';
import { setUpLabels } from './panels/labels.js';
import { setUpMissing } from './panels/missing.js';
import { setUpModels } from './panels/models.js';
import { setUpOtherSide } from './panels/otherside.js';
import { setUpResult } from './panels/result.js';
import { setUpRun } from './panels/run.js';
import { setUpSays } from './panels/says.js';
import { setUpSecond } from './panels/second.js';
import { setUpSides } from './panels/sides.js';
import { setUpTeaching } from './panels/teach.js';
import { setUpTools } from './panels/tools.js';
import { setUpViewer } from './panels/viewer.js';
import { keepPage, restoreVisit, setUpAutosave, setUpLanguage, watchRequests } from './panels/visit.js';
import { state } from './state.js';
import { open } from './workflow.js';

/** The panels listen before anything happens. */
async function setUpPanels() {
  setUpSays();
  setUpEngine();
  setUpModels();
  setUpImage();
  setUpRun();
  setUpAllPanel();
  setUpLabels();
  setUpSides();
  setUpOtherSide();
  setUpBox();
  setUpResult();
  setUpIntensities();
  setUpDifference();
  setUpSecond();
  setUpMissing();
  setUpTeaching();
  setUpImport();
  // Before the first wait: what is dropped on a page that does not listen takes its place.
  onFiles(importFiles);
  setUpTools(await setUpViewer());
  setUpKeys();
}

/** The box of the address is that of what is open when the page is ready. */
function takeBox() {
  try {
    const box = linkedBox(location.search);
    if (!box || !state.current) return;
    state.current.linkedBox = box;
    const { object = '', start, end } = box;
    state.announce(t(object === '' ? 'linkedBox' : 'linkedBoxOf', { object, box: [...start, ...end].join(', ') }));
  } catch (thrown) {
    fail(thrown);
  }
}

async function start() {
  const autosave = new Autosave();
  setUpLanguage(autosave);
  // First, as it takes longest: the sample is drawn meanwhile.
  const restoring = restoreVisit(autosave);
  const asked = linkedModel(location.search);
  const starting = restoring.then(({ model, isWaiting }) => firstSegmenter(asked, model, isWaiting));
  for (const one of [asked, starting]) one?.catch(() => {});
  const linking = Promise.allSettled(linkedVolumes(location.search).map(fetchVolume));
  await setUpPanels();
  setUpAutosave(autosave);
  try {
    const [sample, last] = await Promise.all([fetchSample(firstSample(location.search)), restoring]);
    const first = last.cases.find(({ id }) => id === last.current) ?? last.cases[0];
    const [{ take, problems }] = await Promise.all([starting, draw(first ?? sample)]);
    take();
    state.cases = last.cases;
    const linked = await linking;
    const files = linked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    if (first && (await open(first))) state.announce(t('restored', { name: first.title }), 'image');
    else await open(sample);
    if (files.length > 0) await importFiles({ files });
    takeBox();
    for (const problem of [...problems, ...linked.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))])
      fail(problem, 'image');
  } catch (thrown) {
    state.segmenter = null;
    if (thrown instanceof InsituError && thrown.code === 'device') offerCpu();
    return fail(thrown);
  }
  watchRequests();
  keepPage();
}

start();
