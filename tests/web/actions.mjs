/**
 * Random sequences of what a person and the engine do to a segmentation, in any interleaving and in the middle of strokes, and what must
 * hold after each. The oracle keeps a copy of every state and knows nothing of how the editor goes back.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';

/** Anisotropic, and its file runs backwards along y. */
const DIMS = [4, 3, 2];
const COUNT = 24;
const AFFINE = [
  [1, 0, 0, 0],
  [0, 1.5, 0, 0],
  [0, 0, 3, 0],
  [0, 0, 0, 1],
];
const FILE = { start: 8, step: [1, -4, 12] };
const fileIndex = (i) => FILE.start + (i % 4) + (Math.floor(i / 4) % 3) * -4 + Math.floor(i / 12) * 12;

const named = (...names) => names.map((name, i) => ({ index: i + 1, name, color: `#0000${(16 + i).toString(16)}` }));
/** Two objects of two labels, and another model that shares one label with them, under another value. */
const MODELS = [named('Left front', 'Left back', 'Right front', 'Right back'), named('Lesion', 'Left front')];
const OBJECTS = [
  [1, 2],
  [3, 4],
];

const place = fc.tuple(fc.integer({ min: -1, max: 4 }), fc.integer({ min: -1, max: 3 }), fc.integer({ min: 0, max: 1 }));
const value = fc.integer({ min: 0, max: 6 });
const label = fc.integer({ min: 1, max: 6 });
/** From which a mask is made: hashed voxel by voxel, in pieces of two. */
const seed = fc.nat(999);
const mask = (from, values) =>
  Uint8Array.from({ length: COUNT }, (_, i) => {
    const hash = Math.imul((from + 1) * 31 + (i >> 1), 0x9e3779b1) >>> 16;
    return hash % 3 === 0 ? 0 : values[hash % values.length];
  });

const of = (kind, fields = {}) => fc.record({ kind: fc.constant(kind), ...fields });
const brush = {
  value,
  radius: fc.constantFrom(0.3, 1, 2.2),
  plane: fc.constantFrom(undefined, 0, 2),
  within: fc.constantFrom(undefined, undefined, 0, 1),
  place,
};
const ACTIONS = [
  [6, of('begin', brush)],
  [6, of('move', { place })],
  [5, of('end')],
  [8, of('undo')],
  [5, of('redo')],
  [3, of('run', { seed, model: fc.constantFrom(0, 0, 0, 1) })],
  [2, of('object', { seed, object: fc.constantFrom(0, 1) })],
  [1, of('side', { seed, object: fc.constantFrom(0, 1) })],
  [1, of('again', { seed })],
  [1, of('tune', { seed })],
  [1, of('revert')],
  [2, of('rename', { label })],
  [1, of('recolor', { label })],
  [2, of('lock', { label, on: fc.boolean() })],
  [2, of('hide', { label, on: fc.boolean() })],
  [1, of('add')],
  [2, of('delete', { label })],
  [2, of('merge', { label, into: label })],
  [1, of('import', { seed, isNamed: fc.boolean() })],
  [1, of('fill', { place, value, plane: fc.constantFrom(0, 1, 2) })],
  [1, of('island', { place })],
  [1, of('largest', { label })],
  [1, of('smooth', { label, mayEmpty: fc.boolean() })],
  [1, of('between', { label, plane: fc.constantFrom(0, 1, 2) })],
  [1, of('restore')],
].map(([weight, arbitrary]) => ({ weight, arbitrary }));

export const sequences = fc.array(fc.oneof(...ACTIONS), { minLength: 1, maxLength: 40, size: 'max' });

