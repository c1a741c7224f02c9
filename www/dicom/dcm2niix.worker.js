/**
 * One series of DICOM files after the other -> NIfTI, by Chris Rorden's dcm2niix as wasm. Its package has a worker too, but that one keeps
 * to itself what the converter says, and it loses every series where one fails.
 */
import createConverter from '../../node_modules/@niivue/dcm2niix/dist/dcm2niix.jpeg.js';
import wasmUrl from '../../node_modules/@niivue/dcm2niix/dist/dcm2niix.jpeg.wasm?url';

/** @typedef {{ files: Blob[], options: string[] }} Asked */
/** @typedef {{ made: File[], lines: string[] } | { error: string, lines: string[] }} Answer */

const compiled = WebAssembly.compileStreaming(fetch(wasmUrl));
// Said with the first answer.
compiled.catch(() => {});

/** A fresh instance for each series, as one that failed is in any state. @param {Asked} asked @returns {Promise<Answer>} */
async function convert({ files, options }) {
  /** @type {string[]} */
  const lines = [];
  const say = (/** @type {string} */ line) => void lines.push(line);
  try {
    const code = await compiled;
    const converter = await createConverter({
      print: say,
      printErr: say,
      // What `done` gives are the exports, and the converter waits for them.
      instantiateWasm: (/** @type {WebAssembly.Imports} */ imports, /** @type {(made: WebAssembly.Instance) => object} */ done) =>
        WebAssembly.instantiate(code, imports).then((made) => done(made)),
    });
    const { FS } = converter;
    FS.mkdir('/in');
    FS.mkdir('/out');
    // Numbered: files of several folders may have one name.
    for (const [i, file] of files.entries())
      FS.createDataFile('/in', `${i}.dcm`, new Uint8Array(await file.arrayBuffer()), true, true, true);
    converter.callMain(['-o', '/out', ...options, '/in']);
    const names = FS.readdir('/out').filter((/** @type {string} */ name) => name.endsWith('.nii'));
    return { made: names.map((/** @type {string} */ name) => new File([FS.readFile(`/out/${name}`)], name)), lines };
  } catch (thrown) {
    return { error: thrown instanceof Error ? thrown.message : String(thrown), lines };
  }
}

addEventListener('message', async ({ data }) => postMessage(await convert(data)));
