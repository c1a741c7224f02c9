/** A screen in memory, on which Firefox and WebKit draw where there is none: without one they have no WebGL 2. */
import { spawn } from 'node:child_process';
import { which } from '../../scripts/tools.mjs';

/** Why there is no screen to be had, or null. */
export const noDisplay = () => (which('Xvfb') || process.env.DISPLAY ? null : 'there is no screen (DISPLAY), and no Xvfb to make one');

/** @returns {Promise<{ env: Record<string, string>, close(): void }>} `env`: for the browser that draws on it */
export async function openDisplay() {
  if (!which('Xvfb')) return { env: { DISPLAY: process.env.DISPLAY ?? '' }, close() {} };
  const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1400x1000x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const number = await new Promise((resolve, reject) => {
    server.on('error', reject);
    server.on('exit', (code) => reject(new Error(`Xvfb ended with ${code}, expected a screen`)));
    server.stdio[3].once('data', (text) => resolve(String(text).trim()));
  });
  return { env: { DISPLAY: `:${number}` }, close: () => void server.kill() };
}
