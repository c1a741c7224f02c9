import { createSegmenter } from 'insitu-seg';

const [input, button, output, link] = ['input', 'button', 'output', 'a'].map((name) => document.querySelector(name));
const segmenter = await createSegmenter();
input.disabled = false;
output.textContent = `Ready. ${segmenter.why}`;

input.addEventListener('change', async () => {
  const stop = new AbortController();
  button.disabled = false;
  button.onclick = () => stop.abort();
  try {
    const onProgress = ({ stage, done, total }) => (output.textContent = `${stage} ${Math.round((100 * done) / total)} %`);
    const result = await segmenter.segment(input.files[0], { signal: stop.signal, onProgress });
    URL.revokeObjectURL(link.href);
    Object.assign(link, { href: URL.createObjectURL(new Blob([result.toNifti()])), hidden: false });
    output.textContent = result.classes.map(({ name, milliliters }) => `${name}: ${milliliters.toFixed(3)} mL`).join('; ');
  } catch (error) {
    output.textContent = error.message;
  }
  button.disabled = true;
});
