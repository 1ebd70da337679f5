/**
 * Source steps. A step is a set of temporary stops, so that everything else runs at full speed meanwhile: the beginnings of
 * the other lines of the function, the place its caller goes on at, and for a step in the calls of the line. A stop counts only
 * on the thread and in the frame that is stepped, told by its canonical frame address; inlined calls count as frames
 * (inlining.ts). A step in follows control into the enclave or server that the line enters; a `longjmp` out of the frame
 * is followed too. Never single-steps the machine.
 */
import type { Space, VirtualAddress } from '../../emulator/units';
import { va } from '../../emulator/units';
import type { Instance } from '../../monitor/types';
import type { CodeFrame } from '../inspect/stack/entry';
import { isWrapper } from '../inspect/stack/wrappers';
import type { LineIndex, LineRow } from '../symbols/dwarf/line/line-index';
import { callsIn, firstReturn, type CallSite } from './code';
import type { StopReason } from './breakpoints';
import { chainOf, commonLength, inliningAt } from './inlining';
import type { Stops } from './stops';
import { toLink, toRuntime, type Mapping, type Owner, type Worlds } from './worlds';

export type StepKind = 'next' | 'stepIn' | 'stepOut';

/** What a step needs to know of the machine. */
export interface StepTarget {
  readonly worlds: Worlds;
  readonly stops: Stops<StopReason>;
  readMemory(space: Space, address: number, length: number): Uint8Array;
  /** The innermost frame of a thread as it is right now. */
  topFrame(tid: number): CodeFrame | undefined;
  /** The enclave has handed control to the host for a while, and goes on afterwards. */
  isSuspended(owner: Owner): boolean;
}

export const STEP: StopReason = Symbol('step');

/** Lines of one function that are stopped at; a function with more is stepped out of when none is met. */
const EXITS_MAX = 20_000;
/** Functions that end with a jump to where `setjmp` was called, in glibc and in musl; the first that there is. */
const LONG_JUMPS = ['__longjmp', 'longjmp', '_longjmp'];
const LONG_JUMP_BYTES = 512;
const [RA, SP] = [1, 2];

const addressKey = (space: Space, address: number) => `${space}:${address}`;

