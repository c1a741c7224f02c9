/** DICOM files in this tab: which files are some, and their series as NIfTI. */
export { dicomHead } from './header.js';
export { seriesOf } from './series.js';
