/**
 * The checks of `npm test`, in order. Each is
 *
 *   name    what it is called in the summary; `npm test -- WORD` runs those whose name has the word in it
 *   quick   whether `npm run test:quick` runs it too
 *   run     does it: whether it passed, or [need, why] where it finds out that it cannot run here
 *   lacks   optional: [need, why] where it cannot run here, or null
 *   paired  optional: whether another one that says so may run beside it; `run` then gets { atEnd: true }
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { lacks as noFirefox } from '../tests/browsers/firefox.mjs';
import { lacks as noWebKit } from '../tests/browsers/webkit.mjs';
import { ask, cargoDeny, chromedriver, chromium, root, run, swiftshader, tell, which } from './tools.mjs';

const NATIVE = ['--release', '--features', 'cli'];
const PURE = ['--release', '--no-default-features'];
/** What its tests are built with: Rust's other image types are not of the core, and need nothing more to be built. */
const PURE_TESTED = [...PURE, '--features', 'nifti-object'];
const WASM = ['--release', '--target', 'wasm32-unknown-unknown', '--features', 'web,gpu'];
/** Its networks as modules of burn. */
const BURN = ['--release', '--features', 'native,burn'];
/** What is linted, with burn's devices for CUDA and ROCm, which nobody can run here; without burn, which takes minutes to check. */
const LINTED = 'cli,burn,cuda,rocm,nifti-object';
const QUICK_LINTED = 'cli,nifti-object';
/** To check ROCm's kernels needs no LLVM; but for this, one of its crates fetches it from GitHub. */
const NO_LLVM = { DOCS_RS: '1' };
const STRICT = ['--', '-D', 'warnings'];

/** Tests of the crate without features, by file; the quick ones first. */
const PURE_TESTS = { quick: ['not_run', 'release', 'layers', 'damage', 'geometry', 'nifti_object'], full: ['large'] };
/** Native tests that take long; those of all other files are quick. */
const SLOW_TESTS = ['curve', 'evaluate', 'gpu', 'learn', 'tasks', 'train', 'train_refusals', 'tune', 'tune_command'];
/** Browser tests that are quick: the package from the outside, and what the page is made of. */
const QUICK_WEB = [
  'advice',
  'history',
  'hostile',
  'layers',
  'masks',
  'mgh',
  'not-run',
  'package',
  'package-refusals',
  'package-threads',
  'page-i18n',
  'pair',
];

/** An hour of a person's, which `npm run test:story` plays. */
const STORY = 'story';

/** Those that need none. */
const WITHOUT_BROWSER = [
  'advice',
  'history',
  'layers',
  'masks',
  'not-run',
  'page-edit',
  'page-edit-time',
  'page-parts',
  'page-undo',
  'tarball',
];

/** Browser tests whose faults must come in time, and those that measure time or of which threads fill all cores: these run alone, all others two at a time. */
const ALONE = [
  'engine',
  'faults',
  'learn',
  'package',
  'package-threads',
  'page',
  'page-edit-time',
  'page-engine',
  'page-opening',
  'recovery',
  'threads',
  'tune',
];

/** What the Rust examples are called with, so that they write nothing but here. */
const EXAMPLES = {
  segment: (scratch) => [join(root, 'pkg/samples/hippocampus/image.nii.gz'), join(scratch, 'mask.nii.gz')],
  train: (scratch) => [join(scratch, 'patch.safetensors')],
  tune: (scratch) => [join(scratch, 'tuned.safetensors')],
};

/** Where the Rust examples find models by name. */
const MODELS = { INSITU_MODELS: join(root, 'pkg/models') };

const cargo = (...args) => run('cargo', args);
/** A command of cargo for a check that may be paired; its environment is asked for when it runs: what that takes may be installed until then. */
const beside = (args, environment = () => ({})) => ({
  paired: true,
  run: (how) => run('cargo', args, { env: environment(), ...how }),
});
const npm = (script) => run('npm', ['run', '--silent', script]);

const NETWORK = ['burn', 'burn-wgpu'];
const BROWSER = ['js-sys', 'wasm-bindgen', 'web-sys'];
const IN_BROWSER = ['--target', 'wasm32-unknown-unknown', '--features'];

/** What the crate is made of: the core needs neither network nor browser, and what a page loads needs no burn. */
const PACKAGES = [
  { of: 'the core', args: [], has: ['nifti'], lacks: [...NETWORK, ...BROWSER] },
  { of: 'the docs', args: ['--target', 'all', '--features', 'native,burn,nifti-object'], has: ['nifti', ...NETWORK, ...BROWSER] },
  { of: 'the module for the GPU', args: [...IN_BROWSER, 'web,gpu'], has: ['nifti', ...BROWSER], lacks: NETWORK },
  { of: 'the module for the CPU', args: [...IN_BROWSER, 'web'], has: ['nifti', ...BROWSER], lacks: NETWORK },
];

