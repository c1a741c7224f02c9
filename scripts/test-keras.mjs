#!/usr/bin/env node
/**
 * `npm run test:keras`: networks that Keras makes and saves become stages of models (`scripts/from_keras.py`), and say the same
 * there. Takes a Python with TensorFlow, or installs one beside the peers of `npm run compare` (1.5 GB, once).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { python } from './compare/made.mjs';
import { run } from './tools.mjs';

const folder = mkdtempSync(join(tmpdir(), 'insitu-keras-'));
const interpreter = process.env.INSITU_KERAS_PYTHON ?? (await python('tensorflow', 'keras', 'h5py', 'safetensors'));
const made = await run(interpreter, ['tests/python/keras_nets.py', folder]);
const test = ['test', '--release', '--features', 'cli', '--test', 'keras', '--', '--show-output'];
const passed = made && (await run('cargo', test, { env: { INSITU_KERAS: folder } }));
rmSync(folder, { recursive: true });
process.exit(passed ? 0 : 1);
