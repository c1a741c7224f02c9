#!/usr/bin/env node
/**
 * What tuning is said to do, measured on ../shared/data/Task04_Hippocampus with the built command (`cargo build --release
 * --features cli`; $INSITU names another). Settings are chosen on other cases than these figures are of. Each takes minutes.
 *
 *   node scripts/tune-proof.mjs shift     inverted contrast and noise: the 26 public cases before and after, masks and strokes
 *   node scripts/tune-proof.mjs other [SHIFT NOISE]    another shift, the same way (scripts/shift_cases.py has them)
 *   node scripts/tune-proof.mjs same [FLAGS]   five sets of six training cases as they are, by `insitu tune FLAGS`: what becomes of the 26
 *   node scripts/tune-proof.mjs gain      what those sets could give the 26 at best: trained on without a guard, stopped where the 26 are best
 *   node scripts/tune-proof.mjs poison    masks exchanged between cases, or turned front to back
 *   node scripts/tune-proof.mjs suggest   three suggested slices against three random ones, ten cases
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nibabel, root } from './tools.mjs';

const insitu = process.env.INSITU ?? join(root, 'target/release/insitu');
const python = process.env.PYTHON ?? nibabel();
const data = join(root, '../shared/data/Task04_Hippocampus');
const work = mkdtempSync(join(tmpdir(), 'insitu-proof-'));
const at = (...parts) => join(work, ...parts);

/** Training cases by subject, two each. Those to validate on are of fold 0's validation subjects: no training saw them. */
const SETS = [
  [7, 8, 33, 34, 41, 42],
  [57, 58, 89, 90, 107, 108],
  [125, 126, 143, 144, 149, 150],
  [215, 216, 221, 222, 225, 226],
  [243, 244, 249, 250, 251, 252],
];
const VALIDATION = [39, 40, 87, 88, 123, 124, 145, 146, 227, 228];
const SINGLE = [7, 33, 41, 57, 89, 107, 125, 143, 149, 215];

function run(command, args, allowed = [0]) {
  const { status, stdout, stderr } = spawnSync(command, args.map(String), { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (!allowed.includes(status)) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
  return { status, stdout };
}

const cases = (name, ...more) => run(python, ['scripts/shift_cases.py', '--data', data, '--out', at(name), ...more]);
const files = (name) => readdirSync(at(name, 'images')).map((file) => at(name, 'images', file));

/** Mean Dice of both labels on a set of cases. */
function score(model, name) {
  const masks = at(`masks-${Math.random()}`);
  run(insitu, ['segment', ...files(name), '--out-dir', masks, '--model', model]);
  run(insitu, ['evaluate', '--truth', at(name, 'labels'), '--pred', masks, '--json', `${masks}.json`]);
  const { mean } = JSON.parse(readFileSync(`${masks}.json`));
  return [mean[1].dsc, mean[2].dsc];
}

/** The report of a tuning, with `model`: the tuned folder, or the name of the base where it was refused. */
function tune(name, ...more) {
  const out = at(`tuned-${Math.random()}`);
  run(
    insitu,
    ['tune', '--images', at(name, 'images'), '--labels', at(name, 'labels'), '--out', out, '--report', `${out}.json`, ...more],
    [0, 3],
  );
  const report = JSON.parse(readFileSync(`${out}.json`));
  return { ...report, model: report.accepted ? out : 'hippocampus' };
}

const dice = (scores) => scores.map((value) => value.toFixed(4)).join(' / ');
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const spread = (values) => Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));

function shifted(shift, noise) {
  const more = ['--shift', shift, '--noise', noise];
  cases('test', ...more, '--test');
  cases('masks', ...more, '--ids', ...SETS[0]);
  cases('strokes', ...more, '--ids', ...SETS[0], '--every', 6);
  console.log(`${shift}, noise ${noise}: the 26, base ${dice(score('hippocampus', 'test'))}`);
  for (const name of ['masks', 'strokes']) {
    const { model, reason, steps, seconds } = tune(name);
    console.log(`${name}: ${dice(score(model, 'test'))} after ${steps} steps, ${seconds.toFixed(0)} s; ${reason}`);
  }
}

