/** Modules that bring no declarations, as far as the page uses them. */
declare module '@niivue/dcm2niix' {
  interface Command {
    b(value: 'y' | 'n'): Command;
    z(value: 'y' | 'n'): Command;
    f(pattern: string): Command;
    run(): Promise<File[]>;
  }
  export class Dcm2niix {
    worker: Worker;
    init(): Promise<boolean>;
    input(files: File[]): Command;
  }
}
