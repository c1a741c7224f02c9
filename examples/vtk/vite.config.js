export default {
  optimizeDeps: { exclude: ['insitu-seg'] },
  worker: { format: 'es' },
  build: { target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 4000 },
};
