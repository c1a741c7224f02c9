/**
 * `insitu bids` on a made data set of 12 scans in two sessions, one broken, one of three volumes: the validator of BIDS finds no error in
 * the derivatives, the table is right, a second run does nothing, a changed scan is made again alone, a killed run goes on.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { makeBids } from '../../scripts/make-bids.mjs';
import { ask, env, root } from '../../scripts/tools.mjs';
import { notRun } from '../not-run.mjs';

const target = () => JSON.parse(ask('cargo', ['metadata', '--format-version', '1', '--no-deps'])).target_directory;
const command = env.INSITU ?? join(target(), 'release', process.platform === 'win32' ? 'insitu.exe' : 'insitu');
/** Version of the validator, which comes from PyPI into an environment of its own. */
const VALIDATOR = 'bids-validator-deno==3.0.2';

/** Runs `insitu bids`: { status, said: its last line of output, log: what it wrote to stderr }. */
function bids(...args) {
  const words = ['bids', ...args, ...(args.includes('participant') ? ['--backend', 'cpu'] : [])];
  const { status, stdout, stderr } = spawnSync(command, words, { cwd: root, encoding: 'utf8' });
  return { status, said: stdout.trim().split(': ').slice(1).join(': '), log: stderr };
}

const files = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
const facts = (folder, of) => Object.fromEntries(files(folder).map((path) => [path, of(join(folder, path))]));
const times = (folder) => facts(folder, (path) => statSync(path).mtimeMs);
const sha256 = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');
const masks = (folder) => Object.fromEntries(Object.entries(facts(folder, sha256)).filter(([path]) => path.endsWith('_dseg.nii.gz')));

/** A table as rows by column. */
function table(path) {
  const [header, ...rows] = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  return rows.map((row) => Object.fromEntries(header.map((name, index) => [name, row[index]])));
}

/** The validator, from `$BIDS_VALIDATOR` or PyPI; null where it cannot be had. */
function validator(folder) {
  if (env.BIDS_VALIDATOR) return env.BIDS_VALIDATOR;
  const bin = join(folder, 'venv', process.platform === 'win32' ? 'Scripts' : 'bin');
  try {
    execFileSync('python3', ['-m', 'venv', join(folder, 'venv')], { stdio: 'pipe' });
    execFileSync(join(bin, 'pip'), ['install', '--quiet', VALIDATOR], { stdio: 'pipe' });
    return join(bin, 'bids-validator-deno');
  } catch {
    return null;
  }
}

