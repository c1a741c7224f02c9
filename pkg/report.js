/** @import { RawSegmentation } from './artifacts.js' */
/** @import { RunReport, Segmenter } from './index.js' */

/** Where an axis runs that is named by the letter of its end, as in nibabel. @type {Record<string, string>} */
const SIDES = {
  L: 'from the patient’s right to left',
  R: 'from the patient’s left to right',
  P: 'from front to back',
  A: 'from back to front',
  I: 'from head to feet',
  S: 'from feet to head',
};

/** 'LPS' -> 'x runs from the patient’s right to left, y from front to back, z from feet to head' @param {string} orientation */
const sides = ([x, y, z]) => `x runs ${SIDES[x]}, y ${SIDES[y]}, z ${SIDES[z]}`;

/**
 * What a run says of itself, for the record: where it ran, on what, with what.
 * @param {Pick<Segmenter, 'artifact' | 'backend' | 'adapter' | 'threads' | 'relaxedSimd' | 'why' | 'model'>} segmenter
 * @param {RawSegmentation & { gpuSubmits: number, wasmBytes: number }} raw @param {{ name: string, bytes: number }} input @param {number} ms
 * @returns {RunReport}
 */
export function reportOf(segmenter, raw, { name, bytes }, ms) {
  const { artifact, backend, adapter, threads, relaxedSimd, why, model } = segmenter;
  const { gpuSubmits, wasmBytes, dims, spacing, orientation, box, boxes, intracranialMl, timings, measures, warnings, nifti } = raw;
  return {
    artifact,
    backend,
    adapter,
    threads,
    relaxedSimd,
    why,
    gpuSubmits,
    wasmBytes,
    model: { name: model.name, title: model.title, licence: model.licence },
    input: { name, bytes, dims, spacing },
    orientation,
    sides: sides(orientation),
    output: { bytes: nifti.byteLength },
    box,
    boxes,
    ...(intracranialMl === undefined ? {} : { intracranial_ml: intracranialMl }),
    warnings,
    timings,
    measures,
    ms: Math.round(ms),
  };
}
