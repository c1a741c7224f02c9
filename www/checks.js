/** The checks of a file's header, in a <details>: what is not ok at once, the rest behind a second one. */
import { element } from './element.js';

const SEVERITY = { ok: 'OK', warning: 'Warning', error: 'Error' };

/** @param {HTMLDetailsElement} details @param {import('insitu-seg').Check[]} [checks] without any it is hidden */
export function showChecks(details, checks = []) {
  const odd = checks.filter(({ severity }) => severity !== 'ok');
  const ok = checks.filter(({ severity }) => severity === 'ok');
  const counts = [...['error', 'warning'].map((kind) => counted(odd, kind)), ok.length > 0 && `${ok.length} ok`];
  details.replaceChildren(element('summary', {}, `File checks: ${counts.filter(Boolean).join(', ')}`));
  if (odd.length > 0) details.append(list(odd));
  if (ok.length > 0) {
    const rest = element('details', {}, element('summary', {}, ok.length === 1 ? '1 field is ok' : `${ok.length} fields are ok`), list(ok));
    details.append(rest);
  }
  details.open = false;
  details.hidden = checks.length === 0;
}

function counted(checks, kind) {
  const { length } = checks.filter(({ severity }) => severity === kind);
  return length > 0 && `${length} ${kind}${length > 1 ? 's' : ''}`;
}

function list(checks) {
  const rows = checks.map(({ field, severity, words }) => {
    const badge = element('strong', {}, SEVERITY[severity]);
    badge.dataset.severity = severity;
    return element('li', {}, badge, ' ', element('code', {}, field), `: ${words}`);
  });
  return element('ul', { className: 'checks' }, ...rows);
}
