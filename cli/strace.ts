/** `penglai run --strace`: the log of system calls as text, on standard error or in a file. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { SystemEvent } from '../monitor/system/types';

/** Characters collected before they are written to a file. */
const PIECE = 65536;

export class SystemCallLog {
  private readonly tids = new Set<number>();
  private readonly file: number | undefined;
  private text = '';

  constructor(path: string | undefined) {
    if (path === undefined) return;
    try {
      this.file = openSync(path, 'w');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new Error(`${path} can't be written (${code}). Check the path given with --strace-file.`);
    }
  }

  /** As `strace -f`: the thread stands before its calls once there are several. */
  take(event: SystemEvent): void {
    if (event.kind === 'thread-started') this.tids.add(event.tid);
    if (event.kind !== 'system-call') return;
    const line = `${this.tids.size > 1 ? `[pid ${event.tid}] ` : ''}${event.text}\n`;
    if (this.file === undefined) process.stderr.write(line);
    else if ((this.text += line).length > PIECE) this.flush();
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
