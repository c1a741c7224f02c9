/** The slices: how they are laid out and shown, where the crosshair is, the boxes and the brush's outline over them. */
/** @import { Layout } from '../view.js' */
/** @import { Key } from '../i18n.js' */
import { $, input, onChange, onInput, press, segments } from '../dom.js';
import { worldOf } from '../edit/grid.js';
import { messageOf } from '../errors.js';
import { number, t, tenths } from '../i18n.js';
import { Overlay, outline } from '../paint/overlay.js';
import { isBrush } from '../paint/tool.js';
import { state } from '../state.js';
import { createView } from '../view.js';
import { changeBox, drawnBoxes } from './box.js';
import { setUpRuler } from './ruler.js';
import { setUpSight } from './sight.js';
import { setUpWindow } from './window.js';

/** @type {Record<Layout, Key>} */
const LAYOUTS = { all: 'viewAll', axial: 'viewAxial', coronal: 'viewCoronal', sagittal: 'viewSagittal', render: 'viewRender' };

/** The axis across the slice that a layout shows alone. @type {Partial<Record<Layout, number>>} */
const PLANES = { axial: 2, coronal: 1, sagittal: 0 };

/** @returns {Promise<Overlay>} */
export async function setUpViewer() {
  const overlay = new Overlay($('overlay', SVGSVGElement), changeBox);
  state.on('viewNotice', showNotice);
  state.on('crosshair', showWhere);
  for (const name of /** @type {const} */ (['mask', 'voxels', 'labels'])) state.on(name, showWhere);
  state.on('drawn', () => drawOver(overlay));
  state.tool.listen(() => drawOver(overlay));
  setUpControls();
  setUpWindow();
  setUpSight();
  setUpRuler(overlay);
  try {
    const listeners = { onMove: () => state.emit('crosshair', undefined), onDrawn: () => state.emit('drawn', undefined) };
    state.view = await createView($('slices', HTMLCanvasElement), listeners);
    state.view.setOpacity(input('opacity').valueAsNumber);
  } catch (thrown) {
    const message = messageOf(thrown);
    state.emit('viewNotice', message === 'noWebgl' ? t('noWebgl') : message);
  }
  return overlay;
}

function setUpControls() {
  const names = /** @type {Layout[]} */ (Object.keys(LAYOUTS));
  segments(
    $('layouts'),
    names.map((name) => /** @type {const} */ ([name, t(LAYOUTS[name])])),
    setLayout,
  );
  press($('layouts'), 'all');
  onInput('opacity', (field) => state.view?.setOpacity(field.valueAsNumber));
  onChange('outlines', (field) => state.view?.setOutlines(field.checked));
  onChange('hide', (field) => state.view?.setHidden(field.checked));
  onChange('radiological', (field) => {
    state.view?.setRadiological(field.checked);
    showSides(field.checked);
  });
  showSides(false);
}

/** @param {Layout} name */
export function setLayout(name) {
  state.view?.setLayout(name);
  press($('layouts'), name);
  const plane = PLANES[name];
  if (plane !== undefined) state.tool.set({ plane });
}

/** One plane alone, and with the others again. @param {number} plane */
export function maximise(plane) {
  const isAll = $('layouts').querySelector('[aria-pressed=true]')?.getAttribute('value') === 'all';
  const name = /** @type {Layout | undefined} */ (Object.keys(PLANES).find((one) => PLANES[/** @type {Layout} */ (one)] === plane));
  setLayout((isAll && name) || 'all');
}

/** @param {boolean} radiological */
const showSides = (radiological) => ($('sides').textContent = t(radiological ? 'sidesRadiological' : 'sidesNeurological'));

/** World millimetres as letters, so that nobody has to know which way an axis counts; the value, and the label. */
function showWhere() {
  const view = state.shownView;
  if (!view) return;
  const { grid, place } = view;
  const axes = ['RL', 'AP', 'SI'];
  const where = worldOf(grid, place).map((mm, i) => `${axes[i][mm < 0 ? 1 : 0]} ${tenths(Math.abs(mm))}`);
  const { editor } = state;
  const index = editor?.labels[place[0] + grid.dims[0] * (place[1] + grid.dims[1] * place[2])];
  const label = index ? editor?.table.find((one) => one.index === index)?.name : undefined;
  $('where').textContent = [`${where.join('  ')} mm`, number(view.valueAt(place)), ...(label ? [label] : [])].join('  ·  ');
}

/** The boxes, and while the keyboard paints, the brush at the crosshair. @param {Overlay} overlay */
function drawOver(overlay) {
  const { shownView: view, tool } = state;
  if (!view) return;
  const tiles = view.tiles.all();
  overlay.showBoxes(tiles, drawnBoxes(), view.place);
  const keyboardPaints = document.activeElement === $('slices') && !$('stage').matches(':hover');
  if (!keyboardPaints || !state.editor || !isBrush(tool.kind)) return;
  const tile = tiles.find(({ plane }) => plane === tool.plane);
  overlay.showRing(tile ? outline(view.grid, tile, view.place, tool.radius) : null);
}

/** @param {string | null} sentence */
function showNotice(sentence) {
  $('view-notice').textContent = sentence;
  $('view-notice').hidden = sentence === null;
  if (sentence) $('where').textContent = '';
}
