/** `npm run test:apps`: the smallest app of each framework whose bundler is its own, with what the package's README says of it. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runIn, snippets, write } from '../web/packed.mjs';
import { assertMask, packedWithBrowser } from './app.mjs';

const NEXT = { next: '16.4.6', react: '19.3.1', 'react-dom': '19.3.1' };
const PARCEL = { parcel: '2.16.4' };
const SVELTE = {
  '@sveltejs/adapter-static': '3.0.11',
  '@sveltejs/kit': '2.70.4',
  '@sveltejs/vite-plugin-svelte': '6.2.4',
  svelte: '5.57.3',
  vite: '7.3.8',
};

const ICON = '<link rel="icon" href="data:," />';

const NEXT_APP = {
  'next.config.mjs': "export default { output: 'export' };",
  'app/layout.jsx': `export default function Layout({ children }) {
    return <html lang="en"><head>${ICON}</head><body>{children}</body></html>;
  }`,
  'app/page.jsx': `'use client';
    import { useEffect, useRef, useState } from 'react';
    import { createSegmenter } from 'insitu-seg';
    export default function Page() {
      const segmenter = useRef(null);
      const [words, setWords] = useState('');
      useEffect(() => {
        createSegmenter().then((made) => {
          segmenter.current = made;
          setWords(\`Ready. \${made.why}\`);
        });
        return () => segmenter.current?.dispose();
      }, []);
      const open = async ({ target }) => {
        const { classes } = await segmenter.current.segment(target.files[0]);
        setWords(classes.map(({ name, milliliters }) => \`\${name}: \${milliliters.toFixed(3)} mL\`).join('; '));
      };
      return <><input type="file" onChange={open} /><output>{words}</output></>;
    }`,
};

const SVELTE_APP = {
  'svelte.config.js': "import adapter from '@sveltejs/adapter-static';\nexport default { kit: { adapter: adapter() } };",
  'src/app.html': `<!doctype html><html lang="en"><head><title>A mask</title>${ICON}%sveltekit.head%</head><body>%sveltekit.body%</body></html>`,
  'src/routes/+layout.js': 'export const prerender = true;',
  'src/routes/+page.svelte': `<script>
    import { onMount } from 'svelte';
    import { createSegmenter } from 'insitu-seg';
    let words = $state('');
    let segmenter;
    onMount(async () => {
      segmenter = await createSegmenter();
      words = \`Ready. \${segmenter.why}\`;
    });
    async function open({ target }) {
      const { classes } = await segmenter.segment(target.files[0]);
      words = classes.map(({ name, milliliters }) => \`\${name}: \${milliliters.toFixed(3)} mL\`).join('; ');
    }
  </script>
  <input type="file" onchange={open} /><output>{words}</output>`,
};

const made = packedWithBrowser('bundlers');
const { folder } = made;
const readme = snippets();

/** An app of these files with these packages and the packed one installed. */
function installed(name, dependencies, files) {
  const at = join(folder, name);
  mkdirSync(at);
  const manifest = { private: true, type: 'module', dependencies: { 'insitu-seg': `file:${made.tarball}`, ...dependencies } };
  writeFileSync(join(at, 'package.json'), JSON.stringify(manifest));
  write(at, files);
  runIn(at, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline');
  return at;
}

/** On one thread, as most sites are served, and on several. */
async function assertMasks(at) {
  await assertMask(made.browser, at);
  await assertMask(made.browser, at, undefined, { isolated: true });
}

describe('an app', () => {
  it('of Next.js shows a mask, built by Turbopack and by webpack', async () => {
    const at = installed('next', NEXT, NEXT_APP);
    for (const bundler of ['--turbopack', '--webpack']) {
      rmSync(join(at, 'out'), { recursive: true, force: true });
      runIn(at, 'env', 'NEXT_TELEMETRY_DISABLED=1', 'npx', 'next', 'build', bundler);
      await assertMasks(join(at, 'out'));
    }
  });

  it('of Parcel shows a mask', async () => {
    const page = readme['index.html'].replace('<title>', `${ICON}<title>`);
    const files = { 'index.html': page, 'main.js': readme['main.js'], '.parcelrc': readme['.parcelrc'] };
    const at = installed('parcel', PARCEL, files);
    runIn(at, 'npx', 'parcel', 'build', 'index.html', '--no-cache');
    await assertMasks(join(at, 'dist'));
  });

  it('of SvelteKit shows a mask', async () => {
    const at = installed('sveltekit', SVELTE, { ...SVELTE_APP, 'vite.config.js': readme['sveltekit/vite.config.js'] });
    runIn(at, 'npx', 'vite', 'build');
    assert.ok(existsSync(join(at, 'build/index.html')));
    await assertMasks(join(at, 'build'));
  });
});
