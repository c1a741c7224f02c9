/**
 * In the place of NiiVue's `zarrita` (vite.config.js), which brings half of all scripts with it: this page opens no Zarr. Whoever asks for
 * some is told so.
 */

/** @returns {never} */
const refused = () => {
  throw new Error('found a Zarr image, expected NIfTI, MGH, NRRD or DICOM: convert it');
};

export class FetchStore {
  constructor() {
    refused();
  }
}
export { refused as get, refused as open, refused as root, refused as slice };
