/**
 * Source steps. A step is a set of temporary stops, so that everything else runs at full speed meanwhile: the beginnings of
 * the other lines of the function, the place its caller goes on at, and for a step in the calls of the line. A stop counts only
 * on the thread and in the frame that is stepped, told by its canonical frame address. A step in follows control into the
 * enclave or server that the line enters. Never single-steps the machine.
 */
import type { Space, VirtualAddress } from '../../emulator/units';
import { va } from '../../emulator/units';
import type { Instance } from '../../monitor/types';
import type { CodeFrame } from '../inspect/stack/entry';
import { isWrapper } from '../inspect/stack/wrappers';
import { callsIn, type CallSite } from './code';
import type { StopReason } from './breakpoints';
import type { Stops } from './stops';
import { toLink, toRuntime, type Mapping, type Worlds } from './worlds';

export type StepKind = 'next' | 'stepIn' | 'stepOut';

/** What a step needs to know of the machine. */
export interface StepTarget {
  readonly worlds: Worlds;
  readonly stops: Stops<StopReason>;
  readMemory(space: Space, address: number, length: number): Uint8Array;
  /** The innermost frame of a thread as it is right now. */
  topFrame(tid: number): CodeFrame | undefined;
}

export const STEP: StopReason = Symbol('step');

/** Lines of one function that are stopped at; a function with more is stepped out of when none is met. */
const EXITS_MAX = 20_000;

const addressKey = (space: Space, address: number) => `${space}:${address}`;

export class Step {
  /** Lines to stop at in the frame that is stepped. */
  private readonly exits = new Set<string>();
  private readonly calls = new Map<string, CallSite>();
  /** First lines of what the line calls into. */
  private readonly entries = new Set<string>();
  /** Where an outer frame goes on, and which frame it is. */
  private readonly returns = new Map<string, bigint | undefined>();
  private readonly frame: CodeFrame;

  /** `stack` is the thread's frames from the innermost outwards, read only as far as needed. */
  constructor(
    private readonly target: StepTarget,
    readonly kind: StepKind,
    readonly tid: number,
    stack: Iterable<CodeFrame>,
  ) {
    const frames = stack[Symbol.iterator]();
    const first = frames.next();
    if (first.done) throw new Error('a thread without frames cannot be stepped');
    this.frame = first.value;
    this.armReturn(frames);
    if (kind === 'stepOut' || !this.frame.place || this.frame.wrapper) return;
    this.armExits();
    if (kind === 'stepIn') this.armCalls();
  }

  /** Takes every stop of the step out of the machine. */
  end(): void {
    this.target.stops.removeAll(STEP);
  }

  /** The machine stopped at an address armed for a step: is the step over? */
  reached(space: Space, pc: VirtualAddress, tid: number | undefined): boolean {
    if (tid !== this.tid) return false;
    const key = addressKey(space, pc);
    if (this.entries.has(key)) return true;
    const now = this.target.topFrame(this.tid);
    if (this.returns.has(key) && this.isFrame(this.returns.get(key), now)) return true;
    if (!this.isFrame(this.frame.cfa, now) || space !== this.frame.space) return false;
    if (this.exits.has(key)) return true;
    const call = this.calls.get(key);
    if (call && now) this.enter(call, now);
    return false;
  }

  /** Control entered an enclave on some thread: a step in follows it to its first line. */
  entered(tid: number, instance: Instance): void {
    if (this.kind !== 'stepIn' || tid !== this.tid) return;
    for (const mapping of this.target.worlds.of({ kind: 'enclave', instance })) {
      const first = firstLine(mapping);
      if (first !== undefined) this.armEntry(mapping.space, toRuntime(mapping, first));
    }
  }

  /** Whether transitions have to be told to it. */
  get followsTransitions(): boolean {
    return this.kind === 'stepIn';
  }

  private isFrame(cfa: bigint | undefined, now: CodeFrame | undefined): boolean {
    return cfa === undefined || now?.cfa === undefined || now.cfa === cfa;
  }

  private arm(space: Space, address: number): string {
    this.target.stops.add(space, va(address), STEP);
    return addressKey(space, address);
  }

  private armEntry(space: Space, address: number): void {
    this.entries.add(this.arm(space, address));
  }

  /** The nearest frame outside that has source and is no plumbing; without one the program runs on to its end. */
  private armReturn(outer: Iterator<CodeFrame>): void {
    for (let next = outer.next(); !next.done; next = outer.next()) {
      const frame = next.value;
      if (frame.depth === this.frame.depth || !frame.place || frame.wrapper) continue;
      this.returns.set(this.arm(frame.space, frame.pc), frame.cfa);
      return;
    }
  }

  private armExits(): void {
    const { mapping, place } = this.frame;
    const lines = mapping?.image.program.lines;
    if (!mapping || !place || !lines) return;
    for (const { low, high } of functionRanges(this.frame))
      for (const row of lines.rowsIn(low, high)) {
        if (!row.isStmt || row.endSequence || row.address >= high || this.exits.size >= EXITS_MAX) continue;
        const span = lines.rowAt(row.address);
        if (!span || span.line === 0 || (span.line === place.line && span.file === place.file)) continue;
        this.exits.add(this.arm(this.frame.space, toRuntime(mapping, row.address)));
      }
  }

  private armCalls(): void {
    const { mapping, place, space } = this.frame;
    const lines = mapping?.image.program.lines;
    if (!mapping || !place || !lines) return;
    const ranges = functionRanges(this.frame);
    const isInside = (address: number) =>
      ranges.some(({ low, high }) => toLink(mapping, address) >= low && toLink(mapping, address) < high);
    for (const { low, high } of ranges)
      for (const [start, end] of lines.rangesOfLine(place.file, place.line, low, high)) {
        const from = toRuntime(mapping, start);
        const code = this.target.readMemory(space, from, end - start);
        for (const call of callsIn(code, from, from + (end - start), isInside))
          this.calls.set(this.arm(space, call.address), call);
      }
  }

  /** The thread is about to make a call of its line: stop at the first line of what it calls, if that has source. */
  private enter(call: CallSite, now: CodeFrame): void {
    const x = (register: number) => {
      const value = now.registers(register);
      return value === undefined ? undefined : Number(BigInt.asIntN(64, value));
    };
    const address = call.target(x);
    if (address === undefined) return;
    const mapping = this.target.worlds.at(this.frame.space, address);
    const program = mapping?.image.program;
    const link = mapping && toLink(mapping, address);
    const called = link === undefined ? undefined : program?.info?.functionAt(link);
    if (!mapping || !program || !called || isWrapper(called.name)) return;
    const range = called.ranges.find(({ low, high }) => link! >= low && link! < high);
    const first = range && program.lines?.rowAt(link!) && program.lines.afterPrologue(range.low, range.high);
    if (first !== undefined) this.armEntry(this.frame.space, toRuntime(mapping, first));
  }
}

/** Link-time ranges of a frame's function. */
function functionRanges(frame: CodeFrame): readonly { readonly low: number; readonly high: number }[] {
  return frame.mapping?.image.program.info?.functionAt(frame.lookup)?.ranges ?? [];
}

/** Where an enclave's own code begins for a reader: the first line of `main`, else of the function at the entry point. */
export function firstLine({ image }: Mapping): number | undefined {
  const { info, lines, elf } = image.program;
  if (!info || !lines) return undefined;
  const start = info.functionsNamed('main')[0] ?? info.functionAt(elf.entry);
  const range = start?.ranges[0];
  return range && lines.afterPrologue(range.low, range.high);
}
