/** DICOM files in this tab: which files are some, and their series as NIfTI. */
export { dicomHead } from './dicom/header.js';
export { seriesOf } from './dicom/series.js';