describe('a data set of 12 scans', () => {
  let folder, data, out, scans;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'insitu-bids-'));
    [data, out] = ['data', 'out'].map((name) => join(folder, name));
    scans = makeBids(data, 12);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('gets ten masks and two reasons, and a table and a page of all', () => {
    const { status, said, log } = bids(data, out, 'participant');
    assert.equal(status, 1, log);
    assert.equal(said, '12 scans: 10 segmented, 0 as they were, 2 failed');
    assert.equal(bids(data, out, 'group').status, 0);
    const rows = table(join(out, 'group.tsv'));
    assert.deepEqual(
      rows.map((row) => row.source),
      scans.map((scan) => scan.path),
    );
    for (const [index, row] of rows.entries()) {
      const { participant, session, path } = scans[index];
      assert.deepEqual([row.participant_id, row.session_id], [`sub-${participant}`, `ses-${session}`]);
      assert.equal(row.input_sha256, sha256(join(data, path)));
      if (index >= 10) {
        assert.equal(row.status, 'failed');
        assert.match(row.reason, index === 10 ? /truncated/ : /3 volumes/);
        continue;
      }
      const volumes = table(join(out, path.replace('_T1w.nii.gz', '_desc-volumes.tsv')));
      const mask = gunzipSync(readFileSync(join(out, path.replace('_T1w.nii.gz', '_desc-hippocampus_dseg.nii.gz'))));
      const voxel = [80, 84, 88].reduce((volume, at) => volume * mask.readFloatLE(at), 1);
      for (const { index: label, name, voxels, volume_ml: volume } of volumes) {
        assert.equal(mask.subarray(mask.readFloatLE(108)).filter((value) => value === Number(label)).length, Number(voxels));
        assert.ok(Math.abs(Number(volume) - (voxels * voxel) / 1000) < 1e-4);
        assert.equal(row[`${name.toLowerCase().replaceAll(' ', '_')}_ml`], volume);
      }
    }
    assert.match(rows[4].outlier, /below the median/);
    assert.deepEqual(
      rows.filter((row) => row.outlier !== 'n/a').map((row) => row.source),
      [scans[4].path],
    );
    const page = readFileSync(join(out, 'group.html'), 'utf8');
    assert.equal(page.match(/data:image\/png;base64,/g).length, 10);
    assert.doesNotMatch(page, /<script|https?:/);
  });

  it('passes the validator of BIDS', (t) => {
    const tool = validator(folder);
    if (!tool) return notRun(t, 'network', `${VALIDATOR} cannot be had from PyPI`);
    const { stdout, stderr } = spawnSync(tool, [out, '--format', 'json'], { encoding: 'utf8' });
    assert.ok(stdout, stderr);
    const { issues } = JSON.parse(stdout).issues;
    const of = (severity) => issues.filter((issue) => issue.severity === severity).map(({ code, location }) => `${code} ${location}`);
    assert.deepEqual(of('error'), []);
    t.diagnostic(`warnings: ${of('warning').join(', ') || 'none'}`);
  });

  it('is left alone by a second run, and a changed scan is made again alone', () => {
    const before = times(out);
    assert.equal(bids(data, out, 'participant').said, '12 scans: 0 segmented, 10 as they were, 2 failed');
    bids(data, out, 'group');
    assert.deepEqual(times(out), before);
    const image = join(data, scans[7].path);
    utimesSync(image, new Date(), new Date());
    assert.equal(bids(data, out, 'participant').said, '12 scans: 0 segmented, 10 as they were, 2 failed', 'a new time is no change');
    writeFileSync(image, gzipSync(gunzipSync(readFileSync(image)), { level: 1 }));
    assert.equal(bids(data, out, 'participant').said, '12 scans: 1 segmented, 9 as they were, 2 failed');
    const after = times(out);
    const changed = Object.keys(after).filter((path) => after[path] !== before[path]);
    const stem = scans[7].path.replace('_T1w.nii.gz', '');
    assert.ok(changed.length === 6 && changed.every((path) => path.startsWith(stem)), changed.join('\n'));
  });

  it('goes on where a run was killed, with the same masks', async () => {
    const whole = masks(out);
    const again = join(folder, 'again');
    for (const signal of ['SIGKILL', 'SIGINT']) {
      const done = () => (existsSync(again) ? Object.keys(masks(again)).length : 0);
      const begun = done();
      const child = spawn(command, ['bids', data, again, 'participant', '--backend', 'cpu'], { cwd: root, stdio: 'ignore' });
      const ended = new Promise((resolve) => child.on('exit', (code, how) => resolve(how ?? code)));
      while (done() < begun + 2 && child.exitCode === null) await sleep(5);
      child.kill(signal);
      assert.equal(await ended, signal === 'SIGINT' ? 2 : signal);
      for (const path of Object.keys(masks(again))) gunzipSync(readFileSync(join(again, path)));
      // What the killed run left half written, the next one removed.
      const half = files(again).filter((path) => path.split('/').at(-1).startsWith('.insitu-'));
      assert.ok(signal === 'SIGKILL' || half.length === 0, `found ${half}`);
    }
    assert.match(bids(data, again, 'participant').said, /^12 scans: \d+ segmented, [1-9] as they were, 2 failed$/);
    assert.deepEqual(masks(again), whole);
  });
});
