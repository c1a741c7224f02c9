/**
 * Writes files for pages whose browser has no `createWritable` (Safari before 26): by a sync access handle, which only workers
 * have, beside the file that is replaced, which it takes the place of when it is whole. Messages: { id, path, name, content } in;
 * { id } or { id, error: { name, message } } out. `path` and `name` are as the file system has them.
 */

/** Bytes in memory at a time. */
const CHUNK = 2 ** 24;

/** @typedef {{ id: number, path: string[], name: string, content: Blob | Uint8Array<ArrayBuffer> }} Order */

/** @param {MessageEvent<Order>} event */
globalThis.onmessage = async ({ data: { id, ...order } }) => {
  try {
    await write(order);
    globalThis.postMessage({ id });
  } catch (thrown) {
    const { name, message } = /** @type {Error} */ (thrown);
    globalThis.postMessage({ id, error: { name, message } });
  }
};

/** @param {Omit<Order, 'id'>} order */
async function write({ path, name, content }) {
  let folder = await navigator.storage.getDirectory();
  for (const one of path) folder = await folder.getDirectoryHandle(one);
  // The sign before `part` is in no name that a caller can give: `encode` of opfs.js leaves none.
  const part = `${name}.${crypto.randomUUID()}+part`;
  const file = /** @type {FileSystemFileHandle & { move(folder: FileSystemDirectoryHandle, name: string): Promise<void> }} */ (
    await folder.getFileHandle(part, { create: true })
  );
  try {
    await fill(await file.createSyncAccessHandle(), content);
    await file.move(folder, name);
  } catch (error) {
    await folder.removeEntry(part).catch(() => {});
    throw error;
  }
}

/** Safari before 16.4 answers some of these calls with promises. @param {FileSystemSyncAccessHandle} handle @param {Order['content']} content */
async function fill(handle, content) {
  const size = content instanceof Blob ? content.size : content.length;
  try {
    for (let at = 0; at < size; at += CHUNK) {
      const end = at + CHUNK;
      const bytes = content instanceof Blob ? new Uint8Array(await content.slice(at, end).arrayBuffer()) : content.subarray(at, end);
      if ((await handle.write(bytes, { at })) < bytes.length) throw new DOMException('The file could not grow.', 'QuotaExceededError');
    }
    await handle.flush();
  } finally {
    await handle.close();
  }
}
