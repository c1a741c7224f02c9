/** Nobody waits in silence: where nothing new is heard for a while, the last news is told again. */
const SILENCE_MS = 5_000;

/**
 * @param {((progress: import('./index.d.ts').Progress) => void) | undefined} onProgress
 * @returns {{ tell(progress: import('./index.d.ts').Progress): void, stop(): void }}
 */
export function heartbeat(onProgress) {
  if (!onProgress) return { tell() {}, stop() {} };
  let last;
  let heard = performance.now();
  const timer = setInterval(() => {
    const silentMs = Math.round(performance.now() - heard);
    if (last && silentMs >= SILENCE_MS) onProgress({ ...last, silentMs });
  }, SILENCE_MS);
  return {
    tell(progress) {
      last = progress;
      heard = performance.now();
      onProgress(progress);
    },
    stop: () => clearInterval(timer),
  };
}
