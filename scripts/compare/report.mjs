/** What was measured, as numbers and as a Markdown table. */
import { cpus, loadavg } from 'node:os';
import { isOurs } from './contestants.mjs';

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Where and when: a time means nothing without it. */
export async function machine(stage, rounds) {
  const [{ model }] = cpus();
  return {
    date: new Date().toISOString(),
    chromium: await stage.version(),
    cpu: model,
    cores: cpus().length,
    load: Number(loadavg()[0].toFixed(2)),
    rounds,
  };
}

/** Each row with its median; `ratio` is a peer's median by that of ours with the same threads or GPU. */
export function summary({ base, size, rows }) {
  const medians = new Map(rows.map((row) => [row.key, row.notRun ? null : median(row.times)]));
  const oursIn = (group) => medians.get(rows.find((row) => isOurs(row) && row.group === group)?.key) ?? null;
  return {
    base,
    size,
    rows: rows.map(({ key, name, group, times, notRun }) => {
      const ours = oursIn(group);
      const medianMs = medians.get(key);
      const ratio = medianMs && ours ? medianMs / ours : null;
      return { key, name, group, medianMs, ratio, times: notRun ? [] : times, ...(notRun && { notRun }) };
    }),
  };
}

const seconds = (ms) => (ms / 1000).toPrecision(3);
const cell = (text) => text.replaceAll('|', '\\|');

function line({ name, key, group, medianMs, ratio, times, notRun }) {
  if (notRun) return `| ${group} | ${name} | not run: ${cell(notRun)} | | | \`${key}\` |`;
  const range = `${seconds(Math.min(...times))} to ${seconds(Math.max(...times))}`;
  return `| ${group} | ${name} | ${seconds(medianMs)} | ${range} | ${ratio === null ? '' : ratio.toFixed(2)} | \`${key}\` |`;
}

export function markdown({ date, chromium, cpu, cores, load, rounds, train, batch }, results) {
  const tables = results.map(({ base, size, rows }) =>
    [
      `### ${train ? `training step, batch ${batch}, ` : ''}base ${base}, ${size.join(' x ')}`,
      '',
      '| with | who | median, s | least to most, s | times ours | key |',
      '| --- | --- | --- | --- | --- | --- |',
      ...rows.toSorted((a, b) => a.group.localeCompare(b.group)).map(line),
    ].join('\n'),
  );
  const about = `${date.slice(0, 10)}, Chromium ${chromium}, ${cores} cores of ${cpu}, load ${load} at the start, ${rounds} rounds.`;
  return [about, ...tables].join('\n\n');
}
