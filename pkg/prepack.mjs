#!/usr/bin/env node
/**
 * Before `npm pack` and `npm publish`: the licences of this code beside it, and THIRD-PARTY.md, the licences of all crates
 * that are compiled into the wasm, as cargo resolves them and as their own sources state them.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const pkg = join(root, 'pkg');

for (const name of ['gpu', 'cpu', 'cpu-relaxed', 'threads', 'threads-relaxed', 'burn']) {
  if (existsSync(join(pkg, 'wasm', name, 'build.json'))) continue;
  // Without threads and burn the package works; without the others it is none.
  if (!/^(threads|burn)/.test(name)) throw new Error(`pkg/wasm/${name} is not built: node pkg/build.mjs --opt`);
  console.error(`pkg/wasm/${name} is not built: the package will be without it`);
}
for (const name of ['LICENSE-MIT', 'LICENSE-APACHE']) copyFileSync(join(root, name), join(pkg, name));
// Two that pack at the same time must not read what the other is writing.
const [place, text] = [join(pkg, 'THIRD-PARTY.md'), thirdParty()];
if (!existsSync(place) || readFileSync(place, 'utf8') !== text) writeFileSync(place, text);

/** @typedef {{ id: string, name: string, version: string, license?: string, repository?: string, manifest_path: string, targets: { kind: string[] }[] }} Crate */
/** @typedef {{ id: string, deps: { pkg: string, dep_kinds: { kind: string | null }[] }[] }} CrateNode */

function thirdParty() {
  const crates = cratesInWasm();
  const lines = crates.map(
    ({ name, version, license, repository }) => `- ${name} ${version}, ${license ?? 'see its text'}${repository ? `, ${repository}` : ''}`,
  );
  const texts = new Map();
  for (const crate of crates)
    for (const text of licenceTexts(dirname(crate.manifest_path))) texts.set(text, [...(texts.get(text) ?? []), crate.name]);
  const sections = [...texts].map(([text, names]) => `## ${names.join(', ')}\n\n\`\`\`text\n${text}\n\`\`\`\n`);
  return `# Third-party code in the wasm modules\n\nRust's standard library (MIT OR Apache-2.0) and these crates:\n\n${lines.join('\n')}\n\n${sections.join('\n')}`;
}

/** The crates that are linked, not those that only build. @returns {Crate[]} */
function cratesInWasm() {
  const bin = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'bin');
  const args = [
    'metadata',
    '--format-version',
    '1',
    '--no-default-features',
    '--features',
    existsSync(join(pkg, 'wasm/burn/build.json')) ? 'web,gpu,threads,relaxed,burn-gpu' : 'web,gpu,threads,relaxed',
    '--filter-platform',
    'wasm32-unknown-unknown',
  ];
  const env = { ...process.env, PATH: `${process.env.PATH}${delimiter}${bin}` };
  /** @type {{ packages: Crate[], resolve: { root: string, nodes: CrateNode[] } }} */
  const { packages, resolve } = JSON.parse(
    execFileSync('cargo', args, { cwd: root, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 2 ** 28 }),
  );
  const isMacro = (/** @type {Crate} */ { targets }) => targets.some(({ kind }) => kind.includes('proc-macro'));
  const [nodes, byId] = [new Map(resolve.nodes.map((node) => [node.id, node])), new Map(packages.map((crate) => [crate.id, crate]))];
  /** @type {Set<string>} */
  const seen = new Set();
  const walk = (/** @type {string} */ id) => {
    const crate = byId.get(id);
    if (seen.has(id) || !crate || isMacro(crate)) return;
    seen.add(id);
    for (const { pkg, dep_kinds: kinds } of nodes.get(id)?.deps ?? []) if (kinds.some(({ kind }) => kind === null)) walk(pkg);
  };
  walk(resolve.root);
  seen.delete(resolve.root);
  return packages.filter(({ id }) => seen.has(id)).sort((a, b) => a.name.localeCompare(b.name));
}

/** @param {string} folder */
function licenceTexts(folder) {
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice|unlicense)/i.test(file));
  return files.flatMap((file) => {
    try {
      return [readFileSync(join(folder, file), 'utf8').trim()];
    } catch {
      return []; // a folder of that name
    }
  });
}
