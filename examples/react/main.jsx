import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useSegmenter } from './useSegmenter.js';

function App() {
  const { segmenter, error } = useSegmenter();
  const [words, setWords] = useState(/** @type {string | null} */ (null));

  /** @param {import('react').ChangeEvent<HTMLInputElement>} event */
  async function open({ target }) {
    const [file] = target.files ?? [];
    if (!file || !segmenter) return;
    try {
      const { classes } = await segmenter.segment(file, { onProgress: ({ stage }) => setWords(stage) });
      setWords(classes.map(({ name, milliliters }) => `${name}: ${milliliters.toFixed(3)} mL`).join('; '));
    } catch (refusal) {
      setWords(refusal instanceof Error ? refusal.message : String(refusal));
    }
  }

  return (
    <main>
      <input type="file" aria-label="NIfTI file" accept=".nii,.gz,.mgz,.mgh" disabled={!segmenter} onChange={open} />
      <p>
        <output>{words ?? error?.message ?? (segmenter ? `Ready. ${segmenter.why}` : 'Loading…')}</output>
      </p>
      <p>Not a medical device. Not for diagnosis.</p>
    </main>
  );
}

createRoot(/** @type {HTMLElement} */ (document.getElementById('root'))).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
