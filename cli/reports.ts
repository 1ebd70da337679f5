/** `penglai run --reports`: every attestation report the program gets becomes a file. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SystemEvent } from '../monitor/system/types';

/** A program in a loop must not fill a disk. */
const REPORTS_MAX = 10_000;

export class ReportFiles {
  private count = 0;

  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  /** `1-hello-world-host.bin`: a number in the order they were made, whom it is about, who asked. */
  take(event: SystemEvent): void {
    if (event.kind !== 'report' || this.count >= REPORTS_MAX) return;
    const name = event.name.replace(/[^A-Za-z0-9_-]/g, '_') || 'unnamed';
    writeFileSync(join(this.folder, `${++this.count}-${name}-${event.askedBy}.bin`), event.bytes);
  }
}
