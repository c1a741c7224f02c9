/** A network that learns an ellipsoid in noise, step by step, in a page of the package, with the memory that it takes on the GPU. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/tools.mjs';

/** Why nothing can learn by burn, or null. */
export const NO_BURN = existsSync(join(root, 'pkg/wasm/burn/build.json')) ? null : 'pkg/wasm/burn is not built (node pkg/build.mjs burn)';

/** Gets ready: `artifact` is the module, `base` the network's, `dims` `[x, y, z]` the image's. */
export function practise(page, { artifact, base, dims }) {
  return page.evaluate(
    async ([artifact, base, [x, y, z]]) => {
      const { createBuffer } = GPUDevice.prototype;
      const { destroy } = GPUBuffer.prototype;
      const sizes = new Map();
      const bytes = { held: 0, most: 0 };
      GPUDevice.prototype.createBuffer = function (...args) {
        const buffer = createBuffer.apply(this, args);
        sizes.set(buffer, buffer.size);
        bytes.held += buffer.size;
        bytes.most = Math.max(bytes.most, bytes.held);
        return buffer;
      };
      GPUBuffer.prototype.destroy = function () {
        bytes.held -= sizes.get(this) ?? 0;
        sizes.delete(this);
        return destroy.call(this);
      };
      const code = await import(`/wasm/${artifact}/insitu_seg.js`);
      (await code.default()).__wasm_call_ctors?.();
      const practice = await code.Practice.create('webgpu', base);
      const [middle, voxels] = [[x, y, z].map((side) => (side - 1) / 2), x * y * z];
      const place = (i) => [i % x, Math.floor(i / x) % y, Math.floor(i / (x * y))];
      const inside = (i) => place(i).every((p, axis) => Math.abs(p - middle[axis]) < 0.3 * [x, y, z][axis]);
      const image = Float32Array.from({ length: voxels }, (_, i) => Number(inside(i)) + Math.sin(i * 12.9898));
      const target = Float32Array.from({ length: 2 * voxels }, (_, i) => Number(inside(i % voxels)));
      window.step = async () => {
        const started = performance.now();
        const loss = await practice.step(image, target, x, y, z, 2e-3);
        return { loss, ms: performance.now() - started, most: bytes.most };
      };
    },
    [artifact, base, dims],
  );
}

/** One step: its loss, milliseconds, and the most bytes that buffers of the GPU had until now. */
export const step = (page) => page.evaluate(() => window.step());
