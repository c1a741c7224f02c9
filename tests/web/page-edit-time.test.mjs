/** How long a stroke takes in a large volume, and how much its way back. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Editor } from '../../www/edit/editor.js';
import { chance, oblique } from './grids.mjs';

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
