/** Files in and out: the buttons, dropping files and folders anywhere, saving. */
import { $ } from './element.js';

/** Calls `take(files)` for what was chosen or dropped together, one file or more. */
export function onFiles(take) {
  for (const [button, input] of [
    ['open', 'file'],
    ['open-folder', 'folder'],
  ]) {
    $(button).addEventListener('click', () => $(input).click());
    $(input).addEventListener('change', ({ target }) => {
      const files = [...target.files];
      target.value = '';
      if (files.length > 0) take(files);
    });
  }

  // dragenter and dragleave also fire for every element inside, so depth tells when the page itself is left.
  let depth = 0;
  const show = (change) => {
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
    const files = await dropped(event.dataTransfer);
    if (files.length > 0) take(files);
  });
}

/** What was dropped, with what lies in its folders. Entries must be asked for before the first wait. */
async function dropped({ items, files }) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some(({ isDirectory }) => isDirectory)) return [...files];
  return (await Promise.all(entries.map(walk))).flat();
}

async function walk(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const found = [];
  // A reader gives a hundred entries at a time.
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return (await Promise.all(found.map(walk))).flat();
    found.push(...some);
  }
}

/** Gives `content` to the user as a download. */
export function save(content, name, type) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
