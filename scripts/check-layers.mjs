#!/usr/bin/env node
/** `npm run check:layers`: imports of pkg/ and www/ against the rules of .dependency-cruiser.cjs. */
import { run } from './tools.mjs';

const passed = await run('npx', ['depcruise', '--config', '.dependency-cruiser.cjs', 'pkg', 'www']);
process.exit(passed ? 0 : 1);
