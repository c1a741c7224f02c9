/** The checks of a file's header, in a <details>: what is not ok at once, the rest behind a second one. */
import { element } from './element.js';
import { say } from './words.js';

const SEVERITY = { ok: 'checkOk', warning: 'checkWarning', error: 'checkError' };

/** @param {HTMLDetailsElement} details @param {import('insitu-seg').Check[]} [checks] without any it is hidden */
export function showChecks(details, checks = []) {
  const of = (kind) => checks.filter(({ severity }) => severity === kind);
  const [errors, warnings, ok] = [of('error'), of('warning'), of('ok')];
  const counts = [
    errors.length > 0 && say(errors.length > 1 ? 'countErrors' : 'countError', { count: errors.length }),
    warnings.length > 0 && say(warnings.length > 1 ? 'countWarnings' : 'countWarning', { count: warnings.length }),
    ok.length > 0 && say('countOk', { count: ok.length }),
  ];
  details.replaceChildren(element('summary', {}, say('checks', { counts: counts.filter(Boolean).join(', ') })));
  const odd = checks.filter(({ severity }) => severity !== 'ok');
  if (odd.length > 0) details.append(list(odd));
  if (ok.length > 0) details.append(element('details', {}, element('summary', {}, say('fieldsOk', { count: ok.length })), list(ok)));
  details.open = false;
  details.hidden = checks.length === 0;
}

/** The words of a check are the engine's. */
function list(checks) {
  const rows = checks.map(({ field, severity, words }) => {
    const badge = element('strong', {}, say(SEVERITY[severity]));
    badge.dataset.severity = severity;
    return element('li', {}, badge, ' ', element('code', {}, field), ': ', element('span', { lang: 'en' }, words));
  });
  return element('ul', { className: 'checks' }, ...rows);
}
