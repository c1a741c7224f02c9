/** Files in and out: the buttons, dropping files and folders anywhere, saving. */
import { $, input, onClick } from './dom.js';
import { pathOf, setPath } from './open/paths.js';

/**
 * What was chosen or dropped together. `unread`: what could not be looked at; `folders`: those that were dropped as they are.
 * @typedef {{ files: File[], unread?: string[], folders?: string[] }} Given
 */

/** Calls `receive` with what was chosen or dropped together, also where it is nothing. @param {(given: Given) => void} receive */
export function onFiles(receive) {
  for (const [button, field] of [
    ['open', 'file'],
    ['open-folder', 'folder'],
  ]) {
    onClick(button, () => input(field).click());
    onPicked(field, (files) => receive({ files: field === 'folder' ? byPath(files) : files }));
  }

  // On the way down: the slices' own listeners let none of these events come up again.
  const listen = (
    /** @type {'dragenter' | 'dragover' | 'dragleave' | 'drop'} */ name,
    /** @type {(event: DragEvent) => void} */ listener,
  ) => addEventListener(name, listener, { capture: true });
  const take = (/** @type {DragEvent} */ event) => {
    if (isText(event)) return;
    event.preventDefault();
    $('drop').hidden = !hasFiles(event);
  };
  listen('dragenter', take);
  listen('dragover', take);
  listen('dragleave', ({ relatedTarget }) => {
    if (relatedTarget === null) $('drop').hidden = true;
  });
  listen('drop', async (event) => {
    $('drop').hidden = true;
    if (isText(event)) return;
    event.preventDefault();
    receive(event.dataTransfer ? await droppedFiles(event.dataTransfer) : { files: [] });
  });
}

/** @param {DragEvent} event */
const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes('Files') ?? false;

/** Words that are dragged into a field of the page are the field's. @param {DragEvent} event */
const isText = (event) => (event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement) && !hasFiles(event);

/** Calls `receive` with the files that were picked in a file field. @param {string} id @param {(files: File[]) => void} receive */
export function onPicked(id, receive) {
  const field = input(id);
  const take = () => {
    const files = [...(field.files ?? [])];
    field.value = '';
    receive(files);
  };
  field.addEventListener('change', take);
  // Somebody was faster than the page's code.
  if (field.files?.length) take();
}

/** What was dropped, with what lies in its folders. Entries must be asked for before the first wait. @param {DataTransfer} transfer @returns {Promise<Given>} */
async function droppedFiles({ items, files }) {
  const loose = [...files];
  const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry !== null && entry !== undefined);
  const folders = entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  if (folders.length === 0) return { files: loose };
  const found = { files: [], unread: [], folders };
  await Promise.all(entries.map((entry) => collect(entry, found)));
  // In the order of their names, however fast each was read.
  return { ...found, files: byPath(found.files) };
}

/** @param {File[]} files */
const byPath = (files) => files.toSorted((a, b) => pathOf(a).localeCompare(pathOf(b), undefined, { numeric: true }));

/** What cannot be read is named, and all else is there. @param {FileSystemEntry} entry @param {{ files: File[], unread: string[] }} found */
async function collect(entry, found) {
  try {
    if (isFile(entry)) {
      /** @type {File} */
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      setPath(file, entry.fullPath);
      found.files.push(file);
      return;
    }
    const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
    // A reader gives a hundred entries at a time.
    for (;;) {
      /** @type {FileSystemEntry[]} */
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (some.length === 0) return;
      await Promise.all(some.map((one) => collect(one, found)));
    }
  } catch {
    found.unread.push(entry.fullPath.slice(1));
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
