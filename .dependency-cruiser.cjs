/** Which module of pkg/ and www/ may import which; run by `npm run check:layers`. */
module.exports = {
  forbidden: [
    { name: 'no-cycle', severity: 'error', comment: 'Modules that import each other can only be read together.', from: {}, to: { circular: true } },
    {
      name: 'wasm-behind-engine',
      severity: 'error',
      comment: 'The generated code has one importer.',
      from: { pathNot: '^pkg/(engine\\.js|wasm/)' },
      to: { path: '^pkg/wasm/' },
    },
    {
      name: 'package-stands-alone',
      severity: 'error',
      comment: 'The package knows neither the page nor the examples.',
      from: { path: '^pkg/' },
      to: { path: '^(www|examples|tests)/' },
    },
    {
      name: 'edit-is-pure',
      severity: 'error',
      comment: 'The label editor knows neither the page nor the viewer.',
      from: { path: '^www/edit/' },
      to: { pathNot: '^www/edit/' },
    },
  ],
  options: { exclude: { path: '^(www/dist|pkg/wasm|.*node_modules)' }, doNotFollow: { path: 'node_modules' } },
};
