/** The service worker of the built page: sw.template.js with the names of the files that this build made. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Fetched when somebody needs them, and kept from then on: the converter of DICOM files, and burn. */
const LATER = /dcm2niix|\.jpeg-|browser-external/;

/** The CPU's modules, of which a browser needs those with relaxed SIMD or those without. */
const CPU = /wasm\/(cpu|threads)(-relaxed)?\/[^/]+\.wasm$/;

/** The module in which burn trains. */
const BURN = /wasm\/burn\/[^/]+\.wasm$/;

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
      const madeOf = (/** @type {string} */ name) => {
        const file = bundle[name];
        return file.type === 'asset' ? (file.originalFileNames[0] ?? '') : '';
      };
      /** @type {(name: string) => RegExpExecArray | null | undefined} */
      const cpu = (name) => CPU.exec(madeOf(name));
      const later = (/** @type {string} */ name) => LATER.test(name) || BURN.test(madeOf(name));
      const listed = (/** @type {(name: string) => boolean} */ has) => names.filter(has).map((name) => `./${name}`);
      const lists = {
        VERSION: hash.digest('hex').slice(0, 12),
        ALWAYS: ['./', ...listed((name) => !later(name) && name !== 'index.html' && !cpu(name))],
        PLAIN: listed((name) => cpu(name)?.[2] === undefined && Boolean(cpu(name))),
        RELAXED: listed((name) => cpu(name)?.[2] !== undefined),
        WHEN_NEEDED: listed(later),
      };
      const head = Object.entries(lists)
        .map(([name, value]) => `const ${name} = ${JSON.stringify(value)};\n`)
        .join('');
      this.emitFile({ type: 'asset', fileName: 'sw.js', source: head + readFileSync(new URL('sw.template.js', import.meta.url), 'utf8') });
    },
  },
};
