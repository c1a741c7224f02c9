/** The package as users get it: packed by npm and installed into a throw-away folder, with the README's snippets as files. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { root } from '../../scripts/tools.mjs';

const quiet = { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' };

/** Packs pkg/ into `folder`: { tarball, files: [{ path, size }], size } in bytes. */
export function pack(folder) {
  const [{ filename, files, size }] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--silent', '--pack-destination', folder], { ...quiet, cwd: join(root, 'pkg') }),
  );
  return { tarball: join(folder, filename), files, size };
}

export const scratch = (name) => mkdtempSync(join(tmpdir(), `insitu-${name}-`));

/** Installs packages of these exact versions, and the tarball, into `folder`. */
export function install(folder, tarball, dependencies) {
  // As a workspace, so that a dev server of an app in it may give out what is installed here.
  const manifest = {
    name: 'throw-away',
    private: true,
    type: 'module',
    workspaces: ['apps/*'],
    dependencies: { 'insitu-seg': `file:${tarball}`, ...dependencies },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline'], { ...quiet, cwd: folder });
}

/** The code blocks of the package's README that name a file: { name: text }. */
export function snippets() {
  const readme = readFileSync(join(root, 'pkg/README.md'), 'utf8');
  return Object.fromEntries([...readme.matchAll(/^```\w+ file=(\S+)\n(.*?)^```$/gms)].map(([, name, text]) => [name, text]));
}

/** Writes { name: text } into a folder. */
export function write(folder, files) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** Runs a command in a folder; what it printed, or an error that holds it. */
export function runIn(folder, command, ...args) {
  try {
    return execFileSync(command, args, { ...quiet, cwd: folder });
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')}\n${error.stdout}\n${error.stderr}`);
  }
}
