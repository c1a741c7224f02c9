/**
 * In the place of NiiVue's `zarrita` (vite.config.js), which brings half of all scripts with it: this page opens no Zarr, and
 * refuses such files before the viewer sees them.
 */

/** @returns {never} */
const refused = () => {
  throw new Error('Zarr');
};

export class FetchStore {
  constructor() {
    refused();
  }
}
export { refused as get, refused as open, refused as root, refused as slice };
