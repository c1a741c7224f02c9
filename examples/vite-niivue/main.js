import { Niivue } from '@niivue/niivue';
import { createSegmenter } from 'insitu-seg';
import { drawnLabels, editMask, showMask } from 'insitu-seg/niivue';

const input = /** @type {HTMLInputElement} */ (document.querySelector('input'));
const pens = /** @type {HTMLSelectElement} */ (document.querySelector('select'));
const output = /** @type {HTMLOutputElement} */ (document.querySelector('output'));
const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector('canvas'));
const nv = new Niivue({ logLevel: 'error' });
await nv.attachToCanvas(canvas);
const segmenter = await createSegmenter();
output.textContent = `Ready. ${segmenter.why}`;

input.addEventListener('change', async () => {
  const [file] = input.files ?? [];
  if (!file) return;
  await nv.loadFromFile(file);
  const result = await segmenter.segment(file, { onProgress: ({ stage }) => (output.textContent = stage) });
  await showMask(nv, result);
  offerPens(result);
  output.textContent = result.classes.map(({ name, milliliters }) => `${name}: ${milliliters.toFixed(3)} mL`).join('; ');
});

/** The first choice of a pen makes the mask a drawing; after a stroke the voxels of each label are counted. @param {import('insitu-seg').Segmentation} result */
function offerPens(result) {
  const options = [{ index: '', name: 'look only' }, { index: 0, name: 'eraser' }, ...result.classes];
  pens.replaceChildren(...options.map(({ index, name }) => new Option(name, String(index))));
  pens.disabled = false;
  let drawing = false;
  pens.onchange = async () => {
    if (!drawing) await editMask(nv, result);
    drawing = true;
    nv.setDrawingEnabled(pens.value !== '');
    nv.setPenValue(Number(pens.value), true);
  };
  nv.onDrawingChanged = () => {
    const { labels } = drawnLabels(nv);
    output.textContent = result.classes
      .map(({ index, name }) => `${name}: ${labels.filter((label) => label === index).length} voxels`)
      .join('; ');
  };
}
