import { createSegmenter } from 'insitu-seg';

const input = /** @type {HTMLInputElement} */ (document.querySelector('input'));
const button = /** @type {HTMLButtonElement} */ (document.querySelector('button'));
const output = /** @type {HTMLOutputElement} */ (document.querySelector('output'));
const link = /** @type {HTMLAnchorElement} */ (document.querySelector('a'));
const segmenter = await createSegmenter();
input.disabled = false;
output.textContent = `Ready. ${segmenter.why}`;

input.addEventListener('change', async () => {
  const [file] = input.files ?? [];
  if (!file) return;
  const stop = new AbortController();
  button.disabled = false;
  button.onclick = () => stop.abort();
  try {
    const result = await segmenter.segment(file, {
      signal: stop.signal,
      onProgress: ({ stage, done, total }) => (output.textContent = `${stage} ${Math.round((100 * done) / total)} %`),
    });
    URL.revokeObjectURL(link.href);
    Object.assign(link, { href: URL.createObjectURL(new Blob([result.toNifti()])), hidden: false });
    output.textContent = result.classes.map(({ name, milliliters }) => `${name}: ${milliliters.toFixed(3)} mL`).join('; ');
  } catch (error) {
    output.textContent = error instanceof Error ? error.message : String(error);
  }
  button.disabled = true;
});
