/** Every edit of labels against its way back, without a page. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Editor } from '../../www/edit/editor.js';
import { History } from '../../www/edit/history.js';
import { chance, oblique, plain } from './grids.mjs';

describe('undo and redo', () => {
  const grid = oblique([30, 28, 20]);
  const classes = [
    { index: 1, name: 'One', color: '#e69f00' },
    { index: 2, name: 'Two', color: '#56b4e9' },
  ];

  it('bring back every state that there was, over strokes, edits, runs and labels', async () => {
    const random = chance(11);
    const editor = new Editor(grid);
    const place = () => grid.dims.map((n) => Math.floor(random() * n));
    const state = () => ({ labels: editor.labels.slice(), base: editor.base.slice(), counts: editor.counts.slice(), table: editor.table });
    const states = [state()];
    const deeds = [
      () =>
        editor.setMask(
          Uint8Array.from({ length: grid.count }, () => (random() < 0.3 ? 1 + Math.floor(2 * random()) : 0)),
          classes,
        ),
      () => {
        const stroke = editor.stroke({
          value: Math.floor(3 * random()),
          radius: 1 + 6 * random(),
          plane: [undefined, 0, 1, 2][Math.floor(4 * random())],
        });
        for (let i = 0; i < 5; i++) stroke.to(place());
        stroke.end();
      },
      () => editor.fill(place(), 2, Math.floor(3 * random())),
      () => editor.removeIsland(place()),
      () => editor.smooth(1, 1.5),
      () => editor.interpolate(1, 2),
      () => editor.keepLargest(2),
      () => editor.rename(1, `Label ${Math.floor(100 * random())}`),
      () => editor.addLabel((index) => `Label ${index}`),
    ];
    deeds[0]();
    states.push(state());
    while (states.length < 60) {
      const { depth } = editor.history;
      deeds[1 + Math.floor(random() * (deeds.length - 1))]();
      if (editor.history.depth > depth) states.push(state());
      if (states.length === 30) {
        deeds[0]();
        states.push(state());
      }
    }
    for (let i = states.length - 2; i >= 0; i--) {
      await editor.history.undo();
      assert.deepEqual(state(), states[i]);
    }
    assert.equal(await editor.history.undo(), undefined);
    for (let i = 1; i < states.length; i++) {
      await editor.history.redo();
      assert.deepEqual(state(), states[i]);
    }
    await editor.history.undo();
    editor.rename(1, 'Another road');
    assert.equal(await editor.history.redo(), undefined);
  });

  const small = plain([6, 1, 1]);
  const masked = () => {
    const editor = new Editor(small);
    editor.setMask(Uint8Array.of(1, 1, 2, 2, 0, 0), classes);
    return editor;
  };
  const dot = { value: 1, radius: 0.4 };

  it('take back the stroke under the pen, which is over then', () => {
    const editor = masked();
    const stroke = editor.stroke(dot);
    stroke.to([4, 0, 0]);
    editor.history.undo();
    assert.deepEqual([...editor.labels], [1, 1, 2, 2, 0, 0]);
    stroke.to([5, 0, 0]);
    stroke.end();
    assert.deepEqual([...editor.labels], [1, 1, 2, 2, 0, 0]);
    editor.history.redo();
    assert.deepEqual([...editor.labels], [1, 1, 2, 2, 1, 0]);
  });

  it('keep apart a stroke and the run that ends during it, and the stroke goes on', () => {
    const editor = masked();
    const stroke = editor.stroke(dot);
    stroke.to([4, 0, 0]);
    editor.setMask(Uint8Array.of(0, 1, 1, 2, 2, 0), classes);
    assert.deepEqual([...editor.labels], [0, 1, 1, 2, 2, 0]);
    stroke.to([5, 0, 0]);
    stroke.end();
    assert.deepEqual([...editor.labels], [0, 1, 1, 2, 1, 1]);
    const states = [];
    while (editor.history.depth > 0) {
      editor.history.undo();
      states.push([...editor.labels].join(''));
    }
    assert.deepEqual(states, ['011220', '112210', '112200', '000000']);
  });

  it('list what is painted after the run was undone', () => {
    const editor = masked();
    editor.history.undo();
    assert.deepEqual(editor.table, []);
    const stroke = editor.stroke(dot);
    stroke.to([4, 0, 0]);
    assert.deepEqual(
      editor.table.map(({ index, visible, locked }) => [index, visible, locked]),
      [[1, true, false]],
    );
    stroke.end();
    editor.history.undo();
    assert.deepEqual(editor.table, []);
  });

  it('give back a name, and neither unlock nor show', () => {
    const editor = masked();
    editor.rename(1, 'Head');
    editor.lock(1, true);
    editor.show(1, false);
    editor.history.undo();
    const [{ name, locked, visible }] = editor.table;
    assert.deepEqual([name, locked, visible, editor.isLocked(1)], ['One', true, false, true]);
  });

  it('leave no voxel behind where labels are merged, deleted, or segmented anew', () => {
    const editor = masked();
    assert.ok(editor.deleteLabel(1, 2));
    assert.deepEqual([...editor.labels], [2, 2, 2, 2, 0, 0]);
    assert.deepEqual([editor.counts[1], editor.counts[2], editor.isListed(1)], [0, 4, false]);
    editor.history.undo();
    editor.lock(2, true);
    assert.equal(editor.deleteLabel(1, 2), false);
    editor.setMask(Uint8Array.of(2, 0, 0, 0, 1, 1), classes);
    assert.deepEqual([...editor.labels], [0, 0, 2, 2, 1, 1], 'where a locked label may not grow nothing of the run before stays');
  });

  it('let a person paint while a tuned model goes back, and lose nothing where it fails', async () => {
    const editor = masked();
    let fail;
    editor.history.push({ name: 'tune', bytes: 1, undo: () => new Promise((_, reject) => (fail = reject)), redo() {} });
    const undone = editor.history.undo();
    assert.equal(await editor.history.undo(), undefined, 'one at a time');
    const stroke = editor.stroke(dot);
    stroke.to([4, 0, 0]);
    stroke.end();
    fail(new Error('no engine'));
    await assert.rejects(undone, /no engine/);
    assert.deepEqual([...editor.labels], [1, 1, 2, 2, 1, 0]);
    assert.equal(editor.history.depth, 2);
    editor.history.undo();
    assert.deepEqual([...editor.labels], [1, 1, 2, 2, 0, 0]);
  });

  it('import a mask by names, and leave locked labels and the mask of the run', () => {
    const editor = masked();
    editor.lock(2, true);
    const found = [
      { index: 1, name: 'Cyst', color: '#0072b2' },
      { index: 2, name: 'one', color: '#cc79a7' },
    ];
    editor.importMask(Uint8Array.of(1, 2, 1, 0, 2, 7), found);
    assert.deepEqual([...editor.labels], [3, 1, 2, 2, 1, 7]);
    assert.deepEqual(
      editor.table.map(({ index, name }) => [index, name]),
      [
        [1, 'One'],
        [2, 'Two'],
        [3, 'Cyst'],
        [7, 'Label 7'],
      ],
    );
    assert.deepEqual([...editor.base], [1, 1, 2, 2, 0, 0]);
    editor.history.undo();
    assert.deepEqual([...editor.labels], [1, 1, 2, 2, 0, 0]);
    assert.equal(editor.table.length, 2);
  });

  it('import a mask whose names differ in case, and in what is between their words', () => {
    const editor = new Editor(plain([6, 1, 1]));
    const names = ['Left Hippocampus', 'Right Hippocampus', 'CA12', 'Cyst'];
    editor.setMask(
      Uint8Array.of(1, 2, 3, 4, 0, 0),
      names.map((name, i) => ({ index: i + 1, name, color: '#e69f00' })),
    );
    editor.rename(4, 'Lesion');
    const given = ['right-hippocampus', 'left_hippocampus ', 'CA1_2', 'CYST', 'LeftHippocampus', 'Lesion, old'];
    editor.importMask(
      Uint8Array.of(1, 2, 3, 4, 5, 6),
      given.map((name, i) => ({ index: i + 1, name, color: '#0072b2' })),
    );
    const called = [...editor.labels].map((value) => editor.table.find(({ index }) => index === value).name);
    assert.deepEqual(called, ['Right Hippocampus', 'Left Hippocampus', 'CA1_2', 'Lesion', 'LeftHippocampus', 'Lesion, old']);
  });

  it('forget the oldest beyond their budget, and add up what they hold', async () => {
    const history = new History({ budget: 100 });
    const undone = [];
    for (let i = 0; i < 10; i++) history.push({ name: 'stroke', bytes: 30, undo: () => undone.push(i), redo() {} });
    assert.deepEqual([history.depth, history.bytes], [3, 90]);
    await history.undo();
    await history.undo();
    history.push({ name: 'stroke', bytes: 5, undo() {}, redo() {} });
    assert.deepEqual([history.depth, history.bytes, undone], [2, 35, [9, 8]]);
  });

  it('keep an entry whose undoing failed', async () => {
    const history = new History();
    history.push({ name: 'tune', bytes: 0, undo: () => Promise.reject(new Error('no')), redo() {} });
    await assert.rejects(history.undo());
    assert.equal(history.depth, 1);
  });
});
