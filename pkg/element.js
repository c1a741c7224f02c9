/**
 * <insitu-segmenter>: drop a NIfTI or MGH file, see the mask, save it. Importing this file defines the element; it needs
 * nothing else, works under a strict policy (no inline style or script), and keeps its looks to itself.
 *
 *   attributes  model, backend, assets: as for createSegmenter
 *   open(input) what dropping a file does
 *   events      insitu-progress, insitu-result (detail: Segmentation), insitu-error (detail: InsituError)
 */
/** @import { Input, LabelClass, Progress, Segmentation, Segmenter, SegmenterOptions } from './index.js' */
import { asInsituError, InsituError } from './error.js';
import { Planes } from './planes.js';
import { createSegmenter } from './segmenter.js';

const STYLE = `
  :host { display: block; font: 14px/1.5 system-ui, sans-serif; color: CanvasText; background: Canvas; border: 1px solid #8888; border-radius: 8px; padding: 12px; }
  :host([hidden]), [hidden] { display: none !important; }
  :host(.over) { outline: 3px solid #0d9488; }
  .planes { display: flex; flex-wrap: wrap; gap: 8px; margin: 8px 0; }
  .plane { position: relative; flex: 1 1 200px; background: #000; display: grid; place-items: center; min-height: 120px; }
  canvas { width: 100%; max-height: 60vh; image-rendering: pixelated; touch-action: none; }
  canvas:focus-visible, button:focus-visible { outline: 3px solid #0d9488; }
  .plane span { position: absolute; color: #ffe14d; font-weight: 600; text-shadow: 0 0 3px #000; pointer-events: none; }
  .left { left: 4px; top: 45%; } .right { right: 4px; top: 45%; } .top { top: 2px; left: 48%; } .bottom { bottom: 2px; left: 48%; }
  button { font: inherit; padding: 4px 12px; }
  progress { width: 100%; }
  ul { margin: 4px 0; padding: 0; list-style: none; }
  i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 6px; vertical-align: -1px; }
  p { margin: 4px 0; }
  .small { font-size: 12px; opacity: 0.8; }
`;

/** The engine's stages in words. @type {Record<Progress['stage'], string>} */
const STAGES = {
  load: 'Loading the model',
  start: 'Starting the engine',
  prepare: 'Preparing the image',
  whole: 'Finding the object',
  patch: 'Segmenting inside its box',
  restore: 'Returning to the grid of the file',
  suggest: 'Looking for slices to check',
  recover: 'Starting the engine again',
};
const INVITATION = 'Drop a NIfTI or MGH file here (.nii, .nii.gz, .mgz, or .hdr with .img). It stays on this computer.';

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {Partial<HTMLElementTagNameMap[Tag]>} properties @param {(Node | string)[]} children
 */
const make = (tag, properties = {}, ...children) => {
  const element = document.createElement(tag);
  Object.assign(element, properties);
  element.append(...children);
  return element;
};

/** So that the module loads where there is no document. */
const Base = globalThis.HTMLElement ?? /** @type {typeof HTMLElement} */ (/** @type {unknown} */ (class {}));

class InsituSegmenter extends Base {
  /** @type {ReturnType<typeof makeUi> | undefined} */
  #made;
  /** @type {Promise<Segmenter | null> | null} */
  #ready = null;
  /** @type {AbortController | null} */
  #run = null;

  /** @type {Segmentation | null} the last mask */
  result = null;

  get #ui() {
    return (this.#made ??= this.#build());
  }

  connectedCallback() {
    this.#ready = this.#create();
  }

  disconnectedCallback() {
    this.#run?.abort();
    this.#ready?.then((segmenter) => segmenter?.dispose());
    this.#ready = null;
  }

