/** `penglai run --strace`: the log of system calls as text, on standard error or in a file. */
import type { SystemEvent } from '../monitor/system/types';
import { LogFile } from './log-file';

export class SystemCallLog {
  private readonly tids = new Set<number>();
  private readonly file: LogFile;

  constructor(path: string | undefined) {
    this.file = new LogFile(path, '--strace-file');
  }

  /** As `strace -f`: the thread stands before its calls once there are several. */
  take(event: SystemEvent): void {
    if (event.kind === 'thread-started') this.tids.add(event.tid);
    if (event.kind !== 'system-call') return;
    this.file.write(`${this.tids.size > 1 ? `[pid ${event.tid}] ` : ''}${event.text}\n`);
  }

  close(): void {
    this.file.close();
  }
}
