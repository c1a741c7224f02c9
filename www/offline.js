/** The service worker of the built page: sw.template.js with the names of the files that this build made. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Fetched when somebody needs them, and kept from then on: the converter of DICOM files, and codecs of formats that the page does not open. */
const LATER = /dcm2niix|\.jpeg-|blosc|zstd|lz4|browser-external/;

/** @type {import('vite').Plugin} */
export const offline = {
  name: 'offline',
  apply: 'build',
  enforce: 'post',
  generateBundle: {
    order: 'post',
    handler(_, bundle) {
      const names = Object.keys(bundle).filter((name) => !name.endsWith('.map'));
      const hash = createHash('sha256');
      for (const name of names.toSorted()) {
        const file = bundle[name];
        hash.update(name).update(file.type === 'chunk' ? file.code : file.source);
      }
      const now = ['./', ...names.filter((name) => !LATER.test(name) && name !== 'index.html').map((name) => `./${name}`)];
      const later = names.filter((name) => LATER.test(name)).map((name) => `./${name}`);
      const head = `const VERSION = '${hash.digest('hex').slice(0, 12)}';\nconst FILES = ${JSON.stringify(now)};\nconst LATER = ${JSON.stringify(later)};\n`;
      this.emitFile({ type: 'asset', fileName: 'sw.js', source: head + readFileSync(new URL('sw.template.js', import.meta.url), 'utf8') });
    },
  },
};
