/** The page: wires what is on the desk to buttons, keys and the pen, and starts the engine. work.js says what happens when. */
import { InsituError, createSegmenter, requestsSinceLoad } from 'insitu-seg';
import { forgetEverything } from 'insitu-seg/session';
import sampleUrl from 'insitu-seg/samples/hippocampus/image.nii.gz?url';
import { drawnBox, setUpBox, take as takeBox } from './boxes.js';
import { move, setUpCorrecting, useAtCrosshair } from './correct.js';
import { desk, editor } from './desk.js';
import { worldOf } from './edit/grid.js';
import { $, element, press, segments } from './element.js';
import { onFiles } from './files.js';
import { setUpExport } from './give.js';
import { Keeper } from './keep.js';
import { pressLabel } from './labels.js';
import { LIST, attachKeys } from './paint/keys.js';
import { isBrush } from './paint/tool.js';
import { createOverlay, outline } from './paint/overlay.js';
import * as panel from './panel.js';
import { newCase, takeFiles } from './take.js';
import { setUpTeaching, showTeaching } from './teach.js';
import { createView } from './view.js';
import { LANGUAGES, chooseLanguage, fillIn, getLanguage, say, setLanguage } from './words.js';
import * as work from './work.js';

const SAMPLE = 'sample.nii.gz';
const query = new URLSearchParams(location.search);
const keeper = new Keeper();

// Words

function speak() {
  const kept = storage('language');
  setLanguage(chooseLanguage(query.get('lang'), kept, navigator.languages));
  document.documentElement.lang = getLanguage();
  document.title = say('title');
  fillIn(document);
  $('language').replaceChildren(
    ...Object.entries(LANGUAGES).map(([value, { name }]) =>
      element('option', { value, lang: value, selected: value === getLanguage() }, name),
    ),
  );
  $('language').addEventListener('change', async ({ target }) => {
    storage('language', target.value);
    await keeper.flush();
    const next = new URL(location.href);
    next.searchParams.delete('lang');
    location.assign(next);
  });
  $('key-list').replaceChildren(...LIST.flatMap(([keys, words]) => [element('dt', {}, ...keysOf(keys)), element('dd', {}, say(words))]));
}

const keysOf = (keys) => keys.split(/ {2}/).flatMap((group, i) => [i > 0 ? ' · ' : '', element('kbd', {}, group)]);

/** A private window may have no storage at all. */
function storage(key, value) {
  try {
    if (value === undefined) return localStorage.getItem(`insitu-${key}`);
    localStorage.setItem(`insitu-${key}`, value);
  } catch {
    // The choice holds for this visit.
  }
  return null;
}

// The view

let overlay;
async function setUpView() {
  overlay = createOverlay($('overlay'), { onBox: takeBox });
  try {
    desk.view = await createView($('slices'), { onMove: showWhere, onDrawn: drawOver });
  } catch (thrown) {
    panel.showViewNotice(thrown.message === 'noWebgl' ? say('noWebgl') : thrown.message);
  }
  const { view, tool } = desk;
  const layouts = { all: 'viewAll', axial: 'viewAxial', coronal: 'viewCoronal', sagittal: 'viewSagittal', render: 'viewRender' };
  segments($('layouts'), Object.fromEntries(Object.entries(layouts).map(([name, words]) => [name, say(words)])), layout);
  press($('layouts'), 'all');
  view?.setOpacity($('opacity').valueAsNumber);
  $('opacity').addEventListener('input', ({ target }) => view?.setOpacity(target.valueAsNumber));
  $('outlines').addEventListener('change', ({ target }) => view?.setOutlines(target.checked));
  $('hide').addEventListener('change', ({ target }) => view?.setHidden(target.checked));
  $('radiological').addEventListener('change', ({ target }) => {
    view?.setRadiological(target.checked);
    panel.showSides(target.checked);
  });
  panel.showSides(false);
  for (const id of ['window-low', 'window-high'])
    $(id).addEventListener('change', () => view?.setWindow($('window-low').valueAsNumber, $('window-high').valueAsNumber));
  $('window-reset').addEventListener('click', () => {
    const { min, max } = view?.window ?? {};
    if (min === undefined) return;
    view.setWindow(min, max);
    [$('window-low').value, $('window-high').value] = [min, max];
  });
  tool.listen(() => drawOver());
}

function layout(name) {
  desk.view?.setLayout(name);
  press($('layouts'), name);
  const plane = { axial: 2, coronal: 1, sagittal: 0 }[name];
  if (plane !== undefined) desk.tool.set({ plane });
}

function showWhere() {
  const { view } = desk;
  const { place } = view;
  const one = editor();
  const value = one?.labels[place[0] + view.grid.dims[0] * (place[1] + view.grid.dims[1] * place[2])];
  panel.showWhere({
    mm: worldOf(view.grid, place),
    value: view.valueAt(place),
    label: value ? one.table.find(({ index }) => index === value)?.name : '',
  });
  showTeaching();
}

/** The box, and while the keyboard paints, the brush at the crosshair. */
function drawOver() {
  const { view, tool } = desk;
  if (!view?.grid || !overlay) return;
  const tiles = view.tiles.all();
  overlay.showBox(tiles, drawnBox(), view.place);
  if (document.activeElement !== $('slices') || !editor() || !isBrush(tool.kind) || $('stage').matches(':hover')) return;
  const tile = tiles.find(({ plane }) => plane === tool.plane);
  overlay.showRing(tile ? outline(view.grid, tile, view.place, tool.radius) : null);
}