/** Holds what cargo resolves against [`PACKAGES`]: purity is that, and not what we say. */
function isPure() {
  const faults = PACKAGES.flatMap(({ of, args, has, lacks = [] }) => {
    const tree = ask('cargo', ['tree', '--no-default-features', '-e', 'normal', '--prefix', 'none', ...args]);
    if (tree === null) return [`${of}: cargo tree failed`];
    const found = (/** @type {string} */ name) => new RegExp(`^${name} v`, 'm').test(tree);
    return [
      ...has.filter((name) => !found(name)).map((name) => `${of}: expected ${name} among its packages, found none`),
      ...lacks.filter(found).map((name) => `${of}: expected no ${name} among its packages, found it`),
    ];
  });
  console.log(faults.length === 0 ? PACKAGES.map(({ of, has }) => `${of}: ${has.join(', ')}`).join('\n') : faults.join('\n'));
  return faults.length === 0;
}

/** Advisories come from a database on the network; without it there is nothing to hold the crates against. */
function advisories() {
  const { status, output } = tell(cargoDeny(), ['--all-features', 'check', 'advisories']);
  console.log(output.trim());
  if (status !== 0 && /failed to (fetch|clone|load).*advisory database/is.test(output)) {
    return ['network', 'the database of advisories cannot be had'];
  }
  return status === 0;
}

/** Where there is no GPU, the browser's software adapter stands in for one natively too. */
const adapter = () => {
  const real = ['/dev/dri', '/dev/nvidiactl'].some(existsSync) || process.env.VK_ICD_FILENAMES;
  return real || !swiftshader() ? {} : { VK_ICD_FILENAMES: swiftshader() };
};

const noDeny = () => (cargoDeny() ? null : ['network', 'there is no cargo-deny']);
const noBrowser = () => (chromium() ? null : ['browser', 'there is no Chromium (set CHROMIUM)']);
const noDriver = () => noBrowser() ?? (chromedriver() ? null : ['browser', 'there is no chromedriver (set CHROMEDRIVER)']);

const named = (folder, ending) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length));

const pure = (name, quick, env) => ({
  name: `pure: ${name}`,
  quick,
  ...beside(['test', ...PURE_TESTED, '--test', name, '--', '--show-output'], () => env),
});

const native = (name, env) => ({
  name: `native: ${name}`,
  quick: !SLOW_TESTS.includes(name),
  ...beside(['test', ...NATIVE, '--test', name, '--', '--show-output'], () => ({ ...adapter(), ...env })),
});

const web = (name, env) => ({
  name: `web: ${name}`,
  quick: QUICK_WEB.includes(name),
  ...(WITHOUT_BROWSER.includes(name) ? {} : { lacks: noBrowser }),
  paired: !ALONE.includes(name),
  run: (more) => run(process.execPath, ['--test', '--test-reporter=spec', `tests/web/${name}.test.mjs`], { env, ...more }),
});

/** What a person does first, in another browser than Chromium. */
const smoke = (kind) => ({
  name: `browsers: ${kind}`,
  quick: false,
  lacks: () => {
    const why = { firefox: noFirefox, webkit: noWebKit }[kind]();
    return why ? [kind, why] : null;
  },
  run: () => run(process.execPath, ['tests/browsers/run.mjs', '--smoke', kind]),
});

/** A command of package.json. */
const script = (name, more) => ({ name: `npm run ${name}`, run: () => npm(name), ...more });

const wasmTests = beside(['test', ...WASM, '--test', 'web'], () => ({
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER: which('wasm-bindgen-test-runner') ?? 'wasm-bindgen-test-runner',
  CHROMEDRIVER: chromedriver(),
  WASM_BINDGEN_TEST_TIMEOUT: '600',
}));