  /** Segments an image; resolves to the result, or to null where there is none: the element says why. @param {Input} input */
  async open(input) {
    this.#run?.abort();
    const run = (this.#run = new AbortController());
    this.result = null;
    this.#set({ status: 'Opening the image', busy: true, classes: [] });
    try {
      const segmenter = await this.#ready;
      if (!segmenter) return null;
      this.#ui.planes.show(await segmenter.read(input, { signal: run.signal }));
      this.#ui.planes.element.hidden = false;
      const result = await segmenter.segment(input, { signal: run.signal, onProgress: (progress) => this.#progress(progress) });
      this.#ui.planes.showMask(result.labels, result.classes);
      this.result = result;
      this.#set({ status: `Done in ${(result.report.ms / 1000).toFixed(1)} s.`, classes: result.classes });
      this.#emit('insitu-result', result);
      return result;
    } catch (thrown) {
      if (this.#run === run) this.#fail(thrown);
      return null;
    }
  }

  async #create() {
    this.#set({ status: STAGES.load, busy: true });
    const asked = ['model', 'backend', 'assets'].flatMap((name) => (this.hasAttribute(name) ? [[name, this.getAttribute(name)]] : []));
    /** @type {SegmenterOptions} */
    const options = Object.fromEntries(asked);
    try {
      const segmenter = await createSegmenter({ ...options, onProgress: (progress) => this.#progress(progress) });
      this.#ui.about.textContent = `${segmenter.model.title}. ${segmenter.why} Not a medical device. Not for diagnosis.`;
      if (!this.#run) this.#set({ status: INVITATION });
      return segmenter;
    } catch (thrown) {
      this.#fail(thrown);
      return null;
    }
  }

  #build() {
    const ui = makeUi({
      open: (files) => this.#openFiles(files),
      cancel: () => this.#run?.abort(),
      save: () => this.#save(),
    });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    const shadow = this.attachShadow({ mode: 'open' });
    shadow.adoptedStyleSheets = [sheet];
    const buttons = make('p', {}, ui.open, ' ', ui.cancel, ' ', ui.save, ui.picker);
    shadow.append(ui.status, ui.bar, ui.planes.element, ui.classes, buttons, ui.about);
    this.addEventListener('dragover', (event) => {
      event.preventDefault();
      this.classList.add('over');
    });
    this.addEventListener('dragleave', () => this.classList.remove('over'));
    this.addEventListener('drop', (event) => {
      event.preventDefault();
      this.classList.remove('over');
      this.#openFiles([...(event.dataTransfer?.files ?? [])]);
    });
    return ui;
  }

  /** One file, or a .hdr with its .img. @param {File[]} files */
  #openFiles(files) {
    const named = (/** @type {string} */ ending) => files.find(({ name }) => new RegExp(`\\.${ending}(\\.gz)?$`, 'i').test(name));
    const [hdr, img] = [named('hdr'), named('img')];
    if (files.length === 1) this.open(files[0]);
    else if (files.length === 2 && hdr && img) this.open({ hdr, img });
    else if (files.length > 0)
      this.#fail(new InsituError('argument', `Expected one file, or a .hdr with its .img, found ${files.length} files.`));
  }

  /** @param {Progress} progress */
  #progress(progress) {
    const { stage, done, total, reason } = progress;
    this.#set({ status: reason ? `${STAGES[stage]}: ${reason}` : STAGES[stage], busy: true, share: done / total });
    this.#emit('insitu-progress', progress);
  }

  /** @param {unknown} thrown */
  #fail(thrown) {
    const error = asInsituError(thrown);
    this.#set({ status: error.code === 'cancelled' ? `Cancelled. ${INVITATION}` : error.message });
    this.#emit('insitu-error', error);
  }

  /** @param {{ status: string, busy?: boolean, share?: number, classes?: LabelClass[] }} shown */
  #set({ status, busy = false, share, classes }) {
    const { status: line, bar, cancel, save, classes: list } = this.#ui;
    if (line.textContent !== status) line.textContent = status;
    bar.hidden = !busy;
    if (share === undefined) bar.removeAttribute('value');
    else bar.value = share;
    cancel.hidden = !busy || !this.#run;
    save.hidden = !this.result;
    if (classes) list.replaceChildren(...classes.filter(({ index }) => index > 0).map(describe));
  }

  #save() {
    if (!this.result) return;
    const url = URL.createObjectURL(new Blob([this.result.toNifti()], { type: 'application/gzip' }));
    make('a', { href: url, download: `${this.result.report.input.name.replace(/\.(nii|hdr|mgz|mgh)?(\.gz)?$/i, '')}_mask.nii.gz` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }

  /** @param {string} type @param {Progress | Segmentation | InsituError} detail */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }
}

/** @param {{ open(files: File[]): void, cancel(): void, save(): void }} actions */
function makeUi({ open, cancel, save }) {
  const planes = new Planes();
  planes.element.hidden = true;
  const picker = make('input', { type: 'file', multiple: true, hidden: true, accept: '.nii,.gz,.hdr,.img,.mgz,.mgh' });
  picker.onchange = () => open([...(picker.files ?? [])]);
  const status = make('p');
  status.setAttribute('role', 'status');
  return {
    planes,
    picker,
    status,
    bar: make('progress', { max: 1, ariaLabel: 'Progress' }),
    classes: make('ul'),
    about: make('p', { className: 'small' }),
    open: make('button', { type: 'button', textContent: 'Open file…', onclick: () => picker.click() }),
    cancel: make('button', { type: 'button', textContent: 'Cancel', onclick: cancel }),
    save: make('button', { type: 'button', textContent: 'Save mask (.nii.gz)', onclick: save }),
  };
}

/** @param {LabelClass} label */
function describe({ name, color, milliliters }) {
  const swatch = make('i');
  swatch.style.background = color;
  return make('li', {}, swatch, `${name}: ${milliliters.toPrecision(3)} mL`);
}

export { InsituSegmenter };

if (globalThis.customElements && !customElements.get('insitu-segmenter')) customElements.define('insitu-segmenter', InsituSegmenter);