/** Tables are replaced and never changed, so each is written down once. */
const written = new WeakMap();
function rowsOf({ table }) {
  if (!written.has(table)) written.set(table, table.map(({ index, name, color }) => `${index} ${name} ${color}`).join(', '));
  return written.get(table);
}
const textOf = (labels) => String.fromCharCode.apply(null, labels);
const readable = (one) => (typeof one === 'string' && one.length === COUNT ? [...one].map((char) => char.charCodeAt(0)).join(' ') : one);
/** What undo gives back: all but what is locked or shown. */
const undoable = ({ editor, model }) => ({ model, labels: textOf(editor.labels), base: textOf(editor.base), rows: rowsOf(editor) });
const viewed = ({ table }) => table.map(({ index, name, visible, locked }) => `${index} ${name} ${visible} ${locked}`).join(', ');
const equal = (a, b) => a.labels === b.labels && a.base === b.base && a.rows === b.rows && a.model === b.model;
const assertState = (found, expected, when) => {
  if (!equal(found, expected))
    for (const key of Object.keys(expected)) assert.equal(readable(found[key]), readable(expected[key]), `${key} after ${when}`);
};

/** Every state that there was, and where among them undo and redo have led. */
class Trail {
  at = 0;
  constructor(state) {
    this.states = [state];
  }
  get here() {
    return this.states[this.at];
  }
  push(state) {
    this.states.length = ++this.at;
    this.states.push(state);
  }
  move(by) {
    this.at = Math.min(this.states.length - 1, Math.max(0, this.at + by));
  }
}

const STROKES = new Set(['begin', 'move', 'end']);
const MOVES = { undo: -1, redo: 1 };

/** Runs a sequence; throws an AssertionError that says what does not hold, and after which action. @param {{ Editor: any, gridOf: any }} modules */
export function run({ Editor, gridOf }, actions) {
  const grid = gridOf({ dims: DIMS, affine: AFFINE, ...FILE });
  const world = { grid, Editor, editor: new Editor(grid), model: 0, stroke: null, names: 0 };
  let trail = new Trail(undoable(world));
  let now = trail.here;
  for (const action of actions) {
    const { kind } = action;
    const { table: rows, labels } = world.editor;
    const before = { rows, labels: labels.slice(), locks: rows.filter(({ locked }) => locked) };
    // A stroke under the pen is an entry as soon as something else happens; taking it back is what undo does then.
    let pending = equal(now, trail.here) ? null : now;
    const take = () => {
      trail.push(pending);
      pending = null;
    };
    if (kind in MOVES && pending) take();
    const check = DEEDS[kind](world, action);
    now = undoable(world);
    if (kind in MOVES) trail.move(MOVES[kind]);
    if (kind === 'restore') [trail, pending] = [new Trail(now), null];
    const { depth } = world.editor.history;
    if (depth > trail.at && pending) take();
    if (depth > trail.at && !STROKES.has(kind)) trail.push(now);
    assert.equal(depth, trail.at, `entries after ${kind}`);
    if (!STROKES.has(kind)) assertState(now, pending ?? trail.here, kind);
    invariants(world.editor, kind);
    if (['rename', 'undo', 'redo'].includes(kind)) settingsStay(before, world.editor, kind);
    if (!['undo', 'redo', 'restore'].includes(kind)) lockedStay(before, world.editor, kind);
    check?.();
  }
  thereAndBack(world, trail);
}

/** To the end, to the start, and to the end again. */
function thereAndBack(world, trail) {
  const { editor, stroke } = world;
  stroke?.end();
  const end = undoable(world);
  if (!equal(end, trail.here)) trail.push(end);
  while (editor.history.next.redo) editor.history.redo();
  const views = viewed(editor);
  assertState(undoable(world), trail.states.at(-1), 'redo to the end');
  while (editor.history.next.undo) editor.history.undo();
  assertState(undoable(world), trail.states[0], 'undo to the start');
  invariants(editor, 'undo to the start', 256);
  while (editor.history.next.redo) editor.history.redo();
  assertState(undoable(world), trail.states.at(-1), 'redo to the end');
  assert.equal(viewed(editor), views, 'what is shown and locked, there and back');
  invariants(editor, 'redo to the end', 256);
}

