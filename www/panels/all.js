/** All open volumes: the button that segments them, how far that is, and their volumes beside each other. */
import { cancelAll, downloadAll, downloadTable, segmentAll, segmented, setUpAll, unsegmented, volumesOf } from '../all.js';
import { $, button, element, onClick } from '../dom.js';
import { engineInWords } from '../engine-words.js';
import { fail } from '../failures.js';
import { t, thousandths } from '../i18n.js';
import { titleOf } from '../open/names.js';
import { state } from '../state.js';

export function setUpAllPanel() {
  setUpAll();
  onClick('segment-all', () => segmentAll().catch(fail));
  onClick('cancel', cancelAll);
  onClick('download-table', downloadTable);
  onClick('download-all', () => downloadAll().catch(fail));
  for (const name of /** @type {const} */ (['cases', 'status', 'mask'])) state.on(name, show);
  state.on('all', (progress) => {
    $('all-progress').textContent = progress ? t('allProgress', { at: progress.done + 1, total: progress.total }) : '';
  });
}

function show() {
  const left = unsegmented().length;
  $('segment-all').hidden = state.cases.length < 2 || left === 0;
  $('segment-all').textContent = t('segmentAll', { count: left });
  button('segment-all').disabled = state.isBusy || !state.segmenter;
  const cases = segmented();
  $('all').hidden = cases.length < 2;
  if (cases.length < 2) return;
  const { rows, names, summary, skull } = volumesOf(cases);
  const cell = (/** @type {number | null | undefined} */ volume) =>
    element('td', { className: 'volume' }, volume === null || volume === undefined ? '–' : thousandths(volume));
  $('all-head').replaceChildren(
    element('th', { scope: 'col' }, t('image')),
    element('th', { scope: 'col' }, t('warned')),
    ...[...names, ...(skull ? [t('insideSkull')] : [])].map((name) => element('th', { scope: 'col' }, name)),
  );
  $('all-rows').replaceChildren(
    ...rows.map(({ one, volumes, intracranialMl, warnings }) =>
      element(
        'tr',
        {},
        element('th', { scope: 'row' }, titleOf(one)),
        element(
          'td',
          { title: warnings.map((one) => engineInWords(one).text).join(' ') },
          warnings.length > 0 ? String(warnings.length) : '–',
        ),
        ...names.map((name) => cell(volumes.get(name))),
        ...(skull ? [cell(intracranialMl)] : []),
      ),
    ),
  );
  const foot = (/** @type {'mean' | 'sd'} */ which) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, t(which)),
      element('td', {}),
      ...[...summary, ...(skull ? [skull] : [])].map((one) => cell(one[which])),
    );
  $('all-foot').replaceChildren(foot('mean'), foot('sd'));
}