const PROOFS = {
  shift: () => shifted('invert', 0.05),
  other: () => shifted(process.argv[3] ?? 'turned-dark', Number(process.argv[4] ?? 0.08)),
  same() {
    cases('test', '--test');
    const before = score('hippocampus', 'test');
    console.log(`the 26, base ${dice(before)}`);
    SETS.forEach((ids, n) => {
      cases(`set-${n}`, '--ids', ...ids);
      const { model, accepted, reason, seconds } = tune(`set-${n}`, ...process.argv.slice(3));
      const after = accepted ? score(model, 'test') : before;
      console.log(`set ${n}: ${dice(after)}, mean ${(mean(after) - mean(before)).toFixed(4)}, ${seconds.toFixed(0)} s; ${reason}`);
    });
  },
  /** More than tuning may hope for: the patch stage goes on from the shipped weights, and the 26 themselves choose the epoch. */
  gain() {
    const names = (folder) => readdirSync(join(data, folder)).filter((name) => name.endsWith('.nii.gz'));
    const pair = (name, kind, subject) => ({ image: join(data, `images${kind}`, name), label: join(data, `labels${kind}`, name), subject });
    const test = names('imagesTs').map((name) => pair(name, 'Ts', 'a'));
    const manifest = JSON.parse(readFileSync(join(data, 'dataset.json')));
    SETS.forEach((ids, n) => {
      const taught = names('imagesTr')
        .filter((name) => ids.includes(Number(name.slice(12, 15))))
        .map((name) => pair(name, 'Tr', 'b'));
      mkdirSync(at(`gain-${n}`));
      writeFileSync(at(`gain-${n}`, 'dataset.json'), JSON.stringify({ ...manifest, training: [...test, ...taught] }));
      const found = [1e-9, 2e-4, 1e-3].map((rate) => {
        const log = at(`gain-${n}-${rate}.csv`);
        const from = [
          '--init',
          join(root, 'pkg/models/hippocampus/patch-0.safetensors'),
          '--base',
          12,
          '--rate',
          rate,
          '--schedule',
          'constant',
          '--average',
          0.9,
        ];
        const epochs = rate < 1e-6 ? 1 : 20;
        run(insitu, [
          'train',
          '--data',
          at(`gain-${n}`),
          '--stage',
          'patch',
          '--folds',
          2,
          '--fold',
          0,
          ...from,
          '--epochs',
          epochs,
          '--log',
          log,
          '--model',
          at(`gain-model-${n}-${rate}`),
          '--backend',
          'cpu',
        ]);
        const [head, ...rows] = readFileSync(log, 'utf8')
          .trim()
          .split('\n')
          .map((line) => line.split(','));
        const columns = head.flatMap((name, i) => (/dice/i.test(name) ? [i] : []));
        return Math.max(...rows.map((row) => mean(columns.map((i) => Number(row[i])))));
      });
      console.log(
        `set ${n}: mean Dice of the 26 ${found[0].toFixed(4)} as shipped; at best ${found[1].toFixed(4)} (rate 2e-4), ${found[2].toFixed(4)} (rate 1e-3): gain ${(Math.max(...found) - found[0]).toFixed(4)}`,
      );
    });
  },
  poison() {
    for (const kind of ['exchange', 'mirror']) {
      for (const every of [0, 6]) {
        const name = `${kind}-${every}`;
        cases(name, '--ids', ...SETS[0], '--poison', kind, ...(every ? ['--every', every] : []));
        console.log(`${name}: ${tune(name).reason}`);
      }
    }
  },
  suggest() {
    const shift = ['--shift', 'bias', '--noise', 0.05];
    cases('validation', ...shift, '--ids', ...VALIDATION);
    const base = mean(score('hippocampus', 'validation'));
    const gains = { suggested: [], random: [] };
    let state = 1;
    const random = (most) => (state = (state * 48271) % 2147483647) % most;
    SINGLE.forEach((id, seed) => {
      cases(`one-${id}`, ...shift, '--ids', id);
      const [image] = files(`one-${id}`);
      const found = JSON.parse(run(insitu, ['suggest', image, '--slices', 3, '--axis', 1, '--json']).stdout);
      const { dims } = JSON.parse(run(insitu, ['info', image, '--json']).stdout);
      const drawn = new Set();
      while (drawn.size < 3) drawn.add(random(dims[1]));
      for (const [kind, slices] of [
        ['suggested', found.map(({ index }) => index)],
        ['random', [...drawn]],
      ]) {
        cases(`${kind}-${id}`, ...shift, '--ids', id, '--slices', ...slices);
        let gain = 0;
        let reason = 'refused as too little';
        try {
          const report = tune(`${kind}-${id}`, '--seed', seed + 1, '--steps', process.env.STEPS ?? 120);
          ({ reason } = report);
          if (report.accepted) gain = mean(score(report.model, 'validation')) - base;
        } catch (error) {
          reason = error.message.split('insitu: ').at(-1).trim();
        }
        gains[kind].push(gain);
        console.log(`case ${id}, ${kind} ${slices}: gain ${gain.toFixed(4)}; ${reason}`);
      }
    });
    for (const [kind, all] of Object.entries(gains))
      console.log(`${kind}: gain ${mean(all).toFixed(4)}, spread ${spread(all).toFixed(4)}, base ${base.toFixed(4)}`);
  },
};

const proof = PROOFS[process.argv[2]];
if (!proof || !python) {
  console.error(proof ? 'expected a Python with nibabel ($PYTHON)' : `expected one of ${Object.keys(PROOFS).join(', ')}`);
  process.exit(2);
}
try {
  proof();
} finally {
  rmSync(work, { recursive: true });
}
