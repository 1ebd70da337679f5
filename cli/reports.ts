/** `penglai run --reports`: every attestation report the program gets becomes a file. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SystemEvent } from '../monitor/system/types';

/** A program in a loop must not fill a disk. */
const REPORTS_MAX = 10_000;

export class ReportFiles {
  private count = 0;

  constructor(private readonly folder: string) {
    this.attempt(() => mkdirSync(folder, { recursive: true }));
  }

  /** `1-hello-world-host.bin`: a number in the order they were made, whom it is about, who asked. */
  take(event: SystemEvent): void {
    if (event.kind !== 'report' || this.count >= REPORTS_MAX) return;
    const name = event.name.replace(/[^A-Za-z0-9_-]/g, '_') || 'unnamed';
    const file = join(this.folder, `${++this.count}-${name}-${event.askedBy}.bin`);
    this.attempt(() => writeFileSync(file, event.bytes));
  }

  private attempt(write: () => void): void {
    try {
      write();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new Error(`Reports can't be written to ${this.folder} (${code}). Give another folder with --reports.`);
    }
  }
}
