/** The editing of labels, without a page: brushes against brute force, every edit against its way back, and how long it takes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sweep } from '../../www/edit/brush.js';
import { signedDistance } from '../../www/edit/distance.js';
import { Editor } from '../../www/edit/editor.js';
import { boxOf, fromFile, gridOf, indexOf, placeOf, toFile, worldOf } from '../../www/edit/grid.js';
import { History } from '../../www/edit/history.js';
import { islands } from '../../www/edit/region.js';

/** Numbers from a seed, so that a failure can be had again. */
function chance(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Oblique and anisotropic: spacing 0.7, 1.1, 3 mm, turned about two axes. */
function oblique(dims, spacing = [0.7, 1.1, 3]) {
  const [a, b] = [0.3, -0.2];
  const turn = [
    [Math.cos(a), -Math.sin(a) * Math.cos(b), Math.sin(a) * Math.sin(b)],
    [Math.sin(a), Math.cos(a) * Math.cos(b), -Math.cos(a) * Math.sin(b)],
    [0, Math.sin(b), Math.cos(b)],
  ];
  const affine = turn.map((row, i) => [...row.map((value, j) => value * spacing[j]), [10, -20, 5][i]]);
  return gridOf({ dims, affine: [...affine, [0, 0, 0, 1]] });
}

const plain = (dims) =>
  gridOf({
    dims,
    affine: [
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ],
  });

const covered = (grid, brush) => {
  const found = new Set();
  sweep(grid, brush, (start, end) => {
    for (let i = start; i < end; i++) found.add(i);
  });
  return found;
};

/** Millimetres from a voxel to the segment, by the world and not by the metric. */
function distance(grid, place, from, to) {
  const [p, a, b] = [place, from, to].map((one) => worldOf(grid, one));
  const [ab, ap] = [b, p].map((one) => one.map((x, i) => x - a[i]));
  const dot = (u, v) => u.reduce((sum, x, i) => sum + x * v[i], 0);
  const t = Math.min(1, Math.max(0, dot(ab, ab) > 0 ? dot(ap, ab) / dot(ab, ab) : 0));
  return Math.hypot(...ap.map((x, i) => x - t * ab[i]));
}

describe('a brush', () => {
  const grid = oblique([23, 19, 11]);
  const random = chance(7);
  const anywhere = () => grid.dims.map((n) => random() * (n + 4) - 2);

  it('covers what lies within its radius of its way, on an oblique anisotropic grid', () => {
    for (let n = 0; n < 120; n++) {
      const plane = n % 4 === 3 ? undefined : n % 4;
      let [from, to] = [anywhere(), n % 3 === 0 ? undefined : anywhere()];
      const radius = 0.4 + random() * 6;
      const found = covered(grid, { from, to, radius, plane });
      to ??= from;
      if (plane !== undefined) {
        [from, to] = [[...from], [...to]];
        from[plane] = to[plane] = Math.round(from[plane]);
      }
      for (let i = 0; i < grid.count; i++) {
        const place = placeOf(grid, i);
        if (plane !== undefined && place[plane] !== from[plane]) {
          assert.ok(!found.has(i), `a disc paints in its own slice only`);
          continue;
        }
        const mm = distance(grid, place, from, to);
        if (mm < radius - 1e-6) assert.ok(found.has(i), `${place} is ${mm} mm from the way of a brush of ${radius} mm`);
        // The centre's own voxels are painted however small the brush is.
        else if (mm > radius + 1e-6 && found.has(i)) {
          const steps = Array.from({ length: 1001 }, (_, s) => from.map((at, axis) => Math.round(at + ((to[axis] - at) * s) / 1000)));
          assert.ok(
            steps.some((at) => at.every((x, axis) => x === place[axis])),
            `${place} is ${mm} mm away`,
          );
        }
      }
    }
  });

  it('smaller than a voxel paints the voxel under the pointer, and a line without gaps', () => {
    const found = covered(grid, { from: [3.2, 4.4, 5.1], radius: 0.01 });
    assert.deepEqual(
      [...found].map((i) => placeOf(grid, i)),
      [[3, 4, 5]],
    );
    const line = [...covered(grid, { from: [2, 2, 4], to: [20, 15, 4], radius: 0.01, plane: 2 })].map((i) => placeOf(grid, i));
    assert.ok(line.length >= 19);
    for (const [x, y] of line.filter(([x]) => x < 20)) {
      assert.ok(
        line.some(([u, v]) => (u !== x || v !== y) && u >= x && Math.abs(u - x) <= 1 && Math.abs(v - y) <= 1),
        `a gap at ${x}, ${y}`,
      );
    }
  });
});

describe('the editor', () => {
  const grid = oblique([20, 18, 12]);
  const classes = [
    { index: 0, name: 'Background', color: '#000000' },
    { index: 1, name: 'One', color: '#e69f00' },
    { index: 2, name: 'Two', color: '#56b4e9' },
  ];
  // Stored as i % 20, meant as twice that and one.
  const values = { stored: Float32Array.from({ length: grid.count }, (_, i) => i % 20), slope: 2, inter: 1 };
  const made = () => {
    const editor = new Editor(grid, { values });
    editor.setMask(new Uint8Array(grid.count), classes);
    return editor;
  };
  const paint = (editor, place, more = {}) => {
    const stroke = editor.stroke({ value: 1, radius: 3, ...more });
    stroke.to(place);
    return stroke.end();
  };
  const recount = ({ labels }) => {
    const counts = new Float64Array(256);
    labels.forEach((value) => counts[value]++);
    return counts;
  };

  it('paints, erases and counts', () => {
    const editor = made();
    paint(editor, [10, 9, 6]);
    assert.ok(editor.counts[1] > 30);
    paint(editor, [10, 9, 6], { value: 2, radius: 1.2 });
    assert.ok(editor.counts[2] > 0);
    paint(editor, [10, 9, 6], { value: 0, radius: 50 });
    assert.equal(editor.counts[0], grid.count);
    assert.deepEqual(editor.counts, recount(editor));
  });

  it('paints only where the intensity is in range, in the order of the file', () => {
    const editor = made();
    paint(editor, [10, 9, 6], { radius: 8, range: [11, 25] });
    assert.ok(editor.counts[1] > 20);
    editor.labels.forEach((value, i) => value === 1 && assert.ok(i % 20 >= 5 && i % 20 <= 12));

    const turned = gridOf({ ...grid, start: grid.count - 1, step: [-1, -20, -360] });
    const other = new Editor(turned, { values });
    const stroke = other.stroke({ value: 1, radius: 8, range: [1, 7] });
    stroke.to([10, 9, 6]);
    stroke.end();
    assert.ok(other.counts[1] > 20);
    other.toFile().forEach((value, i) => value === 1 && assert.ok(i % 20 <= 3));
  });

  it('leaves a locked label as it is: it neither loses nor gains, by strokes, edits and runs', () => {
    const editor = made();
    paint(editor, [10, 9, 6]);
    const before = editor.labels.slice();
    editor.lock(1, true);
    paint(editor, [10, 9, 6], { value: 2, radius: 2 });
    paint(editor, [10, 9, 6], { value: 0, radius: 2 });
    paint(editor, [3, 3, 3]);
    editor.fill([10, 9, 6], 2, 2);
    editor.removeIsland([10, 9, 6]);
    editor.setMask(new Uint8Array(grid.count).fill(2), classes);
    editor.labels.forEach((value, i) => assert.equal(value === 1, before[i] === 1));
    assert.ok(editor.counts[2] > 0);
  });

  it('fills a hole in its slice only', () => {
    const editor = made();
    paint(editor, [10, 9, 6], { radius: 6, plane: 2 });
    paint(editor, [10, 9, 6], { value: 0, radius: 2, plane: 2 });
    const hole = editor.counts[1];
    editor.fill([10, 9, 6], 1, 2);
    assert.ok(editor.counts[1] > hole);
    assert.deepEqual(boxOf(grid, editor.labels, 1).start[2], 6);
    assert.deepEqual(boxOf(grid, editor.labels, 1).end[2], 7);
    // Outside the shape the flood takes the rest of the slice, and of no other.
    editor.fill([0, 0, 6], 2, 2);
    assert.equal(editor.counts[1] + editor.counts[2], 20 * 18);
  });

  it('removes an island, and keeps the largest', () => {
    const editor = made();
    for (const [place, radius] of [
      [[4, 4, 3], 2],
      [[14, 12, 8], 4],
      [[16, 3, 3], 1],
    ])
      paint(editor, place, { radius });
    assert.equal(islands(grid, editor.labels, 1).length, 3);
    editor.removeIsland([16, 3, 3]);
    assert.equal(islands(grid, editor.labels, 1).length, 2);
    editor.keepLargest(1);
    const [only, ...rest] = islands(grid, editor.labels, 1);
    assert.equal(rest.length, 0);
    assert.ok(only.includes(indexOf(grid, [14, 12, 8])));
    assert.equal(editor.removeIsland([0, 0, 0]), false);
  });

  it('smooths spikes away and keeps the size', () => {
    const fine = plain([40, 40, 40]);
    const editor = new Editor(fine);
    paint(editor, [20, 20, 20], { radius: 10 });
    const size = editor.counts[1];
    for (let x = 31; x < 36; x++) editor.labels[indexOf(fine, [x, 20, 20])] = 1;
    editor.smooth(1, 1.2);
    assert.equal(editor.labels[indexOf(fine, [34, 20, 20])], 0);
    assert.ok(Math.abs(recount(editor)[1] - size) / size < 0.06, `${recount(editor)[1]} of ${size} voxels`);
  });

  it('asks before smoothing takes all of a label', () => {
    const editor = made();
    paint(editor, [10, 9, 6], { radius: 0.4 });
    assert.equal(editor.smooth(1, 3), false);
    assert.equal(editor.counts[1], 1);
    let asked = 0;
    assert.equal(
      editor.smooth(1, 3, () => ++asked > 0),
      true,
    );
    assert.deepEqual([asked, editor.counts[1]], [1, 0]);
    editor.lock(1, true);
    editor.history.undo();
    editor.smooth(1, 3, () => ++asked > 0);
    assert.deepEqual([asked, editor.counts[1]], [1, 1], 'a locked label is not asked about');
  });

  it('paints and erases only inside a label, or where none is', () => {
    const editor = made();
    paint(editor, [10, 9, 6], { radius: 2 });
    const one = editor.labels.slice();
    paint(editor, [10, 9, 6], { value: 2, radius: 6, within: 1 });
    editor.labels.forEach((value, i) => assert.equal(value, 2 * one[i]));
    paint(editor, [10, 9, 6], { value: 1, radius: 6, within: 0 });
    editor.labels.forEach((value, i) => assert.equal(value === 2, one[i] === 1));
    assert.ok(editor.counts[1] > 0);
    paint(editor, [10, 9, 6], { value: 0, radius: 50, within: 2 });
    assert.equal(editor.counts[2], 0);
    assert.ok(editor.counts[1] > 0);
  });

  it('interpolates a cone between its ends', () => {
    const fine = plain([41, 41, 21]);
    const editor = new Editor(fine);
    paint(editor, [20, 20, 0], { radius: 15, plane: 2 });
    paint(editor, [20, 20, 20], { radius: 5, plane: 2 });
    editor.interpolate(1, 2);
    for (let z = 1; z < 20; z++) {
      const wanted = 15 - z / 2;
      let area = 0;
      for (let i = z * 1681; i < (z + 1) * 1681; i++) area += editor.labels[i];
      assert.ok(Math.abs(Math.sqrt(area / Math.PI) - wanted) < 0.6, `slice ${z}: radius ${Math.sqrt(area / Math.PI)}, expected ${wanted}`);
    }
  });

  it('measures distances exactly on an anisotropic plane', () => {
    const random = chance(3);
    const [nu, nv, spacing] = [17, 13, [0.7, 2.5]];
    const shape = Uint8Array.from({ length: nu * nv }, () => (random() < 0.2 ? 1 : 0));
    const found = signedDistance(shape, nu, nv, spacing);
    for (let i = 0; i < shape.length; i++) {
      let nearest = Infinity;
      for (let j = 0; j < shape.length; j++) {
        if (shape[j] !== shape[i])
          nearest = Math.min(
            nearest,
            Math.hypot(spacing[0] * ((i % nu) - (j % nu)), spacing[1] * (Math.floor(i / nu) - Math.floor(j / nu))),
          );
      }
      assert.ok(Math.abs(Math.abs(found[i] + (shape[i] ? -0.35 : 0.35)) - nearest) < 1e-4);
    }
  });

  it('goes between file and grid and back', () => {
    const turned = gridOf({ dims: [4, 3, 5], affine: grid.affine, start: 59, step: [-15, -5, -1] });
    const file = Uint8Array.from({ length: 60 }, (_, i) => i);
    const there = fromFile(turned, file);
    assert.equal(there[0], 59);
    assert.equal(there[1], 44);
    assert.deepEqual(toFile(turned, there), file);
  });
});

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

describe('at 256 x 256 x 256', () => {
  const grid = oblique([256, 256, 256], [0.9, 0.9, 1.1]);

  it('a segment of a stroke takes less than a copy of the labels (median; p99: than four), and 200 strokes undo within 64 MiB', async (t) => {
    const random = chance(5);
    const editor = new Editor(grid);
    const times = [];
    const walls = [];
    /** Milliseconds of computing, whoever else the machine computes for. */
    const timed = (work) => {
      const [wall, cpu] = [performance.now(), process.cpuUsage()];
      work();
      const { user, system } = process.cpuUsage(cpu);
      times.push((user + system) / 1000);
      walls.push(performance.now() - wall);
    };
    let uploaded = 0;
    editor.onVoxels = ({ start, end }) => (uploaded += end.reduce((product, at, i) => product * (at - start[i]), 1));
    const before = editor.labels.slice();
    for (let n = 0; n < 220; n++) {
      // Alternating labels over the same middle, so that strokes overpaint each other; balls of 12 mm and discs of 20 mm.
      const ball = n % 2 === 0;
      const stroke = editor.stroke({ value: n % 4, radius: ball ? 12 : 20, plane: ball ? undefined : n % 3 });
      let place = [0, 1, 2].map(() => 60 + 130 * random());
      for (let s = 0; s < 24; s++) {
        timed(() => stroke.to(place));
        place = place.map((at) => at + 16 * random() - 8);
      }
      timed(() => stroke.end());
    }
    const quantile = (list, q) => list.toSorted((a, b) => a - b)[Math.floor(q * (list.length - 1))];
    const [median, p99] = [0.5, 0.99].map((q) => quantile(times, q));
    t.diagnostic(
      `${times.length} segments: median ${median.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, slowest ${Math.max(...times).toFixed(1)} ms of computing (by the clock ${quantile(walls, 0.5).toFixed(2)}, ${quantile(walls, 0.99).toFixed(2)}, ${Math.max(...walls).toFixed(1)} ms); the viewer's load is left out, ${(uploaded / times.length / 1024).toFixed(0)} KiB of a segment go to it`,
    );
    t.diagnostic(`${editor.history.depth} strokes of 24 segments in ${(editor.history.bytes / 2 ** 20).toFixed(1)} MiB`);
    times.length = 0;
    for (let n = 0; n < 9; n++) timed(() => editor.labels.slice());
    const copy = quantile(times, 0.5);
    t.diagnostic(`a copy of the labels takes ${copy.toFixed(2)} ms`);
    assert.ok(median <= copy, `median ${median} ms, a copy ${copy} ms`);
    assert.ok(p99 <= 4 * copy, `p99 ${p99} ms, a copy ${copy} ms`);
    assert.ok(editor.history.depth >= 200, `${editor.history.depth} strokes`);
    assert.ok(editor.history.bytes <= 64 * 2 ** 20);
    const painted = editor.labels.slice();
    const { depth } = editor.history;
    for (let n = 0; n < depth; n++) await editor.history.undo();
    if (depth === 220) assert.deepEqual(editor.labels, before);
    for (let n = 0; n < depth; n++) await editor.history.redo();
    assert.deepEqual(editor.labels, painted);
  });
});
