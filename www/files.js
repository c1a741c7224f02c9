/** Files in and out: the buttons, dropping files and folders anywhere, saving. */
import { $, input, onClick } from './dom.js';

/** Calls `receive` with what was chosen or dropped together, one file or more. @param {(files: File[]) => void} receive */
export function onFiles(receive) {
  for (const [button, field] of [
    ['open', 'file'],
    ['open-folder', 'folder'],
  ]) {
    onClick(button, () => input(field).click());
    onPicked(field, receive);
  }

  // dragenter and dragleave also fire for every element inside, so depth tells when the page itself is left.
  let depth = 0;
  const show = (/** @type {number} */ change) => {
    depth = Math.max(0, depth + change);
    $('drop').hidden = depth === 0;
  };
  addEventListener('dragenter', (event) => {
    event.preventDefault();
    show(1);
  });
  addEventListener('dragleave', () => show(-1));
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('drop', async (event) => {
    event.preventDefault();
    show(-depth);
    const files = event.dataTransfer ? await droppedFiles(event.dataTransfer) : [];
    if (files.length > 0) receive(files);
  });
}

/** Calls `receive` with the files that were picked in a file field. @param {string} id @param {(files: File[]) => void} receive */
export function onPicked(id, receive) {
  const field = input(id);
  field.addEventListener('change', () => {
    const files = [...(field.files ?? [])];
    field.value = '';
    if (files.length > 0) receive(files);
  });
}

/** What was dropped, with what lies in its folders. Entries must be asked for before the first wait. @param {DataTransfer} transfer */
async function droppedFiles({ items, files }) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry !== null && entry !== undefined);
  if (!entries.some(({ isDirectory }) => isDirectory)) return [...files];
  return (await Promise.all(entries.map(filesIn))).flat();
}

/** @param {FileSystemEntry} entry @returns {Promise<File[]>} */
async function filesIn(entry) {
  if (isFile(entry)) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  const found = [];
  // A reader gives a hundred entries at a time.
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return (await Promise.all(found.map(filesIn))).flat();
    found.push(...some);
  }
}

/** @param {FileSystemEntry} entry @returns {entry is FileSystemFileEntry} */
const isFile = (entry) => entry.isFile;

/** Gives `content` to the user as a download. @param {BlobPart} content @param {string} name @param {string} type */
export function save(content, name, type) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
