/** The command line of the comparison. */
import { parseArgs } from 'node:util';

const NETWORKS = [
  { base: 8, size: [48, 48, 48] },
  { base: 32, size: [64, 64, 64] },
];

/** A whole number from 1 on, or an error that names the option. */
function whole(text, option) {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`${option}: expected a whole number from 1 on, found ${text}`);
  return Number(text);
}

/** @param {string[]} args */
export function readOptions(args) {
  const string = { type: 'string' };
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true, // the second and third number of --size
    options: {
      only: string,
      rounds: string,
      base: string,
      size: string,
      batch: string,
      native: { type: 'boolean' },
      train: { type: 'boolean' },
      head: { type: 'boolean' },
      json: string,
    },
  });
  const one = values.base ?? values.size;
  const size = values.size ? [values.size, ...positionals].map((n) => whole(n, '--size')) : NETWORKS[0].size;
  if (size.length !== 3 || size.some((n) => n % 8 !== 0)) throw new Error(`--size: expected three multiples of 8, found ${size.join(' ')}`);
  if (!values.size && positionals.length > 0) throw new Error(`expected options only, found ${positionals.join(' ')}`);
  return {
    only: values.only?.split(','),
    rounds: whole(values.rounds ?? '5', '--rounds'),
    networks: one || values.train ? [{ base: whole(values.base ?? '8', '--base'), size }] : NETWORKS,
    native: values.native ?? false,
    train: values.train ?? false,
    head: values.head ?? false,
    batch: whole(values.batch ?? '1', '--batch'),
    json: values.json,
  };
}