const count = new Float64Array(256);
/** Volumes are counts, and every painted label is listed, once. Few labels are looked at after each action, all at the end. */
function invariants(editor, kind, labelsLookedAt = 12) {
  const { table, counts, labels } = editor;
  count.fill(0);
  for (const one of labels) count[one]++;
  for (let one = 0; one < labelsLookedAt; one++) {
    if (count[one] !== counts[one]) assert.fail(`label ${one} has ${count[one]} voxels and a volume of ${counts[one]} after ${kind}`);
    if (one > 0 && count[one] > 0 && !table.some(({ index }) => index === one))
      assert.fail(`label ${one} is painted and not listed after ${kind}`);
  }
  table.forEach(({ index, locked }, i) => {
    if (editor.isLocked(index) !== locked) assert.fail(`lock of label ${index} after ${kind}`);
    if (table.findIndex((row) => row.index === index) !== i) assert.fail(`label ${index} is listed twice after ${kind}`);
  });
}

/** Only a person locks, hides and shows. */
function settingsStay({ rows }, { table }, kind) {
  for (const row of rows) {
    const same =
      table.find(({ index, name }) => index === row.index && name === row.name) ?? table.find(({ index }) => index === row.index);
    if (!same || same.className !== row.className) continue;
    assert.equal(same.visible, row.visible, `label ${row.index} is ${row.visible ? 'hidden' : 'shown'} by ${kind}`);
    assert.equal(same.locked, row.locked, `label ${row.index} is ${row.locked ? 'unlocked' : 'locked'} by ${kind}`);
  }
}

/** Voxels of a locked label are the same ones under whatever value; but for undo, which gives back what was. */
function lockedStay({ labels, locks }, editor, kind) {
  for (const { index, name } of locks) {
    const row = editor.table.find((one) => (kind === 'rename' ? one.index === index : one.name === name));
    if (editor.table.filter((one) => one.name === name).length > 1) continue;
    if (!row) assert.fail(`locked label ${name} is gone after ${kind}`);
    for (let i = 0; i < COUNT; i++) {
      assert.equal(editor.labels[i] === row.index, labels[i] === index, `a voxel of locked label ${name} after ${kind}`);
    }
  }
}

