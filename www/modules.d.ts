/** Modules that bring no declarations, as far as the page uses them. */
declare module '*/dcm2niix.jpeg.js' {
  interface Converter {
    FS: {
      mkdir(path: string): void;
      createDataFile(folder: string, name: string, data: Uint8Array, canRead: boolean, canWrite: boolean, canOwn: boolean): void;
      readdir(path: string): string[];
      readFile(path: string): Uint8Array<ArrayBuffer>;
    };
    callMain(args: string[]): number;
  }
  export default function createConverter(options: object): Promise<Converter>;
}
