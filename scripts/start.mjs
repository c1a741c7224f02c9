#!/usr/bin/env node
/** `npm start`: installs what is missing, builds, and serves the page as it ships. Arguments go to vite preview. */
import { run } from './tools.mjs';

if (!(await run(process.execPath, ['scripts/build.mjs']))) process.exit(1);
const served = await run('npm', ['run', 'preview', '-w', 'www', '--', ...process.argv.slice(2)]);
process.exit(served ? 0 : 1);
