/** A second volume over the open one, where both headers put it: NiiVue's overlay, which is drawn on the grid of the first. */
/** @import { Niivue, NVImage } from '@niivue/niivue' */

/** Dark values of it let the image through; it is no grey, which would be taken for the image's. */
const COLORS = 'warm';

export class Second {
  #nv;
  /** @type {NVImage | null} */
  #volume = null;
  #opacity = 0.5;
  #isShown = true;

  /** @param {Niivue} nv */
  constructor(nv) {
    this.#nv = nv;
  }

  /** @param {NVImage} volume */
  show(volume) {
    this.clear();
    volume.colormap = COLORS;
    volume.opacity = this.#share;
    this.#volume = volume;
    this.#nv.addVolume(volume);
  }

  clear() {
    const volume = this.#volume;
    this.#volume = null;
    if (volume && this.#nv.volumes.includes(volume)) this.#nv.removeVolume(volume);
  }

  get #share() {
    return this.#isShown ? this.#opacity : 0;
  }

  /** @param {{ opacity?: number, isShown?: boolean }} change opacity of 0 to 1 */
  set({ opacity = this.#opacity, isShown = this.#isShown }) {
    [this.#opacity, this.#isShown] = [opacity, isShown];
    const at = this.#volume ? this.#nv.volumes.indexOf(this.#volume) : -1;
    if (at > 0) this.#nv.setOpacity(at, this.#share);
  }
}
