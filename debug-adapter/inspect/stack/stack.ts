/**
 * The stitched stack of one host thread: the frames of the innermost world, a label that says how control came into it, the frames
 * of the world it came from, and so on out to the host. Found as far as somebody asks; a valid picture only while nothing
 * runs. Asks the system for registers and memory and changes nothing.
 */
import { savedF64, savedPc, savedX64 } from '../../../emulator/hart/registers';
import { va, type Space } from '../../../emulator/units';
import type { Context, System } from '../../../monitor/system/types';
import { toLink, type Mapping, type Owner, type Worlds } from '../../target/worlds';
import { printable } from '../printable';
import { isSignalTrampoline } from '../unwind/by-signal';
import { RegisterSet } from '../unwind/registers';
import { StackWalk, type Frame } from '../unwind/stack-walk';
import type { UnwindContext } from '../unwind/types';
import type { CodeFrame, StackEntry } from './entry';
import { isWrapper } from './wrappers';

/** Frames of one world that are shown; a runaway recursion ends there. */
const DEPTH_MAX = 100_000;
/** Frames are found this many at a time. */
const CHUNK = 16;
const FLOAT_FIRST = 32;
const REGISTER_COUNT = 64;

/** Inlined calls that begin at a pc and are not entered yet: the thread is shown before them. */
export interface Hidden {
  readonly pc: number;
  readonly levels: number;
}

export class Stack {
  private readonly found: StackEntry[] = [];
  private readonly rest: Iterator<StackEntry>;
  private complete = false;

  constructor(
    private readonly system: Pick<System, 'contexts' | 'read' | 'enclaves'>,
    private readonly worlds: Worlds,
    readonly tid: number,
    private readonly hidden?: Hidden,
  ) {
    this.rest = this.walk();
  }

  /** Entries `start` to `start + count`. */
  entries(start: number, count: number): readonly StackEntry[] {
    while (!this.complete && this.found.length < start + count) this.more();
    return this.found.slice(start, start + count);
  }

  /** Number of entries, or one more than are known while there may be more. */
  get total(): number {
    return this.complete ? this.found.length : this.found.length + 1;
  }

  /** Frames of code only, innermost first. */
  *frames(): Generator<CodeFrame, void> {
    for (let i = 0; ; i++) {
      const entry = this.entries(i, 1)[0];
      if (!entry) return;
      if (entry.kind === 'code') yield entry;
    }
  }

  private more(): void {
    const next = this.rest.next();
    if (next.done) this.complete = true;
    else this.found.push(next.value);
  }

  private *walk(): Generator<StackEntry, void> {
    const contexts = this.system.contexts(this.tid);
    let depth = 0;
    for (const [index, context] of contexts.entries()) {
      if (context.stopped && !contexts[index - 1]?.stopped) yield { kind: 'label', text: 'stopped' };
      for (const frame of this.walkContext(context)) {
        yield* this.describe(frame, context, index, depth);
        depth++;
      }
      const label = this.labelOf(context);
      if (label !== undefined) yield { kind: 'label', text: label };
    }
  }

  private *walkContext(context: Context): Generator<Frame, void> {
    const walk = new StackWalk(registersOf(context), this.unwinding(context.space), DEPTH_MAX);
    yield* walk.frames(0, 1); // the innermost alone first: a step asks for no more
    for (let start = 1; ; start += CHUNK) {
      const frames = walk.frames(start, CHUNK);
      yield* frames;
      if (frames.length < CHUNK) return;
    }
  }

  private unwinding(space: Space): UnwindContext {
    return {
      readMemory: (address, length) => readMemory(this.system, space, address, length),
      imageAt: (pc) => {
        const mapping = this.worlds.at(space, Number(BigInt.asIntN(64, pc)));
        if (!mapping) return undefined;
        const { elf, frames } = mapping.image.program;
        return { bias: BigInt(mapping.base), elf, frames };
      },
    };
  }

