/** The slices: the one file that knows NiiVue. */
import { MULTIPLANAR_TYPE, NVImage, Niivue, SHOW_RENDER, SLICE_TYPE } from '@niivue/niivue';

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} opacity of the mask, 0 to 1
 * @param {(where: { mm: number[], value: number, label: string }) => void} onMove the crosshair moved; mm is RAS+
 */
export async function createView(canvas, opacity, onMove) {
  if (!document.createElement('canvas').getContext('webgl2')) {
    throw new Error('The slices cannot be drawn because this browser has no WebGL 2; segmenting and downloading work all the same.');
  }
  const nv = new Niivue({
    backColor: [0.035, 0.043, 0.055, 1],
    crosshairColor: [0.18, 0.83, 0.75, 1],
    crosshairWidth: 0.7,
    crosshairWidthUnit: 'percent',
    crosshairGap: 3,
    fontColor: [1, 0.9, 0.25, 1],
    fontMinPx: 15,
    multiplanarLayout: MULTIPLANAR_TYPE.AUTO,
    multiplanarShowRender: SHOW_RENDER.ALWAYS,
    multiplanarPadPixels: 6,
    multiplanarEqualSize: false,
    sliceType: SLICE_TYPE.MULTIPLANAR,
    dragAndDropEnabled: false,
    isRadiologicalConvention: false,
    isColorbar: false,
    showAllOrientationMarkers: true,
    logLevel: 'error',
    loadingText: '',
  });
  await nv.attachToCanvas(canvas);

  let names = [];
  nv.onLocationChange = ({ mm, values }) => onMove({ mm: Array.from(mm).slice(0, 3), value: values[0]?.value, label: names[values[1]?.value] ?? '' });

  const load = (bytes, options) => {
    const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
    return NVImage.loadFromUrl({ url: bytes.slice().buffer, name: gzipped ? 'volume.nii.gz' : 'volume.nii', ...options });
  };
  const clearMask = () => {
    names = [];
    while (nv.volumes.length > 1) nv.removeVolume(nv.volumes.at(-1));
  };

  const clear = () => {
    names = [];
    while (nv.volumes.length > 0) nv.removeVolume(nv.volumes.at(-1));
  };

  return {
    /** Shows a NIfTI file; its mask, if there was one, goes. */
    async showImage(bytes) {
      const volume = await load(bytes, { colormap: 'gray' });
      clear();
      nv.addVolume(volume);
      // On the centre of a voxel: halfway between two slices the label of either would show through.
      const [x, y, z] = volume.dimsRAS.slice(1, 4).map((n) => n >> 1);
      nv.scene.crosshairPos = nv.vox2frac([x, y, z]);
      nv.createOnLocationChange();
    },
    clear,
    clearMask,
    /** Lays a label map (NIfTI) over the image, if one is shown, in the colours of its classes; label 0 is see-through. */
    async showMask(bytes, classes) {
      clearMask();
      if (nv.volumes.length === 0) return;
      const volume = await load(bytes, { opacity });
      volume.setColormapLabel(colormap(classes));
      nv.addVolume(volume);
      for (const { index, name } of classes) names[index] = index === 0 ? '' : name;
      nv.createOnLocationChange();
    },
    setOpacity(value) {
      opacity = value;
      if (nv.volumes.length > 1) nv.setOpacity(1, value);
    },
    setRadiological: (on) => nv.setRadiologicalConvention(on),
  };
}

/** Classes -> NiiVue's table of label colours. */
function colormap(classes) {
  const shown = classes.filter(({ index }) => index !== 0);
  const channel = (at) => [0, ...shown.map(({ color }) => parseInt(color.slice(at, at + 2), 16))];
  return {
    R: channel(1),
    G: channel(3),
    B: channel(5),
    A: [0, ...shown.map(() => 255)],
    I: [0, ...shown.map(({ index }) => index)],
    labels: ['', ...shown.map(({ name }) => name)],
  };
}
