/**
 * Faults, made where they happen: loaded into the page, and by the worker of a test before the package's own. A plan is
 * { kind, call, n }: at the n-th event (from 0) of the engine's call named `call` ('load', 'start', 'segment'), or of any.
 * Every fault that is made is told to the channel 'faults'.
 */
const channel = new BroadcastChannel('faults');
const inWorker = typeof WorkerGlobalScope !== 'undefined';
const plan = inWorker && self.name.startsWith('{') ? JSON.parse(self.name) : {};

let call = null;
const seen = { submits: 0, maps: 0, shaders: 0, progress: 0 };
const fired = (what = plan.kind) => channel.postMessage({ fired: what, call });

/** Whether this is the event that the plan names. */
function isAt(counter) {
  const n = seen[counter]++;
  return (plan.call === undefined || plan.call === call) && n === plan.n;
}

function wrap(prototype, name, around) {
  const real = prototype[name];
  prototype[name] = function (...args) {
    return around.call(this, real.bind(this), ...args);
  };
}

/** What happens to a device at a submit. */
const AT_SUBMIT = {
  lose: (device) => device.destroy(),
  // A usage of nothing is invalid: the browser tells it later, as it tells a broken shader.
  validation: (device) => device.createBuffer({ size: 16, usage: 0 }),
  memory: (device) =>
    device.dispatchEvent(new GPUUncapturedErrorEvent('uncapturederror', { error: new GPUOutOfMemoryError('injected: no memory') })),
  throw: () =>
    setTimeout(() => {
      throw new Error('injected: the worker failed');
    }),
  'submit throws': () => {
    throw new Error('injected: submit failed');
  },
  die: () => self.close(),
};

function breakGpu() {
  const devices = new WeakMap();
  wrap(GPUAdapter.prototype, 'requestDevice', async (real, descriptor = {}) => {
    if (plan.kind === 'no device') {
      fired();
      throw new DOMException('injected: no device', 'OperationError');
    }
    if (plan.kind === 'small limits') {
      fired();
      descriptor = { ...descriptor, requiredLimits: {} };
    }
    const device = await real(descriptor);
    devices.set(device.queue, device);
    return device;
  });
  wrap(GPU.prototype, 'requestAdapter', async (real, ...args) => {
    if (plan.kind !== 'no adapter' && plan.kind !== 'adapter throws') return real(...args);
    fired();
    if (plan.kind === 'adapter throws') throw new DOMException('injected: no adapter', 'OperationError');
    return null;
  });
  if (plan.kind === 'small limits') {
    const limits = Object.getOwnPropertyDescriptor(GPUAdapter.prototype, 'limits').get;
    const small = {
      maxBufferSize: 2 ** 28,
      maxStorageBufferBindingSize: 2 ** 27,
      maxStorageBuffersPerShaderStage: 8,
      maxComputeInvocationsPerWorkgroup: 256,
      maxComputeWorkgroupStorageSize: 16384,
    };
    Object.defineProperty(GPUAdapter.prototype, 'limits', {
      get() {
        return new Proxy(limits.call(this), { get: (real, name) => small[name] ?? real[name] });
      },
    });
  }
  wrap(GPUQueue.prototype, 'submit', function (real, ...args) {
    const act = AT_SUBMIT[plan.kind];
    if (isAt('submits') && act) {
      fired();
      act(devices.get(this));
    }
    return real(...args);
  });
  wrap(GPUDevice.prototype, 'createShaderModule', (real, descriptor) => {
    const broken = isAt('shaders') && plan.kind === 'shader';
    if (broken) fired();
    return real(broken ? { ...descriptor, code: `${descriptor.code}\nfn injected() -> u32 { return 1.5; }` } : descriptor);
  });
  wrap(GPUBuffer.prototype, 'mapAsync', async (real, ...args) => {
    if (isAt('maps') && plan.kind === 'readback') {
      fired();
      throw new DOMException('injected: not mapped', 'OperationError');
    }
    return real(...args);
  });
}

/** In the page: the software adapter passes for a real one, so that 'auto' takes it. */
export function pretendHardware() {
  if (!globalThis.GPUAdapter) return;
  Object.defineProperty(GPUAdapter.prototype, 'info', {
    get: () => ({ vendor: 'a test', architecture: '', device: '', description: 'a test', isFallbackAdapter: false }),
  });
}

if (inWorker) {
  self.addEventListener('message', ({ data }) => {
    if (!data.call || data.call === 'healthy') return;
    call = data.call;
    for (const counter in seen) seen[counter] = 0;
  });
  wrap(self, 'postMessage', (real, message, ...rest) => {
    real(message, ...rest);
    if (message.value !== undefined || message.error) channel.postMessage({ call, seen });
  });
  if (globalThis.GPUAdapter) breakGpu();
  if (plan.kind === 'no locks') {
    fired();
    Object.defineProperty(WorkerNavigator.prototype, 'locks', { value: undefined });
  }
}

/** In the page: what the workers and the page told of faults, { fired: [...], counts: { call: seen } }. */
export function listen() {
  const heard = { fired: [], counts: {} };
  channel.onmessage = ({ data }) => {
    if (data.fired) heard.fired.push(`${data.fired} in ${data.call}`);
    else heard.counts[data.call] = data.seen;
  };
  return heard;
}

/**
 * In the page: the next workers are made with these plans, in the order in which they are made; after the last, none.
 * A plan with `url` is a worker of that script. { kind: 'kill', n } terminates the worker at its n-th message of a call,
 * and lets no later one through that was on its way.
 */
export function planWorkers(heard) {
  const Real = globalThis.Worker;
  const plans = [];
  let always = null;
  globalThis.Worker = class extends Real {
    constructor(url, options) {
      const plan = plans.shift() ?? always;
      const ours = plan && String(url).endsWith('/worker.js');
      super(ours ? (plan.url ?? '/faulty-worker.js') : url, ours ? { ...options, name: JSON.stringify(plan) } : options);
      if (ours && plan.kind === 'kill') this.#kill(plan);
    }
    #kill({ n, call }) {
      let [current, count, dead] = [null, 0, false];
      const end = () => {
        dead = true;
        heard.fired.push(`kill in ${current}`);
        this.terminate();
      };
      const real = this.postMessage.bind(this);
      this.postMessage = (message, ...rest) => {
        if (message.call !== 'healthy') [current, count] = [message.call, 0];
        real(message, ...rest);
        if (call === current && n === 'at once') end();
      };
      this.addEventListener('message', (event) => {
        if (dead) return event.stopImmediatePropagation();
        if (event.data.id !== undefined && call === current && count++ === n) end();
      });
    }
  };
  return { next: (...list) => plans.splice(0, Infinity, ...list), every: (plan) => (always = plan) };
}