const edited = (method) => (world, action) => method(world.editor, action);
const DEEDS = {
  begin(world, { place: at, ...brushOf }) {
    world.stroke?.end();
    world.stroke = world.editor.stroke(brushOf);
    world.isOver = false;
    world.stroke.to(at);
  },
  move({ stroke, isOver, editor }, { place: at }) {
    const before = textOf(editor.labels);
    stroke?.to(at);
    if (isOver) assert.equal(readable(textOf(editor.labels)), readable(before), 'labels after a move of a stroke that was taken back');
  },
  end(world) {
    world.stroke?.end();
    world.stroke = null;
  },
  undo(world) {
    world.isOver = true;
    world.editor.history.undo();
  },
  redo(world) {
    world.isOver = true;
    world.editor.history.redo();
  },
  run: ({ editor }, { seed: from, model }) => setMask(editor, from, MODELS[model]),
  object({ editor }, { seed: from, object }) {
    const own = OBJECTS[object];
    const isOwn = (one) => own.includes(one);
    const made = mask(from, own);
    editor.setMask(made, MODELS[0], { only: own });
    return () =>
      editor.labels.forEach((one, i) => {
        const row = editor.table.find(({ index }) => index === one);
        if (isOwn(one) && !row.locked && made[fileIndex(i)] !== one)
          assert.fail(`a voxel of ${row.name} is left behind by the run of its object`);
      });
  },
  side: ({ editor }, { seed: from, object }) => {
    const own = MODELS[0].filter(({ index }) => OBJECTS[object].includes(index));
    return setMask(editor, from, own, { gone: OBJECTS[1 - object] });
  },
  again: ({ editor }, { seed: from }) => setMask(editor, from, MODELS[0], { keep: (i) => editor.corrected(i) }),
  tune(world, { seed: from }) {
    const { editor } = world;
    const [before, after] = [world.model, from + 1];
    world.model = after;
    editor.history.push({ name: 'tune', bytes: 8, undo: () => (world.model = before), redo: () => (world.model = after) });
  },
  revert(world) {
    const before = world.model;
    world.model = 0;
    world.editor.history.push({ name: 'revert', bytes: 8, undo: () => (world.model = before), redo: () => (world.model = 0) });
  },
  rename: (world, { label: one }) => void world.editor.rename(one, `Name ${++world.names}`),
  recolor: (world, { label: one }) => void world.editor.recolor(one, `#1111${(16 + (++world.names % 200)).toString(16)}`),
  lock: edited((editor, { label: one, on }) => void editor.lock(one, on)),
  hide: edited((editor, { label: one, on }) => void editor.show(one, !on)),
  add: (world) => void world.editor.addLabel(() => `Name ${++world.names}`),
  delete({ editor }, { label: one }) {
    const isDone = editor.deleteLabel(one);
    return () => isDone && assert.ok(!editor.isListed(one) && editor.counts[one] === 0, `label ${one} is deleted`);
  },
  merge({ editor }, { label: one, into }) {
    const sum = editor.counts[one] + editor.counts[into];
    const isDone = editor.deleteLabel(one, into);
    return () => isDone && assert.deepEqual([editor.counts[one], editor.counts[into]], [0, sum], `label ${one} is merged into ${into}`);
  },
  import({ editor }, { seed: from, isNamed }) {
    const made = mask(from, [2, 3, 255]);
    editor.importMask(made, isNamed ? named('Cyst', 'Left back') : []);
    return () => {
      const pairs = new Map();
      editor.labels.forEach((one, i) => {
        const file = made[fileIndex(i)];
        if (editor.isLocked(one) || one === 0 || file === 0) return;
        if (!pairs.has(one)) pairs.set(one, file);
        assert.equal(file, pairs.get(one), `label ${one} holds one label of the file`);
      });
    };
  },
  fill: edited((editor, { place: at, value: one, plane }) => void editor.fill(at, one, plane)),
  island: edited((editor, { place: at }) => void editor.removeIsland(at)),
  largest: edited((editor, { label: one }) => void editor.keepLargest(one)),
  smooth({ editor }, { label: one, mayEmpty }) {
    const had = editor.counts[one] > 0;
    editor.smooth(one, undefined, () => mayEmpty);
    return () => had && !mayEmpty && assert.ok(editor.counts[one] > 0, `label ${one} is smoothed away unasked`);
  },
  between: edited((editor, { label: one, plane }) => void editor.interpolate(one, plane)),
  /** As after a reload. */
  restore(world) {
    const { labels, base, table } = world.editor;
    world.stroke?.end();
    world.stroke = null;
    const editor = new world.Editor(world.grid);
    editor.restore({ labels: labels.slice(), base: base.slice(), table: JSON.parse(JSON.stringify(table)) });
    world.editor = editor;
  },
};

/** A run of everything; afterwards whatever is not locked nor kept is as it says. */
function setMask(editor, from, classes, options = {}) {
  const made = mask(
    from,
    classes.map(({ index }) => index),
  );
  const kept = editor.labels.map((_, i) => (options.keep?.(i) ? 1 : 0));
  editor.setMask(made, classes, options);
  const classOf = (index) => classes.find((one) => one.index === index)?.name;
  return () =>
    editor.labels.forEach((one, i) => {
      const next = made[fileIndex(i)];
      const row = editor.table.find(({ index }) => index === one);
      if (classOf(one) && row.className !== classOf(one)) assert.fail(`${classOf(one)} of the run is listed as ${row.name}`);
      if (kept[i] === 1 || one === next || editor.isLocked(one) || (one === 0 && editor.isLocked(next))) return;
      assert.fail(`a voxel is left behind: label ${one} where the run says ${next}`);
    });
}
