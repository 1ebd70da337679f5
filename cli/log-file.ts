/** Where a log goes: standard error, or a file that is written in pieces. */
import { closeSync, openSync, writeSync } from 'node:fs';

/** Characters collected before they are written to a file. */
const PIECE = 65536;

export class LogFile {
  private readonly file: number | undefined;
  private text = '';

  /** `option` is what the path was given with; without a path it is standard error. */
  constructor(path: string | undefined, option: string) {
    if (path === undefined) return;
    try {
      this.file = openSync(path, 'w');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new Error(`${path} can't be written (${code}). Check the path given with ${option}.`);
    }
  }

  write(text: string): void {
    if (this.file === undefined) process.stderr.write(text);
    else if ((this.text += text).length > PIECE) this.flush();
  }

  private flush(): void {
    if (this.file !== undefined && this.text !== '') writeSync(this.file, this.text);
    this.text = '';
  }

  close(): void {
    this.flush();
    if (this.file !== undefined) closeSync(this.file);
  }
}
