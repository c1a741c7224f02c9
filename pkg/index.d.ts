/**
 * 3-D medical image segmentation that stays in the browser tab. Not a medical device; not for diagnosis.
 *
 * Axes: volumes are [x, y, z] with x fastest, as in the file. Lengths are millimetres, volumes millilitres.
 * World coordinates are RAS+: x to the patient's right, y to the front, z to the head.
 *
 * @module
 */
export * from './types/common.js';
export * from './types/engine.js';
export * from './types/errors.js';
export * from './types/model.js';
export * from './types/result.js';
export * from './types/segmenter.js';
export * from './types/tuning.js';
export * from './types/volume.js';
