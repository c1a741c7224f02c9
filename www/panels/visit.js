/** What outlives a visit: the language, the work kept in the browser, the page itself offline; and the count of requests. */
/** @import { Autosave, LastVisit } from '../autosave.js' */
import { InsituError, requestsSinceLoad } from 'insitu-seg';
import { forgetEverything } from 'insitu-seg/session';
import { $, element, onClick } from '../dom.js';
import { messageOf } from '../errors.js';
import { chooseLanguage, fillIn, getLanguage, LANGUAGES, setLanguage, t } from '../i18n.js';
import { state } from '../state.js';

/** Writes the page in the language that was asked for, and offers the others. @param {Autosave} autosave */
export function setUpLanguage(autosave) {
  const asked = new URLSearchParams(location.search).get('lang');
  setLanguage(chooseLanguage(asked, stored('language'), navigator.languages));
  document.documentElement.lang = getLanguage();
  document.title = t('title');
  fillIn(document);
  const list = $('language', HTMLSelectElement);
  const options = Object.entries(LANGUAGES).map(([value, { name }]) =>
    element('option', { value, lang: value, selected: value === getLanguage() }, name),
  );
  list.replaceChildren(...options);
  list.addEventListener('change', async () => {
    store('language', list.value);
    await autosave.flush();
    const next = new URL(location.href);
    next.searchParams.delete('lang');
    location.assign(next);
  });
}

/** A private window may have no storage at all. @param {string} key */
function stored(key) {
  try {
    return localStorage.getItem(`insitu-${key}`);
  } catch {
    return null;
  }
}

/** @param {string} key @param {string} value */
function store(key, value) {
  try {
    localStorage.setItem(`insitu-${key}`, value);
  } catch {
    // The choice holds for this visit.
  }
}

/** What was open at the last visit. @param {Autosave} autosave @returns {Promise<LastVisit>} */
export async function restoreVisit(autosave) {
  autosave.onFail = (thrown) => {
    const hasNoFiles = thrown instanceof InsituError && thrown.code === 'unsupported';
    $('kept').textContent = t('notKept', { reason: hasNoFiles ? t('noOpfs') : messageOf(thrown) });
  };
  try {
    await autosave.open();
    return await autosave.restored();
  } catch (thrown) {
    autosave.onFail(thrown);
    return { cases: [] };
  }
}

/** Keeps the work from now on. @param {Autosave} autosave */
export function setUpAutosave(autosave) {
  state.on('touched', () => {
    if (!autosave.isOpen || state.cases.every(({ isSample, editor }) => isSample && !editor)) return;
    autosave.touch();
  });
  const { dataset } = document.documentElement;
  autosave.onChange = () => {
    dataset.kept = 'no';
  };
  autosave.onKept = () => {
    dataset.kept = 'yes';
    $('kept').textContent = t('kept');
    $('forget').hidden = false;
  };
  onClick('forget', async () => {
    await autosave.forget();
    await forgetEverything().catch(() => {});
    $('forget').hidden = true;
    $('keep-again').hidden = false;
    $('kept').textContent = t('forgotten');
  });
  // What was open still is: it only has to be written again.
  onClick('keep-again', async () => {
    try {
      await autosave.open();
    } catch (thrown) {
      return autosave.onFail(thrown);
    }
    $('keep-again').hidden = true;
    state.emit('touched', undefined);
  });
  // The tab may not come back: what waits to be written is written now.
  document.addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && autosave.flush());
}

/** What the page's own service worker answers without a network, and its script, which one browser counts. */
async function answeredHere() {
  const script = new URL('./sw.js', location.href).href;
  if (!navigator.serviceWorker?.controller) return [script];
  const names = (await caches.keys()).filter((name) => name.startsWith('insitu-seg '));
  const kept = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
  return [script, ...kept.flat().map(({ url }) => url)];
}

/** The count of requests in sight. */
export async function watchRequests() {
  const except = await answeredHere().catch(() => []);
  const show = () => ($('requests').textContent = t('requests', { count: requestsSinceLoad({ except }) }));
  show();
  setInterval(show, 1000);
}

/** For the next visit without a network. Not in the dev server, whose files change under it. */
export async function keepPage() {
  const root = document.documentElement;
  if (!import.meta.env.PROD) return;
  try {
    if (!navigator.serviceWorker) throw new Error(t('noServiceWorker'));
    const { installing } = await navigator.serviceWorker.register('./sw.js');
    if (installing) await installed(installing);
    root.dataset.offline = 'ready';
    $('offline').textContent = t('offlineReady');
  } catch (thrown) {
    root.dataset.offline = 'none';
    $('offline').textContent = t('offlineNot', { reason: messageOf(thrown) });
  }
}

/** @param {ServiceWorker} worker @returns {Promise<void>} */
const installed = (worker) =>
  new Promise((resolve, reject) => {
    worker.addEventListener('statechange', () => {
      if (worker.state === 'redundant') reject(new Error(t('noServiceWorker')));
      else if (worker.state !== 'installing') resolve();
    });
  });
