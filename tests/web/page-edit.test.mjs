/** The editing of labels, without a page: brushes against brute force, and what each edit does. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sweep } from '../../www/edit/brush.js';
import { signedDistance } from '../../www/edit/distance.js';
import { Editor } from '../../www/edit/editor.js';
import { boxOf, fromFile, gridOf, indexOf, placeOf, toFile, worldOf } from '../../www/edit/grid.js';
import { islands } from '../../www/edit/region.js';
import { chance, oblique, plain } from './grids.mjs';

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
