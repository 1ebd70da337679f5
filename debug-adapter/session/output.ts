/**
 * What the guest prints, on its way to the client: cut into lines per source, so that two enclaves that print at once do not mix
 * inside a line; collected for a moment, so that a chatty guest costs few messages; and bounded, so that a runaway one cannot
 * drown the client. The host's own bytes stay what they are; an enclave's lines carry its name.
 */

export type Category = 'stdout' | 'stderr' | 'console' | 'important';

/** Sends one chunk of text to the client. */
export type Send = (category: Category, text: string) => void;

/** Where a piece of output comes from: lines of one source are never cut by another one's. */
export interface Source {
  /** Unique per stream: `stdout 1`, `enclave 3`. */
  readonly key: string;
  readonly category: Category;
  /** Put before each line: `[hello-world #2] `. */
  readonly prefix?: string;
}

/** A line that does not end is sent when it is this long. */
const LINE_MAX = 4096;
/** Text that may be sent at once, and how much more for each second that passes. */
const BURST = 1024 * 1024;
const PER_SECOND = 256 * 1024;
/** One message carries at most this much. */
const CHUNK_MAX = 32 * 1024;

/**
 * Printable text, tab, newline and colour sequences pass; other control characters are shown as symbols, and so are characters that
 * turn the direction of the text behind them.
 */
const CONTROL = new RegExp(
  '(\\u001b\\[[0-9;]{0,20}m)|[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069]',
  'g',
);
const [DELETE, SYMBOLS, SYMBOL_FOR_DELETE, REPLACEMENT] = [0x7f, 0x2400, 0x2421, 0xfffd];

function symbolFor(character: string): string {
  const code = character.charCodeAt(0);
  if (code === DELETE) return String.fromCharCode(SYMBOL_FOR_DELETE);
  return String.fromCharCode(code < 0x20 ? SYMBOLS + code : REPLACEMENT);
}

export class Output {
  private readonly partial = new Map<string, { source: Source; text: string }>();
  private readonly decoders = new Map<string, InstanceType<typeof TextDecoder>>();
  private queue: { category: Category; text: string }[] = [];
  private allowance = BURST;
  private last: number;
  private omitted = 0;

  constructor(
    private readonly send: Send,
    private readonly now: () => number,
  ) {
    this.last = now();
  }

  /** Bytes of a stream, cut anywhere, also inside a character. */
  bytes(source: Source, bytes: Uint8Array): void {
    let decoder = this.decoders.get(source.key);
    if (!decoder) this.decoders.set(source.key, (decoder = new TextDecoder('utf-8')));
    this.text(source, decoder.decode(bytes, { stream: true }));
  }

  text(source: Source, text: string): void {
    const clean = text.replace(CONTROL, (character, colour) =>
      colour !== undefined || character === '\r' ? character : symbolFor(character),
    );
    const held = this.partial.get(source.key);
    if (held) this.partial.delete(source.key);
    let rest = (held?.text ?? '') + clean;
    const end = rest.lastIndexOf('\n') + 1;
    if (end > 0) this.push(source, rest.slice(0, end));
    rest = rest.slice(end);
    if (rest.length >= LINE_MAX) this.push(source, rest);
    else if (rest !== '') this.partial.set(source.key, { source, text: rest });
  }

  /** Sends what is complete. `everything`: also lines that have not ended, before a stop or the end. */
  flush(everything = false): void {
    if (everything) {
      for (const { source, text } of this.partial.values()) this.push(source, text);
      this.partial.clear();
    }
    this.refill();
    const queue = this.queue;
    this.queue = [];
    for (const { category, text } of queue) this.release(category, text);
    if (this.omitted > 0 && (everything || this.allowance >= PER_SECOND / 4)) this.summarize();
  }

  private push(source: Source, text: string): void {
    const lines =
      source.prefix === undefined
        ? text
        : text.replace(/[^\n]*\n|[^\n]+$/g, (line) => source.prefix + (line.endsWith('\n') ? line : line + '\n'));
    const last = this.queue.at(-1);
    if (last?.category === source.category && last.text.length + lines.length <= CHUNK_MAX) last.text += lines;
    else this.queue.push({ category: source.category, text: lines });
    // Between two flushes the queue is bounded too: what could not be sent anyway is only counted.
    if (this.queue.length > (2 * BURST) / CHUNK_MAX) {
      const dropped = this.queue.splice(0, this.queue.length - BURST / CHUNK_MAX);
      this.omitted += dropped.reduce((sum, chunk) => sum + countLines(chunk.text), 0);
    }
  }

  private release(category: Category, text: string): void {
    if (this.allowance <= 0) {
      this.omitted += countLines(text);
      return;
    }
    if (this.omitted > 0) this.summarize();
    this.allowance -= text.length;
    for (let at = 0; at < text.length; at += CHUNK_MAX) this.send(category, text.slice(at, at + CHUNK_MAX));
  }

  private summarize(): void {
    this.send('console', `… ${this.omitted} lines of output left out: the program prints faster than can be shown.\n`);
    this.omitted = 0;
  }

  private refill(): void {
    const now = this.now();
    this.allowance = Math.min(BURST, this.allowance + (Math.max(0, now - this.last) * PER_SECOND) / 1000);
    this.last = now;
  }
}

function countLines(text: string): number {
  return Math.max(1, text.split('\n').length - 1);
}
