/** What the page makes of objects and volumes, without a page. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Editor } from '../../www/edit/editor.js';
import { gridOf } from '../../www/edit/grid.js';
import { boxOfAll, middleOf } from '../../www/edit/middle.js';
import { volumesCsv } from '../../www/export/mask.js';
import { boxesOf, mergedResult, objectsOf, sidesOf, usualBox, withBoxes } from '../../www/objects.js';
import { compareWith } from '../../www/open/compatibility.js';
import { leastSure } from '../../www/suggest.js';
import { asymmetry, pairsOf } from '../../www/volumes.js';

const scaled = (dims, spacing) =>
  gridOf({ dims, affine: [0, 1, 2, 3].map((row) => [0, 1, 2, 3].map((column) => (row === column ? [...spacing, 1][row] : 0))) });
const labels = ['Left front', 'Left back', 'Right front', 'Right back'].map((name, i) => ({ index: i + 1, name, color: '#e69f00' }));
const HEAD = { labels, objects: [{ name: 'left' }, { name: 'right' }] };
const objects = objectsOf(HEAD, labels);

describe('the objects of a model', () => {
  it('share its labels, in the order of both', () => {
    assert.deepEqual(objects, [
      { name: 'left', labels: [1, 2] },
      { name: 'right', labels: [3, 4] },
    ]);
    assert.deepEqual(objectsOf({ labels }, labels), [{ name: 'object', labels: [1, 2, 3, 4] }]);
  });

  it('are those of its whole scans, and of an image of one object that object', () => {
    const card = { labels: labels.slice(0, 2), scan: HEAD };
    assert.deepEqual(objectsOf(card, labels), objects);
    assert.deepEqual(objectsOf(card, labels.slice(2)), [{ name: 'right', labels: [3, 4] }]);
  });

  it('have boxes in their own order', () => {
    const box = (object, at) => ({ object, start: [at, at, at], end: [9, 9, 9] });
    const [left, right] = [box('left', 1), box('right', 2)];
    assert.deepEqual(withBoxes(objects, [right], [left]), [left, right]);
    assert.deepEqual(withBoxes(objects, [left, right], [box('left', 5)]), [box('left', 5), right]);
  });

  it('have one box where the result is that of an earlier version', () => {
    const box = { start: [1, 2, 3], end: [4, 5, 6] };
    assert.deepEqual(boxesOf(scaled([10, 10, 10], [1, 1, 1]), [10, 10, 10], { box }), [{ object: '', ...box }]);
  });
});

describe('what a model wants', () => {
  const range = (min, max) => ({ min: [min, min, min], max: [max, max, max] });
  const card = { modalities: ['MR of a crop'], intensity: { kind: 'mr' }, field_mm: range(30, 50) };
  const wanted = (model) =>
    compareWith(model, { min: 0, spacing_mm: [1, 1, 1] }, { mm: [200, 200, 200], fits: true }).map((row) => row.wanted);

  it('is said of whole scans too, where it takes such', () => {
    assert.deepEqual(wanted(card).slice(0, 2), ['MR of a crop', '30 × 30 × 30 to 50 × 50 × 50 mm']);
    const scan = { modalities: ['MR of a head'], field_mm: range(130, 260) };
    assert.deepEqual(wanted({ ...card, scan }).slice(0, 2), [
      'MR of a crop; or MR of a head',
      '30 × 30 × 30 to 50 × 50 × 50 mm; or 130 × 130 × 130 to 260 × 260 × 260 mm',
    ]);
  });
});

describe('the usual box', () => {
  const field = { min: [30, 40, 20], max: [40, 60, 40] };
  const grid = scaled([200, 300, 100], [1, 0.5, 2]);
  const sides = ({ start, end }) => end.map((at, axis) => at - start[axis]);

  it('is as large as the middle of the images of training, in voxels, around a place', () => {
    const box = usualBox(grid, [100, 150, 50], field, undefined);
    assert.deepEqual(box, { start: [83, 101, 43], end: [118, 201, 58] });
  });

  it('is moved into the image where it would reach beyond, and no larger than that', () => {
    assert.deepEqual(usualBox(grid, [0, 299, 50], field, []), { start: [0, 200, 43], end: [35, 300, 58] });
    assert.deepEqual(usualBox(scaled([20, 300, 100], [1, 0.5, 2]), [0, 150, 50], field), { start: [0, 101, 43], end: [20, 201, 58] });
  });

  it('is that of another object, or of the smallest image, where the images of training are whole heads', () => {
    const heads = { min: [30, 40, 20], max: [260, 260, 260] };
    const other = { start: [0, 0, 0], end: [41, 52, 23] };
    assert.deepEqual(sides(usualBox(grid, [100, 150, 50], heads, [other])), [41, 52, 23]);
    assert.deepEqual(sides(usualBox(grid, [100, 150, 50], heads, [])), [30, 80, 10]);
  });
});

describe('what is known after one object was segmented again', () => {
  const box = (at) => ({ start: [at, at, at], end: [9, 9, 9] });
  const before = {
    box: box(1),
    boxes: [
      { object: 'left', ...box(1) },
      { object: 'right', ...box(2) },
    ],
    classes: labels.map((label) => ({ ...label, voxels: 7 })),
    intracranialMl: 1400,
    warnings: ['the field of view is odd', 'the mask of the left object is empty', 'left: dark', 'the mask of the right object is cut'],
    report: { ms: 1, boxes: [] },
  };
  const after = {
    box: box(3),
    boxes: [{ object: 'left', ...box(3) }],
    classes: labels.slice(0, 2).map((label) => ({ ...label, voxels: 8 })),
    warnings: ['the field of view is odd', 'left: bright'],
    report: { ms: 2, boxes: [{ object: 'left', ...box(3) }] },
  };

  it('is new of it, and as before of the others', () => {
    const merged = mergedResult(before, after, 'left', objects);
    assert.deepEqual(merged.boxes, [after.boxes[0], before.boxes[1]]);
    assert.deepEqual(merged.box, merged.boxes[0]);
    assert.deepEqual(
      merged.classes.map(({ voxels }) => voxels),
      [8, 8, 7, 7],
    );
    assert.equal(merged.intracranialMl, 1400);
    assert.deepEqual(merged.warnings, ['the field of view is odd', 'the mask of the right object is cut', 'left: bright']);
    assert.deepEqual(merged.report.warnings, merged.warnings);
    assert.deepEqual([merged.report.ms, merged.report.boxes, merged.report.intracranial_ml], [2, merged.boxes, 1400]);
  });
});

describe('a mask of one object', () => {
  const grid = scaled([4, 1, 1], [1, 1, 1]);
  const classes = labels.slice(0, 2);

  it('changes that object, and neither the others nor what a person made of them', async () => {
    const calls = [];
    const editor = new Editor(grid);
    editor.setMask(Uint8Array.of(1, 3, 3, 0), labels);
    const erase = editor.stroke({ value: 0, radius: 0.4 });
    erase.to([2, 0, 0]);
    erase.end();
    editor.setMask(Uint8Array.of(0, 1, 2, 2), classes, { name: 'box', only: [1, 2], also: (back) => calls.push(back) });
    assert.deepEqual([...editor.labels], [0, 3, 0, 2]);
    assert.deepEqual([...editor.base], [0, 3, 3, 2]);
    assert.equal(editor.table.length, 4);
    await editor.history.undo();
    assert.deepEqual([...editor.labels], [1, 3, 0, 0]);
    assert.deepEqual([...editor.base], [1, 3, 3, 0]);
    await editor.history.redo();
    assert.deepEqual([...editor.labels], [0, 3, 0, 2]);
    assert.deepEqual(calls, [true, false]);
  });
});

describe('the slice to check next', () => {
  const grid = scaled([3, 3, 3], [1, 1, 1]);
  const map = Uint8Array.from({ length: 27 }, (_, i) => (i < 9 ? 2 : i === 26 ? 9 : 0));

  it('is the one of any plane where the model is least sure and nobody has looked', () => {
    assert.deepEqual(leastSure(grid, map, new Set()), [2, 0]);
    assert.deepEqual(leastSure(grid, map, new Set(['2:0'])), [0, 2]);
    assert.deepEqual(leastSure(grid, map, new Set(['0:2'])), [2, 0]);
  });

  it('is none only where nothing unsure is left', () => {
    assert.equal(leastSure(grid, map, new Set(['2:0', '1:2'])), null);
    assert.equal(leastSure(grid, new Uint8Array(27), new Set()), null);
  });
});

describe('a mask of the other side', () => {
  const grid = scaled([4, 1, 1], [1, 1, 1]);
  const indices = (editor) => editor.table.map(({ index }) => index);

  it('takes the labels of the one before out of the table, but those of which voxels stay', async () => {
    const editor = new Editor(grid);
    editor.setMask(Uint8Array.of(1, 2, 2, 0), labels.slice(0, 2));
    editor.setMask(Uint8Array.of(3, 4, 4, 0), labels.slice(2), { gone: [1, 2] });
    assert.deepEqual(indices(editor), [3, 4]);
    await editor.history.undo();
    assert.deepEqual(
      [indices(editor), [...editor.labels]],
      [
        [1, 2],
        [1, 2, 2, 0],
      ],
    );
    await editor.history.redo();
    assert.deepEqual(
      [indices(editor), [...editor.labels]],
      [
        [3, 4],
        [3, 4, 4, 0],
      ],
    );
    await editor.history.undo();
    editor.lock(2, true);
    editor.setMask(Uint8Array.of(3, 4, 4, 0), labels.slice(2), { gone: [1, 2] });
    assert.deepEqual(
      [indices(editor), [...editor.labels]],
      [
        [2, 3, 4],
        [3, 2, 2, 0],
      ],
    );
  });

  it('is asked for where the model knows both, and the image shows one', () => {
    const both = { objects: HEAD.objects, labels };
    const card = { labels: labels.slice(0, 2), scan: both };
    const result = (object, classes, more = {}) => ({ classes, boxes: [{ object, start: [0, 0, 0], end: [1, 1, 1], ...more }] });
    const one = result('right', labels.slice(2), { agreement: 0.97 });
    assert.deepEqual(sidesOf(card, one), { taken: 'right', other: 'left', agreement: 0.97 });
    assert.equal(sidesOf(card, result('left', labels)), null, 'a head of which one was found');
    assert.equal(sidesOf(card, result('object', labels.slice(0, 2))), null);
    assert.equal(sidesOf(card, { classes: labels.slice(0, 2) }), null, 'of an earlier version');
    assert.equal(sidesOf({ labels: labels.slice(0, 2) }, one), null);
  });
});

describe('the middle of some labels', () => {
  const grid = scaled([5, 3, 3], [1, 1, 1]);
  const at = (...places) => {
    const mask = new Uint8Array(grid.count);
    for (const [x, y, z, value] of places) mask[x + 5 * (y + 3 * z)] = value;
    return mask;
  };

  it('is one of their voxels, the nearest to the centre of mass', () => {
    const mask = at([0, 0, 0, 1], [4, 0, 0, 2], [3, 1, 0, 1], [2, 2, 2, 9]);
    assert.deepEqual(boxOfAll(grid, mask, [1, 2]), { start: [0, 0, 0], end: [5, 2, 1] });
    assert.deepEqual(middleOf(grid, mask, [1, 2]), [3, 1, 0]);
    assert.equal(middleOf(grid, mask, [7]), null);
  });
});

describe('volumes', () => {
  it('come in pairs by their names', () => {
    const table = ['Left hippocampus', 'right Hippocampus', 'Left tail', 'Rightmost part', 'left', 'Right amygdala'];
    assert.deepEqual(pairsOf(table.map((name, i) => ({ index: i + 1, name }))), [{ name: 'Hippocampus', left: 1, right: 2 }]);
  });

  it('differ by a share of their mean, with a sign', () => {
    assert.equal(asymmetry(3, 2), 40);
    assert.equal(asymmetry(2, 3), -40);
    assert.equal(asymmetry(2, 2), 0);
    assert.equal(asymmetry(0, 2), null);
  });

  it('are written with what is inside the skull where that is known, behind the columns of before', () => {
    const voxels = (index) => [0, 1000, 3000][index];
    const csv = (...more) => volumesCsv(labels.slice(0, 2), voxels, 0.001, ...more).split('\n');
    assert.deepEqual(csv(), ['index,name,voxels,milliliters', '1,"Left front",1000,1.0000', '2,"Left back",3000,3.0000', '']);
    assert.deepEqual(csv(1500), [
      'index,name,voxels,milliliters,intracranial_milliliters,permille_of_intracranial',
      '1,"Left front",1000,1.0000,1500.0000,0.666667',
      '2,"Left back",3000,3.0000,1500.0000,2.000000',
      '',
    ]);
    // Beside a volume of which it is known, one of which it is not has as many columns.
    assert.deepEqual(csv(null), [csv(1500)[0], '1,"Left front",1000,1.0000,,', '2,"Left back",3000,3.0000,,', '']);
  });
});
