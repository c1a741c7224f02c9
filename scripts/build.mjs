#!/usr/bin/env node
/** `npm run build`: the package's wasm, then the page in www/dist. `-- --opt` makes the published form. */
import { setup } from './setup.mjs';
import { run } from './tools.mjs';

const missing = await setup({ tests: false });
for (const sentence of missing) console.error(`missing: ${sentence}`);
if (missing.length > 0) process.exit(1);
if (!(await run(process.execPath, ['pkg/build.mjs', ...process.argv.slice(2)]))) process.exit(1);
if (!(await run('npm', ['run', 'build', '-w', 'www']))) process.exit(1);
