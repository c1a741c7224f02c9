/** Learning in a page: the crops on which the native test learned, step by step the same losses, and memory that stays. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { notRun } from '../not-run.mjs';
import { besideThePackage } from './empty-page.mjs';

const SIDE = 24;
const VOXELS = SIDE ** 3;
const RECORD = 4 * (3 * VOXELS + 1);
const curve = process.env.INSITU_CURVE;

const beside = besideThePackage();

/** The losses of the steps, and after each the bytes of wasm and of the GPU's buffers. */
function learn(page, artifact, backend, crops) {
  return page.evaluate(
    async ([artifact, backend, crops, side]) => {
      const sizes = new Map();
      const { createBuffer } = globalThis.GPUDevice?.prototype ?? {};
      const { destroy } = globalThis.GPUBuffer?.prototype ?? {};
      if (createBuffer) {
        GPUDevice.prototype.createBuffer = function (...args) {
          const buffer = createBuffer.apply(this, args);
          sizes.set(buffer, buffer.size);
          return buffer;
        };
        GPUBuffer.prototype.destroy = function () {
          sizes.delete(this);
          return destroy.call(this);
        };
      }
      const code = await import(`/wasm/${artifact}/insitu_seg.js`);
      const { memory } = await code.default();
      const practice = await code.Practice.create(backend, 4);
      const [losses, wasm, gpu] = [[], [], []];
      const bytes = Uint8Array.from(atob(crops), (c) => c.charCodeAt(0));
      const record = 4 * (3 * side ** 3 + 1);
      for (let at = 0; at < bytes.length; at += record) {
        const image = new Float32Array(bytes.buffer, at, side ** 3);
        const target = new Float32Array(bytes.buffer, at + 4 * side ** 3, 2 * side ** 3);
        losses.push(await practice.step(image, target, side, side, side, 2e-3));
        wasm.push(memory.buffer.byteLength);
        gpu.push([...sizes.values()].reduce((sum, size) => sum + size, 0));
      }
      return { losses, wasm, gpu };
    },
    [artifact, backend, crops.toString('base64'), SIDE],
  );
}

const rounded = (losses) => losses.map((loss) => loss.toFixed(3)).join(' ');
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('learning', () => {
  for (const [artifact, backend] of [
    ['cpu', 'cpu'],
    ['gpu', 'webgpu'],
  ]) {
    it(`from the native test's crops gives its losses (${backend})`, async (t) => {
      if (!curve) return notRun(t, 'build', 'INSITU_CURVE names no file');
      if (!existsSync(curve)) return notRun(t, 'build', `there is no ${curve}`);
      const crops = readFileSync(curve);
      const expected = Array.from({ length: crops.length / RECORD }, (_, i) => crops.readFloatLE((i + 1) * RECORD - 4));
      const page = await beside.browser.newPage();
      await page.goto(beside.server.url);
      const { losses, wasm, gpu } = await learn(page, artifact, backend, crops);
      await page.close();
      t.diagnostic(`native: ${rounded(expected)}`);
      t.diagnostic(`here:   ${rounded(losses)}`);
      t.diagnostic(`wasm ${wasm.at(-1)} bytes, GPU ${gpu.at(-1)} bytes`);
      assert.equal(losses.length, 30);
      // Differences in the last bit grow from step to step.
      losses.forEach((loss, i) => assert.ok(Math.abs(loss - expected[i]) < 0.02, `step ${i}: ${loss}, natively ${expected[i]}`));
      assert.ok(mean(losses.slice(20)) < mean(losses.slice(0, 10)) - 0.02, rounded(losses));
      assert.deepEqual(new Set(wasm.slice(3)).size, 1, `wasm: ${wasm}`);
      assert.deepEqual(new Set(gpu.slice(3)).size, 1, `GPU: ${gpu}`);
      if (backend === 'webgpu') assert.ok(gpu[3] > 1e6, `GPU: ${gpu}`);
    });
  }
});