function setUpKeys() {
  const { tool } = desk;
  const flip = (id) => $(id).click();
  const shift = (plane, by) => desk.view?.grid && desk.view.goTo(desk.view.place.with(plane, desk.view.place[plane] + by));
  attachKeys(document.querySelector('.viewer'), {
    step(right, up, painting) {
      const { view } = desk;
      if (!view?.grid) return;
      const from = view.place;
      const [u, v] = [0, 1, 2].filter((axis) => axis !== tool.plane);
      view.goTo(from.with(u, from[u] + right).with(v, from[v] + up));
      if (painting) useAtCrosshair(from);
    },
    slice: (by) => shift(tool.plane, by),
    layout,
    tool: (kind) => editor() && desk.view?.grid && tool.set({ kind }),
    use: () => useAtCrosshair(),
    grow: () => tool.grow(),
    shrink: () => tool.shrink(),
    shape: () => tool.set({ ball: !tool.ball }),
    label() {
      const table = editor()?.table ?? [];
      if (table.length === 0) return;
      tool.set({ label: table[(table.findIndex(({ index }) => index === tool.label) + 1) % table.length].index });
      pressLabel();
    },
    undo: () => move('undo'),
    redo: () => move('redo'),
    outlines: () => flip('outlines'),
    hide: () => flip('hide'),
    check: () => editor() && flip('check-slice'),
    next: () => !$('next-slice').hidden && flip('next-slice'),
  });
}

async function fetchSample() {
  const response = await fetch(sampleUrl);
  if (!response.ok) throw new InsituError('io', `The sample could not be fetched (the server answered ${response.status}).`);
  return newCase({ name: SAMPLE, title: SAMPLE, input: new File([await response.blob()], SAMPLE), isSample: true });
}

// What is kept

async function restore() {
  const reason = (thrown) => (thrown.code === 'unsupported' ? say('noOpfs') : thrown.message);
  keeper.onFail = (thrown) => ($('kept').textContent = say('notKept', { reason: reason(thrown) }));
  try {
    await keeper.open();
    return await keeper.restored();
  } catch (thrown) {
    keeper.onFail(thrown);
    return { cases: [] };
  }
}

function setUpKeeping() {
  work.onTouched(() => {
    if (!keeper.isOpen || desk.cases.every(({ isSample, editor: one }) => isSample && !one)) return;
    $('kept').textContent = say('kept');
    $('forget').hidden = false;
    keeper.touch();
  });
  $('forget').addEventListener('click', async () => {
    await keeper.forget();
    await forgetEverything().catch(() => {});
    $('forget').hidden = true;
    $('kept').textContent = say('forgotten');
  });
  // The tab may not come back: what waits to be written is written now.
  document.addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && keeper.flush());
}

/** The count of requests in sight. */
function watchRequests() {
  const show = () => ($('requests').textContent = say('requests', { count: requestsSinceLoad() }));
  show();
  setInterval(show, 1000);
}

/** For the next visit without a network. Not in the dev server, whose files change under it. */
async function keepPage() {
  const root = document.documentElement;
  if (!import.meta.env.PROD) return;
  try {
    if (!navigator.serviceWorker) throw new Error(say('noServiceWorker'));
    const { installing } = await navigator.serviceWorker.register('./sw.js');
    await new Promise((resolve, reject) => {
      if (!installing) return resolve();
      installing.addEventListener('statechange', () =>
        installing.state === 'redundant' ? reject(new Error(say('noServiceWorker'))) : installing.state !== 'installing' && resolve(),
      );
    });
    root.dataset.offline = 'ready';
    $('offline').textContent = say('offlineReady');
  } catch (thrown) {
    root.dataset.offline = 'none';
    $('offline').textContent = say('offlineNot', { reason: thrown.message });
  }
}

/** @param {Uint8Array} [delta] a tuned model; without it the shipped one */
const newSegmenter = (delta) => createSegmenter({ backend: query.get('backend') ?? 'auto', ...(delta ? { model: [delta] } : {}) });

/** Puts another model in the place of the running one, which stays where the other cannot be had. */
async function replaceModel(delta) {
  const next = await newSegmenter(delta);
  desk.segmenter.dispose();
  desk.segmenter = next;
  panel.showModel(next.model);
}

async function start() {
  speak();
  // First, as it takes longest: the sample is drawn meanwhile.
  const restoring = restore();
  const starting = restoring.then(({ model }) => newSegmenter(model).catch((thrown) => (model ? newSegmenter() : Promise.reject(thrown))));
  starting.catch(() => {});
  await setUpView();
  setUpCorrecting({ overlay });
  setUpBox({ run: (box) => work.segment({ box }) });
  setUpExport({ fail: work.fail });
  setUpTeaching({ fail: work.fail, again: work.again, replace: replaceModel, touched: () => keeper.touch() });
  setUpKeys();
  setUpKeeping();
  $('segment').addEventListener('click', () => work.segment());
  $('cancel').addEventListener('click', work.cancel);
  onFiles(takeFiles);

  try {
    const [sample, last] = await Promise.all([fetchSample(), restoring]);
    $('sample').addEventListener('click', () => work.open(desk.cases.find(({ isSample }) => isSample) ?? sample));
    const first = last.cases.find(({ id }) => id === last.current) ?? last.cases[0];
    const [segmenter] = await Promise.all([starting, work.draw(first ?? sample)]);
    desk.segmenter = segmenter;
    panel.showBackend(segmenter);
    panel.showModel(segmenter.model);
    desk.cases = last.cases;
    if (first && (await work.open(first))) panel.tell(say('restored', { name: first.title }));
    else await work.open(sample);
  } catch (thrown) {
    panel.showBackend(null);
    panel.offerCpu(thrown.code === 'device');
    return work.fail(thrown);
  }
  watchRequests();
  keepPage();
}

start();
