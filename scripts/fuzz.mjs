#!/usr/bin/env node
/** `npm run fuzz -- SECONDS`: hostile files for as long as you like (600 s), from a new beginning each time. */
import { randomInt } from 'node:crypto';
import { run } from './tools.mjs';

const env = { INSITU_FUZZ_SECONDS: process.argv[2] ?? '600', INSITU_FUZZ_SEED: String(randomInt(2 ** 47)) };
const passed = await run('cargo', ['test', '--release', '--no-default-features', '--test', 'fuzz', '--', '--show-output'], { env });
process.exit(passed ? 0 : 1);
