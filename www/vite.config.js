import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { offline } from './offline.js';

/** What the built page may do: run its own code, talk to its own server, and nothing else. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "worker-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** The dev server injects inline code of its own, so the policy is for the built page only. */
const contentSecurityPolicy = {
  name: 'content-security-policy',
  apply: 'build',
  transformIndexHtml: () => [
    { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY }, injectTo: 'head-prepend' },
  ],
};

/** With these a page is cross-origin isolated and may share memory between threads; a host of the built page needs them too. */
const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

export default defineConfig({
  base: './',
  plugins: [contentSecurityPolicy, offline],
  worker: { format: 'es' },
  resolve: { alias: { zarrita: fileURLToPath(new URL('view/zarr.js', import.meta.url)) } },
  optimizeDeps: { exclude: ['insitu-seg', '@niivue/dcm2niix'] },
  server: { headers, fs: { allow: ['..'] } },
  preview: { headers },
  // NiiVue is one file of 3 MB; small files stay files, as data: URLs may not be fetched under the policy.
  build: { target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 4000, modulePreload: { polyfill: false } },
});
