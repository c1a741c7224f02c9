/** A contestant's thread: readies it once, then runs it each time it is asked. */
let turn;

self.onmessage = async ({ data: { job } }) => {
  try {
    if (!job) return postMessage({ ms: await turn() });
    const { prepare } = await import(`./${job.module}`);
    turn = await prepare(job);
    postMessage({});
  } catch (error) {
    postMessage({ error: String(error?.message ?? error) });
  }
};
