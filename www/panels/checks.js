/** The checks of a file's header, in a <details>: what is not ok at once, the rest behind a second one. */
/** @import { Check } from 'insitu-seg' */
/** @import { Key } from '../i18n.js' */
import { element } from '../dom.js';
import { t } from '../i18n.js';
import { writeSentence } from './words.js';

/** @type {Record<Check['severity'], Key>} */
const SEVERITY = { ok: 'checkOk', warning: 'checkWarning', error: 'checkError' };

/** @param {HTMLDetailsElement} details @param {readonly Check[]} [checks] without any it is hidden */
export function showChecks(details, checks = []) {
  const of = (/** @type {Check['severity']} */ kind) => checks.filter(({ severity }) => severity === kind);
  const [errors, warnings, ok] = [of('error'), of('warning'), of('ok')];
  const counts = [
    errors.length > 0 && t(errors.length > 1 ? 'countErrors' : 'countError', { count: errors.length }),
    warnings.length > 0 && t(warnings.length > 1 ? 'countWarnings' : 'countWarning', { count: warnings.length }),
    ok.length > 0 && t('countOk', { count: ok.length }),
  ];
  details.replaceChildren(element('summary', {}, t('checks', { counts: counts.filter(Boolean).join(', ') })));
  const odd = checks.filter(({ severity }) => severity !== 'ok');
  if (odd.length > 0) details.append(list(odd));
  if (ok.length > 0) details.append(element('details', {}, element('summary', {}, t('fieldsOk', { count: ok.length })), list(ok)));
  details.open = false;
  details.hidden = checks.length === 0;
}

/** @param {readonly Check[]} checks */
function list(checks) {
  const rows = checks.map(({ field, severity, words }) => {
    const badge = element('strong', {}, t(SEVERITY[severity]));
    badge.dataset.severity = severity;
    const sentence = element('span', {});
    writeSentence(sentence, words);
    return element('li', {}, badge, ' ', element('code', {}, field), ': ', sentence);
  });
  return element('ul', { className: 'checks' }, ...rows);
}
