/** Modules that only an example's own package.json installs, as far as the examples use them. */
declare module '@vitejs/plugin-react' {
  export default function react(): import('vite').Plugin;
}

declare module '@kitware/vtk.js/Rendering/Profiles/Volume' {}

/** What vtk.js makes: every class of it has a maker `newInstance`. */
interface VtkObject {
  [method: `get${string}`]: (...args: never[]) => VtkObject & number[];
  [method: `set${string}`]: (...args: unknown[]) => void;
  [method: `add${string}`]: (...args: unknown[]) => void;
  removeAllViewProps(): void;
  resetCamera(): void;
  resize(): void;
  render(): void;
}

interface VtkClass {
  newInstance(values?: object): VtkObject;
  SlicingMode: { I: number; J: number; K: number };
}

declare module '@kitware/vtk.js/*' {
  const vtk: VtkClass;
  export default vtk;
}
