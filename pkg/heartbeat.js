/** Nobody waits in silence: where nothing new is heard for a while, the last news is repeated. */
/** @import { Progress, TuneProgress } from './index.js' */

/** @typedef {Progress | TuneProgress} AnyProgress */

const SILENCE_MS = 5_000;

/**
 * @param {{ onProgress?(progress: AnyProgress): void }} listener
 * @returns {{ report(progress: AnyProgress): void, stop(): void }}
 */
export function heartbeat({ onProgress }) {
  if (!onProgress) return { report() {}, stop() {} };
  /** @type {AnyProgress | undefined} */
  let last;
  let heard = performance.now();
  const timer = setInterval(() => {
    const silentMs = Math.round(performance.now() - heard);
    if (last && silentMs >= SILENCE_MS) onProgress({ ...last, silentMs });
  }, SILENCE_MS);
  return {
    report(progress) {
      last = progress;
      heard = performance.now();
      onProgress(progress);
    },
    stop: () => clearInterval(timer),
  };
}
