/**
 * What the GPU reports behind the engine's back.
 *
 * A shader that fails validation, or memory that runs out, does not throw in WebGPU: the call "succeeds",
 * the error arrives later as an event, and the buffer that is read back holds zeros or stale data. So every
 * device of this thread is listened to, and no result is released over an error that came while it was made.
 * If this file is bypassed, a broken GPU yields an empty mask instead of an error.
 */
import { firstLine, InsituError } from './error.js';

/** @type {GpuWatch | undefined} */
let watch;

/** The watch of this thread; the first call installs it, and must come before the first device is requested. */
export const watchGpu = () => (watch ??= new GpuWatch());

class GpuWatch {
  /** Command buffers handed to the GPU by this thread, in calls of `queue.submit`. */
  submits = 0;
  /** @type {InsituError[]} */
  #faults = [];
  /** @type {GPUQueue[]} */
  #queues = [];
  /** @type {Set<(fault: InsituError) => void>} */
  #listeners = new Set();

  constructor() {
    const { GPUQueue, GPUAdapter } = globalThis;
    if (!GPUQueue || !GPUAdapter) return;
    const self = this;
    const { submit } = GPUQueue.prototype;
    GPUQueue.prototype.submit = function (/** @type {Iterable<GPUCommandBuffer>} */ commands) {
      self.submits += 1;
      return submit.call(this, commands);
    };
    const { requestDevice } = GPUAdapter.prototype;
    GPUAdapter.prototype.requestDevice = async function (/** @type {GPUDeviceDescriptor | undefined} */ descriptor) {
      const device = await requestDevice.call(this, descriptor);
      self.#adopt(device);
      return device;
    };
  }

  /** How many errors and losses this thread's devices have reported so far: the generation a result belongs to. */
  get faults() {
    return this.#faults.length;
  }

  /**
   * Runs `work` and gives its value only if nothing was reported since the generation `since`.
   * The first fault ends the wait: nobody waits minutes for a result that will be thrown away.
   * @template T @param {number} since @param {() => Promise<T>} work @returns {Promise<T>}
   */
  async guard(since, work) {
    /** @type {(fault: InsituError) => void} */
    let listener = () => {};
    /** @type {Promise<never>} */
    const fault = new Promise((_, reject) => this.#listeners.add((listener = reject)));
    try {
      const value = await Promise.race([work(), fault]);
      await this.#settle();
      if (this.#faults.length > since) throw this.#faults[since];
      return value;
    } finally {
      this.#listeners.delete(listener);
    }
  }

  /** Waits until what was submitted is done and the events it raised have been dispatched. */
  async #settle() {
    if (this.#queues.length === 0) return;
    await Promise.all(this.#queues.map((queue) => queue.onSubmittedWorkDone().catch(() => {})));
    await new Promise((resolve) => setTimeout(resolve));
  }

  /** @param {GPUDevice} device */
  #adopt(device) {
    this.#queues.push(device.queue);
    device.addEventListener('uncapturederror', ({ error }) => this.#report(error.message));
    device.lost.then(({ reason, message }) => {
      this.#queues = this.#queues.filter((queue) => queue !== device.queue);
      this.#report(`the device was lost (${message || reason})`);
    });
  }

  /** @param {string} text */
  #report(text) {
    const fault = new InsituError('device', `The GPU reported an error, so its result was discarded: ${firstLine(text)}.`);
    this.#faults.push(fault);
    for (const reject of this.#listeners) reject(fault);
  }
}