export class Step {
  /** Lines to stop at in the frame that is stepped, with the number of inlined calls beginning there that are not entered. */
  private readonly exits = new Map<string, number>();
  private readonly calls = new Map<string, CallSite>();
  /** First lines of what the line calls into. */
  private readonly entries = new Set<string>();
  /** Where an outer frame goes on, and which frame it is. */
  private readonly returns = new Map<string, CodeFrame>();
  /** Where the very caller goes on, though it has no source: from then on the frame is gone, and a new one may lie in its place. */
  private readonly departures = new Map<string, bigint | undefined>();
  private readonly jumps = new Set<string>();
  private readonly frame: CodeFrame;
  private readonly chain: readonly number[];
  private gone = false;

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
    this.chain = chainOf(this.frame);
    this.armReturn({ [Symbol.iterator]: () => frames });
    this.armJumps();
    if (!this.frame.place || this.frame.wrapper || (kind === 'stepOut' && this.chain.length === 0)) return;
    this.armExits();
    if (kind === 'stepIn') this.armCalls();
  }

  /** Takes every stop of the step out of the machine. */
  end(): void {
    this.target.stops.removeAll(STEP);
  }

  /**
   * The machine stopped at an address armed for a step: is the step over? Returns how many inlined calls begin there and are
   * not entered, undefined when it goes on.
   */
  reached(space: Space, pc: VirtualAddress, tid: number | undefined): number | undefined {
    if (tid !== this.tid) return undefined;
    const key = addressKey(space, pc);
    if (this.entries.has(key)) return this.beginningAt(space, pc);
    const now = this.target.topFrame(this.tid);
    const back = this.returns.get(key);
    if (back && this.isFrame(back.cfa, now) && this.isBack(back)) return this.beginningAt(space, pc);
    if (this.departures.has(key) && this.isFrame(this.departures.get(key), now)) this.gone = true;
    if (this.jumps.has(key) && now) this.jump(space, now);
    if (this.gone || space !== this.frame.space || !this.isFrame(this.frame.cfa, now)) return undefined;
    const exit = this.exits.get(key);
    if (exit !== undefined) return exit;
    const call = this.calls.get(key);
    if (call && now) this.enter(call, now);
    return undefined;
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

  private beginningAt(space: Space, pc: VirtualAddress): number {
    const mapping = this.target.worlds.at(space, pc);
    return mapping ? inliningAt(mapping.image, toLink(mapping, pc)).beginning : 0;
  }

  private arm(space: Space, address: number): string {
    this.target.stops.add(space, va(address), STEP);
    return addressKey(space, address);
  }

  private armEntry(space: Space, address: number): void {
    this.entries.add(this.arm(space, address));
  }

  /**
   * The nearest frame outside that has source and is no plumbing; without one the program runs on to its end. An enclave can be
   * left from any depth: so the nearest such frame of every outer world too.
   */
  private armReturn(outer: Iterable<CodeFrame>): void {
    let armed: number | undefined;
    for (const frame of outer) {
      if (frame.depth === this.frame.depth) continue;
      const { depth, context, owner } = this.frame;
      if (frame.depth === depth + 1 && frame.context === context && !frame.place)
        this.departures.set(this.arm(frame.space, frame.pc), frame.cfa);
      if (frame.context === armed || !canGoOn(frame)) continue;
      armed = frame.context;
      this.returns.set(this.arm(frame.space, frame.pc), frame);
      if (owner.kind === 'host') return;
    }
  }

  /** Control is in an outer world: for good, or for as long as an enclave that asked the host for something waits. */
  private isBack(frame: CodeFrame): boolean {
    return frame.context === this.frame.context || !this.target.isSuspended(this.frame.owner);
  }

  private armJumps(): void {
    const { mapping, space } = this.frame;
    if (mapping?.owner.kind !== 'host') return;
    const { program } = mapping.image;
    const from = LONG_JUMPS.map((name) => program.addressOfSymbol(name)).find((address) => address !== undefined);
    if (from === undefined) return;
    const start = toRuntime(mapping, from);
    const end = firstReturn(this.target.readMemory(space, start, LONG_JUMP_BYTES), start);
    if (end !== undefined) this.jumps.add(this.arm(space, end));
  }

  /**
   * The thread is about to arrive where `setjmp` was called: if that is further out than the frame, the step ends there. In code without
   * source, as when a thread exits, it does not: the program runs on.
   */
  private jump(space: Space, now: CodeFrame): void {
    const [to, sp, own] = [now.registers(RA), now.registers(SP), this.frame.registers(SP)];
    if (to === undefined || sp === undefined || own === undefined || sp <= own) return;
    this.gone = true;
    const address = Number(BigInt.asIntN(64, to));
    const mapping = this.target.worlds.at(space, address);
    const line = mapping?.image.program.lines?.rowAt(toLink(mapping, address))?.line ?? 0;
    if (line > 0) this.armEntry(space, address);
  }

  private armExits(): void {
    const { mapping } = this.frame;
    const lines = mapping?.image.program.lines;
    if (!mapping || !lines) return;
    for (const { low, high } of functionRanges(this.frame))
      for (const row of lines.rowsIn(low, high)) {
        if (!row.isStmt || row.endSequence || row.address >= high || this.exits.size >= EXITS_MAX) continue;
        const hidden = this.exitAt(mapping, lines, row);
        if (hidden !== undefined) this.exits.set(this.arm(this.frame.space, toRuntime(mapping, row.address)), hidden);
      }
  }

  /**
   * Whether the step is over at a row of the function, and with how many inlined calls that begin there not entered. What is inlined
   * into the frame counts as called by it; what is beside it or around it, as where it returns to.
   */
  private exitAt(mapping: Mapping, lines: LineIndex, { address }: LineRow): number | undefined {
    const span = lines.rowAt(address);
    if (!span || span.line === 0) return undefined;
    const here = inliningAt(mapping.image, address);
    const common = commonLength(here.chain, this.chain);
    const deeper = here.chain.length - common;
    const hidden = Math.min(here.beginning, deeper);
    if (common < this.chain.length) return hidden === deeper ? hidden : undefined;
    if (this.kind === 'stepOut') return undefined;
    const call = here.calls[common];
    const isSame = call ? this.isLine(call.file, call.line) : this.isLine(lines.files[span.file]?.path, span.line);
    if (!isSame) return hidden === deeper ? hidden : undefined;
    return deeper > 0 && this.kind === 'stepIn' ? Math.max(0, hidden - 1) : undefined;
  }

  private isLine(path: string | undefined, line: number | undefined): boolean {
    return path === this.frame.place?.path && line === this.frame.place?.line;
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

/** A frame a reader recognises as a place to go on: with source, and no plumbing between worlds. */
function canGoOn(frame: CodeFrame): boolean {
  return frame.place !== undefined && !frame.wrapper;
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
