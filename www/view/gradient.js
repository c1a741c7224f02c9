/**
 * NiiVue computes the gradient of a volume in two passes over all of its slices each time the volume is drawn anew, a change of the
 * window among them, and uses it for light in the 3-D view only, which this page does not ask for. In a whole head that is two thirds
 * of the work; on a machine that draws in software, seconds. So within `refreshLayers` nothing is drawn from the first of the two on.
 */
/** @import { Niivue } from '@niivue/niivue' */

/** @param {Niivue} nv attached to its canvas */
export function skipGradient(nv) {
  const { gl, blurShader, refreshLayers } = nv;
  if (!blurShader) return;
  const { use } = blurShader;
  let isRefreshing = false;
  blurShader.use = (context) => {
    use.call(blurShader, context);
    if (isRefreshing) context.enable(context.RASTERIZER_DISCARD);
  };
  nv.refreshLayers = (volume, layer) => {
    isRefreshing = true;
    try {
      refreshLayers.call(nv, volume, layer);
    } finally {
      isRefreshing = false;
      gl.disable(gl.RASTERIZER_DISCARD);
    }
  };
}
