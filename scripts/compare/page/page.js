/** The page's side: a worker for each contestant, kept between its turns. compare.mjs calls the three functions. */
const LIMIT_MS = 10 * 60_000;
const workers = new Map();

/** One question, one answer; a worker that fails or says nothing is an error. */
function ask(worker, question) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer in ${LIMIT_MS / 1000} s`)), LIMIT_MS);
    worker.onmessage = ({ data }) => {
      clearTimeout(timer);
      if (data.error) reject(new Error(data.error));
      else resolve(data.ms);
    };
    worker.onerror = ({ message }) => {
      clearTimeout(timer);
      reject(new Error(message || 'the worker failed'));
    };
    worker.postMessage(question);
  });
}

globalThis.start = async (job) => {
  const id = workers.size;
  const worker = new Worker('worker.js', { type: 'module' });
  workers.set(id, worker);
  try {
    await ask(worker, { job });
  } catch (error) {
    worker.terminate();
    throw error;
  }
  return id;
};
globalThis.turn = (id) => ask(workers.get(id), {});
globalThis.stop = (id) => workers.get(id).terminate();
