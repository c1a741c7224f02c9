/** What this browser can run, how fast, and what it asked the network for. */
import type { Backend, Triple } from './common.js';

export interface Support {
  webgpu: boolean;
  /** `software`: an emulation on the CPU such as SwiftShader. */
  adapter: { vendor: string; architecture: string; device: string; description: string; software: boolean } | null;
  /** The adapter's WebGPU limits, {} without an adapter. */
  limits: Record<string, number>;
  /** Whether the CPU would run on several threads: it has cores, and the page is cross-origin isolated. */
  threads: boolean;
  /** WebAssembly SIMD, which the engine needs. */
  simd: boolean;
  /** Whether products and sums can be one step in WebAssembly. */
  relaxedSimd: boolean;
  recommended: Backend;
  /** In words, for people. */
  reasons: string[];
}

export function checkSupport(): Promise<Support>;

export interface BenchmarkOptions {
  /** Channels of the network's first level, 1 to 256. */
  base: number;
  /** Voxels, each side 8 to 1024. */
  size: Triple;
  /** A training step as well: forward, loss, all gradients, AdamW. */
  train?: boolean;
  /** As for `createSegmenter`; but an engine that cannot start is an error, not a reason to take another. */
  backend?: 'auto' | Backend;
  threads?: number;
  relaxedSimd?: boolean;
  /** Passes that count, 5 by default; one goes before that does not. */
  runs?: number;
  assets?: string | URL;
}

export interface Benchmark {
  /** Milliseconds of a forward pass, the median. */
  forwardMs: number;
  /** Milliseconds of a training step, the median; with `train`. */
  trainMs?: number;
  /** Its maps, gradients and all that is kept of the weights, at the worst moment. */
  trainPeakBytes?: number;
  /** Billions of additions and multiplications per second. */
  gflops: number;
  /** Maps, weights and scratch at the worst moment. */
  peakBytes: number;
  backend: Backend;
  /** The device in words. */
  adapter: string;
  threads: number;
}

/** How fast a network with random weights runs here. Calls do not wait for each other: measure one at a time. */
export function benchmark(options: BenchmarkOptions): Promise<Benchmark>;

/**
 * How many requests the page and this package's workers have made since the first segmenter was ready, as the browser's
 * resource timing tells: 0 where segmenting and saving need no network. Of other workers, frames and tabs it knows nothing.
 * `except`: addresses that are left out, such as those that the page's own service worker answers without a network.
 */
export function requestsSinceLoad(options?: { except?: string[] }): number;
