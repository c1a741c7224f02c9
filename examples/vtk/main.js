import '@kitware/vtk.js/Rendering/Profiles/Volume';
import vtkDataArray from '@kitware/vtk.js/Common/Core/DataArray';
import vtkImageData from '@kitware/vtk.js/Common/DataModel/ImageData';
import vtkPiecewiseFunction from '@kitware/vtk.js/Common/DataModel/PiecewiseFunction';
import vtkColorTransferFunction from '@kitware/vtk.js/Rendering/Core/ColorTransferFunction';
import vtkImageMapper from '@kitware/vtk.js/Rendering/Core/ImageMapper';
import vtkImageSlice from '@kitware/vtk.js/Rendering/Core/ImageSlice';
import vtkGenericRenderWindow from '@kitware/vtk.js/Rendering/Misc/GenericRenderWindow';
import { createSegmenter } from 'insitu-seg';

/** @import { ImageVolume, LabelClass } from 'insitu-seg' */

const input = /** @type {HTMLInputElement} */ (document.querySelector('input'));
const output = /** @type {HTMLOutputElement} */ (document.querySelector('output'));
const view = vtkGenericRenderWindow.newInstance({ background: [0, 0, 0] });
view.setContainer(document.getElementById('view'));
view.resize();

const segmenter = await createSegmenter();
output.textContent = `Ready. ${segmenter.why}`;

input.addEventListener('change', async () => {
  const [file] = input.files ?? [];
  if (!file) return;
  const image = await segmenter.read(file); // numbers, for a viewer that does not read NIfTI
  const result = await segmenter.segment(file, { onProgress: ({ stage }) => (output.textContent = stage) });
  const renderer = view.getRenderer();
  renderer.removeAllViewProps();
  const slice = result.box.start[2] + ((result.box.end[2] - result.box.start[2]) >> 1);
  renderer.addActor(sliceOf(asImage(image, image.values), slice));
  renderer.addActor(maskOf(asImage(image, result.labels), slice, result.classes));
  renderer.getActiveCamera().setParallelProjection(true);
  renderer.resetCamera();
  view.getRenderWindow().render();
  output.textContent = result.classes.map(({ name, milliliters }) => `${name}: ${milliliters.toFixed(3)} mL`).join('; ');
});

/** Values on the voxel grid of the file. Without the affine: the slices are the file's own. @param {ImageVolume} image @param {Float32Array | Uint8Array} values */
function asImage({ dims, spacing }, values) {
  const data = vtkImageData.newInstance({ spacing });
  data.setDimensions(...dims);
  data.getPointData().setScalars(vtkDataArray.newInstance({ values, numberOfComponents: 1, name: 'values' }));
  return data;
}

/** @param {VtkObject} data @param {number} slice */
function sliceOf(data, slice) {
  const mapper = vtkImageMapper.newInstance();
  mapper.setInputData(data);
  mapper.setSlicingMode(vtkImageMapper.SlicingMode.K);
  mapper.setSlice(slice);
  const actor = vtkImageSlice.newInstance();
  actor.setMapper(mapper);
  const [low, high] = data.getPointData().getScalars().getRange();
  actor.getProperty().setColorWindow(high - low);
  actor.getProperty().setColorLevel((high + low) / 2);
  return actor;
}

/** Each label in its colour, label 0 see-through. @param {VtkObject} data @param {number} slice @param {LabelClass[]} classes */
function maskOf(data, slice, classes) {
  const actor = sliceOf(data, slice);
  const [colors, opacity] = [vtkColorTransferFunction.newInstance(), vtkPiecewiseFunction.newInstance()];
  colors.addRGBPoint(0, 0, 0, 0);
  opacity.addPoint(0, 0);
  for (const { index, color } of classes) {
    colors.addRGBPoint(index, ...[1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255));
    opacity.addPoint(index, 0.6);
  }
  const property = actor.getProperty();
  property.setRGBTransferFunction(colors);
  property.setPiecewiseFunction(opacity);
  property.setUseLookupTableScalarRange(true);
  property.setInterpolationTypeToNearest();
  return actor;
}
