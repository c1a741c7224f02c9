/** What the keys of the viewer do, and the list of them. */
import { $, button, element } from '../dom.js';
import { fail } from '../failures.js';
import { t } from '../i18n.js';
import { attachKeys, HANDS, KEYS } from '../paint/keys.js';
import { state } from '../state.js';
import { pan, resetSight, zoom } from './sight.js';
import { nextWithin, undoOrRedo, useAtCrosshair } from './tools.js';
import { setLayout } from './viewer.js';
import { nextPreset } from './window.js';

export function setUpKeys() {
  const groupsOf = (/** @type {string} */ keys) =>
    keys.split(/ {2}/).flatMap((group, i) => [i > 0 ? ' · ' : '', element('kbd', {}, group)]);
  for (const [id, list] of /** @type {const} */ ([
    ['key-list', KEYS],
    ['hand-list', HANDS],
  ])) {
    $(id).replaceChildren(...list.flatMap(([names, words]) => [element('dt', {}, ...groupsOf(t(names))), element('dd', {}, t(words))]));
  }
  attachKeys($('viewer'), actions());
}

/** @returns {import('../paint/keys.js').Actions} */
function actions() {
  const { tool } = state;
  const press = (/** @type {string} */ id) => $(id).click();
  return {
    step(right, up, painting) {
      const view = state.shownView;
      if (!view) return;
      const from = view.place;
      const [u, v] = [0, 1, 2].filter((axis) => axis !== tool.plane);
      view.goTo(from.with(u, from[u] + right).with(v, from[v] + up));
      if (painting) useAtCrosshair(from);
    },
    slice(by) {
      const view = state.shownView;
      view?.goTo(view.place.with(tool.plane, view.place[tool.plane] + by));
    },
    zoom,
    pan,
    layout: setLayout,
    tool(kind) {
      if (!$('kinds').querySelector(`[value=${kind}]`)?.matches(':disabled')) tool.set({ kind });
    },
    use: () => useAtCrosshair(),
    grow: () => tool.grow(),
    shrink: () => tool.shrink(),
    shape: () => tool.set({ ball: !tool.ball }),
    label() {
      const table = state.editor?.table ?? [];
      if (table.length > 0) tool.set({ label: table[(table.findIndex(({ index }) => index === tool.label) + 1) % table.length].index });
    },
    undo: () => undoOrRedo('undo').catch(fail),
    redo: () => undoOrRedo('redo').catch(fail),
    outlines: () => press('outlines'),
    hide: () => press('hide'),
    check() {
      if (state.editor) press('check-slice');
    },
    next() {
      if (!button('next-slice').hidden) press('next-slice');
    },
    deleteLabel() {
      if (state.editor) press('delete-label');
    },
    within() {
      if (state.editor) nextWithin();
    },
    preset: nextPreset,
    reset: resetSight,
    second() {
      if (!$('second-options').hidden) press('second-show');
    },
    difference() {
      if (!$('difference').hidden) press('difference-show');
    },
  };
}
