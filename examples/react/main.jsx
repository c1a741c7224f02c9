import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useSegmenter } from './useSegmenter.js';

function App() {
  const { segmenter, error } = useSegmenter();
  const [words, setWords] = useState(null);

  async function open({ target }) {
    try {
      const { classes } = await segmenter.segment(target.files[0], { onProgress: ({ stage }) => setWords(stage) });
      setWords(classes.map(({ name, milliliters }) => `${name}: ${milliliters.toFixed(3)} mL`).join('; '));
    } catch (refusal) {
      setWords(refusal.message);
    }
  }

  return (
    <main>
      <input type="file" aria-label="NIfTI file" accept=".nii,.gz" disabled={!segmenter} onChange={open} />
      <p>
        <output>{words ?? error?.message ?? (segmenter ? `Ready. ${segmenter.why}` : 'Loading…')}</output>
      </p>
      <p>Not a medical device. Not for diagnosis.</p>
    </main>
  );
}

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
