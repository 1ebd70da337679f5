/** What the adapter needs from whoever starts it: files, a clock, a log, and a way to end. The only door to the outside. */
import type { Wall } from '../target/run-loop';
import type { Files } from './files';

export interface Log {
  /** Where a person finds it. */
  readonly path: string;
  line(text: string): void;
}

export interface Environment {
  readonly files: Files;
  readonly wall: Wall;
  /** The session’s log; with a path, a log at that place: of text as it is (`plain`), begun anew, or of lines with their times. Undefined: it cannot be written. */
  openLog(path?: string, plain?: boolean): Log | undefined;
  /** Ends the adapter once what was sent has left. */
  exit(code: number): void;
}
