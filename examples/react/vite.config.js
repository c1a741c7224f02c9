import react from '@vitejs/plugin-react';

export default {
  plugins: [react()],
  optimizeDeps: { exclude: ['insitu-seg'] },
  worker: { format: 'es' },
  build: { target: 'es2022', assetsInlineLimit: 0 },
};