/** The static checks: of what is written, not of what it does. */
const written = (quick) => [
  { name: 'format, Rust', quick: true, run: () => cargo('fmt', '--check') },
  script('lint', { quick: true }),
  script('check:types', { quick: true }),
  script('check:layers', { quick: true }),
  { name: 'lints, pure', quick: true, run: () => cargo('clippy', ...PURE, '--all-targets', ...STRICT) },
  {
    name: 'lints, native',
    quick: true,
    run: () =>
      run('cargo', ['clippy', '--release', '--features', quick ? QUICK_LINTED : LINTED, '--all-targets', ...STRICT], { env: NO_LLVM }),
  },
  { name: 'lints, wasm', quick: false, run: () => cargo('clippy', ...WASM, '--lib', '--test', 'web', ...STRICT) },
  {
    name: 'documentation, Rust',
    quick: true,
    run: () => run('cargo', ['doc', ...NATIVE, '--no-deps', '--lib'], { env: { RUSTDOCFLAGS: '-D warnings' } }),
  },
  { name: 'pure: examples in the documentation', quick: true, run: () => cargo('test', ...PURE_TESTED, '--doc') },
  {
    name: 'licences, bans and sources of crates',
    quick: true,
    lacks: noDeny,
    run: () => run(cargoDeny(), ['--all-features', '--log-level', 'error', 'check', 'licenses', 'bans', 'sources']),
  },
  { name: 'advisories of crates', quick: false, lacks: noDeny, run: advisories },
  { name: 'the pure core is pure', quick: true, run: isPure },
];

/** `scratch` is a folder for what one check hands to a later one. */
export function checks({ quick, scratch }) {
  /** Hostile inputs of the native fuzzer with its answers, for the wasm module to repeat. */
  const corpus = { INSITU_CORPUS: join(scratch, 'corpus.bin') };
  /** Crops on which the native test learned, with their losses, for a browser to repeat. */
  const curve = { INSITU_CURVE: join(scratch, 'curve.bin') };
  const pureTests = [...PURE_TESTS.quick, ...PURE_TESTS.full, 'fuzz'];
  const nativeTests = named('tests', '.rs').filter((name) => ![...pureTests, 'burn', 'burn_gpu', 'web'].includes(name));
  const each = (names) => names.flatMap((name) => ['--test', name]);
  const examples = named('examples', '.rs').filter((name) => name !== 'burn');
  const webTests = named('tests/web', '.test.mjs')
    .filter((name) => name !== STORY)
    .toSorted((a, b) => ALONE.includes(a) - ALONE.includes(b));
  return [
    ...written(quick),
    // Built together they use all cores; one by one, below, each would wait for its own.
    { name: 'build of the tests, pure', quick: true, run: () => cargo('test', ...PURE_TESTED, ...each(pureTests), '--no-run') },
    ...PURE_TESTS.quick.map((name) => pure(name, true)),
    ...PURE_TESTS.full.map((name) => pure(name, false)),
    pure('fuzz', true, { ...corpus, INSITU_FUZZ_SECONDS: quick ? '5' : '20' }),
    {
      name: 'build of the tests, native',
      quick: true,
      run: () => cargo('test', ...NATIVE, '--lib', '--bins', '--examples', ...each(nativeTests), '--no-run'),
    },
    {
      name: 'native: library and command',
      quick: true,
      run: () => cargo('test', ...NATIVE, '--lib', '--bins', '--examples'),
    },
    ...nativeTests.map((name) => native(name, name === 'curve' ? curve : {})),
    { name: 'native: examples in the documentation', quick: true, run: () => cargo('test', ...NATIVE, '--doc') },
    ...examples.map((name) => ({
      name: `native: example ${name}`,
      quick: false,
      ...beside(['run', ...NATIVE, '--example', name, '--', ...(EXAMPLES[name]?.(scratch) ?? [])], () => MODELS),
    })),
    // As tests are built with it, and before the library is built with other features: either would build it again.
    { name: 'build of the command', quick: true, run: () => cargo('test', ...NATIVE, '--test', 'command', '--no-run') },
    // By the command, on a GPU and in a browser burn trains in `npm run test:burn`: with other features all that it needs is built again.
    { name: 'native: burn', quick: false, ...beside(['test', ...BURN, '--test', 'burn', '--', '--show-output']) },
    { name: 'native: example burn', quick: false, ...beside(['run', ...BURN, '--example', 'burn'], () => MODELS) },
    { name: 'wasm: tests/web.rs, in Chromium', quick: false, lacks: noDriver, ...wasmTests },
    { name: 'build of the package and the page', quick: true, run: () => run(process.execPath, ['scripts/build.mjs']) },
    ...webTests.map((name) => web(name, { ...corpus, ...curve })),
    ...['firefox', 'webkit'].map(smoke),
    // They run by cargo-fuzz, on a compiler of every night (fuzz/README.md); here they must not fall behind the crate.
    { name: 'fuzz targets compile', quick: false, run: () => cargo('check', '--manifest-path', 'fuzz/Cargo.toml') },
    {
      name: 'the crate, packaged, and a program of a stranger',
      quick: false,
      run: () => run(process.execPath, ['scripts/stranger.mjs']),
    },
  ].filter((check) => check.quick || !quick);
}
