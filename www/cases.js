/** The list of open volumes: what is taken off it, and put back. */
/** @import { Case } from './types.js' */
import { t } from './i18n.js';
import { titleOf } from './open/names.js';
import { state } from './state.js';
import { open } from './workflow.js';

/** Closed in this visit, with all that was made of them, and where in the list they were. @type {{ one: Case, at: number }[]} */
const closed = [];

/** What `reopen` would bring back. */
export const lastClosed = () => closed.at(-1)?.one;

/** Closes a volume, which can be undone; of the last one nothing else could be shown. @param {Case} one */
export async function close(one) {
  if (state.isBusy) return state.announce(t('busy'));
  const [name, at] = [titleOf(one), state.cases.indexOf(one)];
  const rest = state.cases.filter((other) => other !== one);
  if (rest.length === 0 || (one === state.current && !(await openNext(rest, at)))) return;
  closed.push({ one, at });
  state.cases = rest;
  state.announce(t('closed', { name }), 'image');
  state.emit('touched', undefined);
}

/** Opens what comes after a place in the list, or before it; one that cannot be opened keeps no other from it. @param {readonly Case[]} cases @param {number} at */
async function openNext(cases, at) {
  const near = [...cases.slice(at), ...cases.slice(0, at).toReversed()];
  for (const one of near.toSorted((a, b) => Number(a.isBroken ?? false) - Number(b.isBroken ?? false))) if (await open(one)) return true;
  return false;
}

/** Opens what was closed last, as it was. */
export async function reopen() {
  if (state.isBusy) return state.announce(t('busy'));
  const last = closed.pop();
  if (!last) return;
  state.cases = state.cases.toSpliced(last.at, 0, last.one);
  await open(last.one);
}
