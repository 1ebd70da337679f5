/**
 * The trace of enclave calls (`transitions` of the launch), as the text `penglai trace` writes: into a file, or the Debug Console, which gets
 * a bounded number of lines. A guest can make a client neither wait nor drown.
 */
import type { Stamped } from '../../emulator/machine/outbox';
import type { SystemEvent } from '../../monitor/system/types';
import { TEXT_HEADER, TraceText } from '../../monitor/trace/text';
import { Tracer } from '../../monitor/trace/tracer';

/** Lines for the Debug Console; a file gets all. */
const CONSOLE_LINES = 5000;

export class TransitionLog {
  private readonly tracer: Tracer;
  private readonly text = new TraceText();
  private left: number;

  /** `write` takes whole lines; `file`: there is room for all of them. */
  constructor(
    clockHz: number,
    private readonly write: (lines: string) => void,
    file: boolean,
  ) {
    this.tracer = new Tracer(clockHz);
    this.left = file ? Infinity : CONSOLE_LINES;
    write(TEXT_HEADER);
  }

  take(event: Stamped<SystemEvent>): void {
    if (this.left <= 0) return;
    const lines = this.tracer
      .take(event)
      .map((record) => this.text.write(record))
      .join('');
    if (lines === '') return;
    this.left -= lines.split('\n').length - 1;
    this.write(this.left > 0 ? lines : `${lines}(More is not shown here: set "transitions" to the path of a file.)\n`);
  }

  /** The program is over. */
  end(): void {
    const rest = this.left > 0 ? this.text.end() : '';
    if (rest !== '') this.write(rest);
  }
}