  /** Of code without debug information: its symbol; what a signal handler returns to, as other debuggers call it. */
  private nameOf(space: Space, mapping: Mapping | undefined, lookup: number, pc: number): string {
    const symbol = mapping?.image.program.describeAddress(lookup, toLink(mapping, pc));
    if (symbol !== undefined) return symbol;
    return isSignalTrampoline(BigInt(pc), this.unwinding(space)) ? '<signal handler called>' : hexAddress(pc);
  }

  private labelOf({ enteredBy, world }: Context): string | undefined {
    if (world.kind === 'host') return undefined;
    if (enteredBy === 'run') return `PLenclave_run #${world.instance}`;
    const name = this.system.enclaves().find(({ instance }) => instance === world.instance)?.name || 'enclave';
    return `call_enclave -> ${printable(name)} #${world.instance}`;
  }

  /** A frame and, before it, the calls that were inlined into it. */
  private *describe(frame: Frame, context: Context, index: number, depth: number): Generator<CodeFrame, void> {
    const runtime = Number(BigInt.asIntN(64, frame.lookupPc));
    const mapping = this.worlds.at(context.space, runtime);
    const lookup = mapping ? toLink(mapping, runtime) : runtime;
    const owner: Owner = context.world;
    const common = {
      kind: 'code' as const,
      ...{ depth, context: index, owner, space: context.space, mapping, lookup },
      pc: Number(BigInt.asIntN(64, frame.pc)),
      cfa: frame.cfa,
      registers: (register: number) => frame.registers.get(register),
    };
    const scopes = mapping?.image.program.info.scopesAt(lookup);
    const place = mapping && placeAt(mapping, lookup);
    if (!scopes || !mapping) {
      const name = this.nameOf(context.space, mapping, lookup, common.pc);
      yield { ...common, name, level: undefined, place, subtle: true, wrapper: isWrapper(name.replace(/\+\d+$/, '')) };
      return;
    }
    const levels = [scopes.function, ...scopes.inlined];
    let here = place;
    let hidden = depth === 0 && common.pc === this.hidden?.pc ? Math.min(this.hidden.levels, levels.length - 1) : 0;
    for (let level = levels.length - 1; level >= 0; level--) {
      const { name } = levels[level]!;
      const wrapper = isWrapper(name);
      if (hidden-- <= 0) yield { ...common, name, level, place: here, subtle: wrapper || here === undefined, wrapper };
      const call = scopes.inlined[level - 1]?.call;
      if (call) here = placeOfCall(mapping, call);
    }
  }
}

/** Memory of a space as the unwinder and the evaluators read it: all of it or nothing. */
export function readMemory(
  system: Pick<System, 'read'>,
  space: Space,
  address: bigint,
  length: number,
): Uint8Array | undefined {
  const at = Number(BigInt.asIntN(64, address));
  if (!Number.isSafeInteger(at)) return undefined;
  const bytes = system.read(space, va(at), length);
  return bytes.length === length ? bytes : undefined;
}

function registersOf({ registers }: Context): RegisterSet {
  return RegisterSet.ofHart(BigInt.asUintN(64, BigInt(savedPc(registers))), (register) => {
    if (register >= REGISTER_COUNT) return undefined;
    return register < FLOAT_FIRST ? savedX64(registers, register) : savedF64(registers, register - FLOAT_FIRST);
  });
}

function placeAt(mapping: Mapping, lookup: number): CodeFrame['place'] {
  const span = mapping.image.program.lines?.rowAt(lookup);
  if (!span || span.line === 0) return undefined;
  const path = mapping.image.program.lines!.files[span.file]?.path;
  if (path === undefined) return undefined;
  return { image: mapping.image, file: span.file, path, line: span.line, column: span.column };
}

function placeOfCall(
  mapping: Mapping,
  call: { readonly file: string | undefined; readonly line: number | undefined },
): CodeFrame['place'] {
  if (call.file === undefined || call.line === undefined) return undefined;
  const file = mapping.image.program.lines?.fileIndex(call.file) ?? -1;
  return { image: mapping.image, file, path: call.file, line: call.line, column: 0 };
}

function hexAddress(address: number): string {
  return `0x${BigInt.asUintN(64, BigInt(address)).toString(16)}`;
}
