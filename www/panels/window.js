/** Which values are black and which are white: by fields, by presets, by dragging with the right button. */
/** @import { Preset } from '../view/presets.js' */
import { $, element, input, onChange } from '../dom.js';
import { statisticsOf } from '../edit/statistics.js';
import { t } from '../i18n.js';
import { looksCt } from '../open/compatibility.js';
import { state } from '../state.js';
import { presetsOf } from '../view/presets.js';

/** What is no preset: a person's own values. */
const OWN = /** @type {const} */ ('windowOwn');
/** Around the values of the chosen label, so many standard deviations to both sides. */
const LABEL = /** @type {const} */ ('windowLabel');
const AROUND = 4;

const list = () => $('window-preset', HTMLSelectElement);

export function setUpWindow() {
  state.on('opened', offerPresets);
  state.on('mask', offerPresets);
  for (const id of ['window-low', 'window-high']) {
    onChange(id, () => {
      show(OWN);
      setWindow(input('window-low').valueAsNumber, input('window-high').valueAsNumber);
    });
  }
  list().onchange = () => choose(list().value);
}

/** @type {[low: number, high: number] | null} asked for, and set with the next frame */
let asked = null;

/** At most once a frame, as all of the image is drawn anew. @param {number} low @param {number} high */
function setWindow(low, high) {
  if (!asked) {
    requestAnimationFrame(() => {
      if (asked) state.shownView?.setWindow(...asked);
      asked = null;
    });
  }
  asked = [low, high];
}

/** By hand. @param {number} low @param {number} high */
export function dragWindow(low, high) {
  show(OWN);
  showFields(low, high);
  setWindow(low, high);
}

/** The next of the presets. */
export function nextPreset() {
  const names = [...list().options].map(({ value }) => value).filter((value) => value !== OWN);
  const name = names[(names.indexOf(list().value) + 1) % names.length];
  if (!state.shownView || !name) return;
  choose(name);
  state.announce(t('windowNow', { name: list().selectedOptions[0]?.textContent ?? '' }));
}

/** @returns {Preset[]} */
function presets() {
  const { shownView: view, current } = state;
  return view && current?.info ? presetsOf(view.window, looksCt(current.info)) : [];
}

/** Those of the open image, and the one that it has now. */
function offerPresets() {
  const view = state.shownView;
  if (!view) return;
  const all = presets();
  const names = [...all.map(({ name }) => name), ...(state.editor?.values ? [LABEL] : []), OWN];
  list().replaceChildren(...names.map((name) => element('option', { value: name, hidden: name === OWN }, t(name))));
  const { low, high } = view.window;
  showFields(low, high);
  show(all.find((one) => one.low === low && one.high === high)?.name ?? OWN);
}

/** @param {string} name */
function choose(name) {
  const preset = name === LABEL ? aroundLabel() : presets().find((one) => one.name === name);
  if (!preset) return show(OWN);
  show(name);
  showFields(preset.low, preset.high);
  setWindow(preset.low, preset.high);
}

function aroundLabel() {
  const { editor, tool } = state;
  const found = editor?.values && statisticsOf(editor.grid, editor.labels, editor.values).get(tool.label);
  if (!found) return undefined;
  const around = AROUND * found.sd || Math.abs(found.mean) / 2 || 1;
  return { low: found.mean - around, high: found.mean + around };
}

/** @param {string} name */
const show = (name) => (list().value = name);

/** @param {number} low @param {number} high */
function showFields(low, high) {
  input('window-low').value = String(Number(low.toPrecision(4)));
  input('window-high').value = String(Number(high.toPrecision(4)));
}
