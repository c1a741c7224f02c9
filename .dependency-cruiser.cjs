/** Which module of pkg/ and www/ may import which; run by `npm run check:layers`. */
const rule = (name, comment, from, to) => ({ name, severity: 'error', comment, from, to });

module.exports = {
  forbidden: [
    rule('no-cycle', 'Modules that import each other can only be read together.', {}, { circular: true }),
    rule('one-seam', 'The generated code has one importer.', { pathNot: '^pkg/(artifacts\\.js|wasm/)' }, { path: '(^pkg|^\\.)/wasm/' }),
    rule('one-user', 'Only the engine uses the generated code.', { path: '^pkg/', pathNot: '^pkg/engine\\.js' }, { path: '^pkg/artifacts\\.js' }),
    rule('package-alone', 'The package knows neither page nor tests.', { path: '^pkg/' }, { path: '^(www|examples|tests|scripts)/' }),
    rule('package-by-name', 'The page imports the package as its users do.', { path: '^www/' }, { path: '^pkg/', dependencyTypes: ['local'] }),
    rule('edit-alone', 'The label editor knows neither page nor viewer.', { path: '^www/edit/' }, { pathNot: '^www/edit/' }),
    rule('panels-on-top', 'Only main.js and panels import panels: all else changes the state, to which they listen.', {
      path: '^www/',
      pathNot: '^www/(main\\.js|panels/)',
    }, { path: '^www/panels/' }),
    rule('state-below', 'The state knows nothing of what changes or shows it.', { path: '^www/state\\.js' }, {
      path: '^www/',
      pathNot: '^www/(emitter|paint/tool)\\.js',
    }),
    rule('words-below', 'Sentences and elements know nothing of the page.', { path: '^www/(i18n|dom|bytes|emitter)' }, {
      path: '^www/',
      pathNot: '^www/i18n/',
    }),
    rule('niivue-behind-view', 'One place knows NiiVue.', { path: '^www/', pathNot: '^www/view' }, { path: '@niivue/niivue' }),
  ],
  options: { exclude: { path: '^www/dist/' }, doNotFollow: { path: '(node_modules|^pkg/wasm)' } },
};
