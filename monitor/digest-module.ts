/**
 * The compression function of the monitor's hash H as a WebAssembly module: where the arithmetic is 64-bit anyway, one value is one
 * local and not a pair. Owns the code; the formulas are those of digest-pairs.ts, which a host without WebAssembly uses, and the
 * tests hold both equal. Its memory is scratch of one call: a digest in progress never lives here.
 */
import { Code } from '../emulator/engine/wasm/code';
import { ModuleBuilder } from '../emulator/engine/wasm/module';
import { roundConstant } from './digest-pairs';

/** Bytes of blocks that one call takes at most. */
export const INPUT_SIZE = 64 * 1024;
/** Where the chaining values lie: eight words of 64 bits. */
export const CHAIN_AT = INPUT_SIZE;
const MEMORY_PAGES = 2;

interface Exports {
  /** Mixes the blocks from 0 up to `end`, a positive multiple of 64, into the chaining values. */
  readonly compress: (end: number) => void;
}
interface WasmMemory {
  readonly buffer: ArrayBuffer;
}
/** What of the host's WebAssembly object is used here; the types of this project know no DOM. */
declare const WebAssembly:
  | {
      readonly Module: new (bytes: Uint8Array) => object;
      readonly Instance: new (module: object, imports: object) => { readonly exports: Exports };
      readonly Memory: new (limits: { initial: number; maximum: number }) => WasmMemory;
    }
  | undefined;

/** The function and its memory; undefined where the host has no WebAssembly or refuses to compile. */
export function newCompressor(): { compress: Exports['compress']; memory: ArrayBuffer } | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  try {
    const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()), { env: { memory } });
    return { compress: exports.compress, memory: memory.buffer };
  } catch {
    return undefined;
  }
}

export function moduleBytes(): Uint8Array {
  const builder = new ModuleBuilder();
  const compress = builder.declare({ parameters: ['i32'], results: [] });
  builder.define(compress, new Compression().code);
  builder.export('compress', compress);
  return builder.finish(MEMORY_PAGES);
}

const END = 0;

/** All 64 rounds in line: 16 locals hold the message words that rounds still need, eight the working variables. */
class Compression {
  readonly code = new Code(['i32']);
  private readonly at = this.code.local('i32');
  private readonly word = this.code.local('i32');
  private readonly chain = this.locals(8);
  private readonly message = this.locals(16);
  /** Scratch: the argument of a rotation, and values that are used twice. */
  private readonly x = this.code.local('i64');
  private readonly twice = this.code.local('i64');
  private readonly a12 = this.code.local('i64');
  private readonly ss1 = this.code.local('i64');
  private readonly tt1 = this.code.local('i64');
  private readonly tt2 = this.code.local('i64');

  constructor() {
    const { code } = this;
    code.loop('block');
    this.chain.forEach((local, i) => {
      code.i32(0);
      code.memory('i64.load', CHAIN_AT + 8 * i);
      code.set(local);
    });
    for (let i = 0; i < 16; i++) this.loadWord(i);
    let working = this.chain;
    for (let j = 0; j < 64; j++) working = this.round(j, working);
    working.forEach((local, i) => {
      code.i32(0);
      code.i32(0);
      code.memory('i64.load', CHAIN_AT + 8 * i);
      code.get(local);
      code.op('i64.xor');
      code.memory('i64.store', CHAIN_AT + 8 * i);
    });
    code.get(this.at);
    code.i32(64);
    code.op('i32.add');
    code.tee(this.at);
    code.get(END);
    code.op('i32.lt_u');
    code.brIf('block');
    code.end();
  }

  private locals(count: number): number[] {
    return Array.from({ length: count }, () => this.code.local('i64'));
  }

  /** W[i] of the block: 32 bits, big-endian. */
  private loadWord(i: number): void {
    const { code, word } = this;
    code.get(this.at);
    code.memory('i32.load', 4 * i);
    code.tee(word);
    for (const [rotation, mask] of [
      [8, 0x00ff00ff],
      [24, 0xff00ff00],
    ] as const) {
      if (rotation === 24) code.get(word);
      code.i32(rotation);
      code.op('i32.rotl');
      code.i32(mask | 0);
      code.op('i32.and');
    }
    code.op('i32.or', 'i64.extend_i32_u');
    code.set(this.message[i]!);
  }

  /**
   * ROTL of a local by 1 … 31, which is ((x & 0xffffffff) << n) | (x >> (32 - n)). With the low half of x also in its upper one, that is
   * one shift: (x | (x << 32)) >> (32 - n). One operation less, and of two rotations of one value three less: 1.4 times as fast.
   */
  private rotated(local: number, n: number): void {
    this.doubled(local);
    this.shifted(n);
  }

  private doubled(local: number): void {
    const { code } = this;
    code.get(local);
    code.get(local);
    code.i64(32n);
    code.op('i64.shl', 'i64.or');
  }

  private shifted(n: number): void {
    this.code.i64(BigInt(32 - n));
    this.code.op('i64.shr_u');
  }

  /** Leaves x ^ ROTL(x, n) ^ ROTL(x, m). */
  private mixed(local: number, n: number, m: number): void {
    const { code, twice } = this;
    this.doubled(local);
    code.tee(twice);
    this.shifted(n);
    code.get(twice);
    this.shifted(m);
    code.get(local);
    code.op('i64.xor', 'i64.xor');
  }

  /** W[j] for j from 16 on, in the place of W[j - 16], which no round needs any more. */
  private expand(j: number): void {
    const { code, x } = this;
    const w = (back: number): number => this.message[(j - back) & 15]!;
    code.get(w(16));
    code.get(w(9));
    code.op('i64.xor');
    this.rotated(w(3), 15);
    code.op('i64.xor');
    code.set(x);
    this.mixed(x, 15, 23);
    this.rotated(w(13), 7);
    code.get(w(6));
    code.op('i64.xor', 'i64.xor');
    code.set(w(16));
  }

  /** One round; returns which locals the working variables are in afterwards. */
  private round(j: number, [a, b, c, d, e, f, g, h]: readonly number[]): number[] {
    const { code } = this;
    const late = j >= 16;
    // W[j] goes when W[j + 16] comes, and W[j + 4] is there from round 12 on only if it has been made: a round makes what it needs.
    if (j >= 12) this.expand(j + 4);
    this.rotated(a!, 12);
    code.tee(this.a12);
    code.get(e!);
    code.i64(roundConstant(j));
    code.op('i64.add', 'i64.add');
    code.set(this.x);
    this.rotated(this.x, 7);
    code.set(this.ss1);
    this.firstChoice(late, [a!, b!, c!]);
    code.get(d!);
    code.get(this.ss1);
    code.get(this.a12);
    code.op('i64.xor', 'i64.add', 'i64.add');
    code.get(this.message[j & 15]!);
    code.get(this.message[(j + 4) & 15]!);
    code.op('i64.xor', 'i64.add');
    code.set(this.tt1);
    this.secondChoice(late, [e!, f!, g!]);
    code.get(h!);
    code.get(this.ss1);
    code.op('i64.add', 'i64.add');
    code.get(this.message[j & 15]!);
    code.op('i64.add');
    code.set(this.tt2);
    this.rotated(b!, 9);
    code.set(b!);
    this.rotated(f!, 19);
    code.set(f!);
    code.get(this.tt1);
    code.set(d!);
    this.mixed(this.tt2, 9, 17);
    code.set(h!);
    return [d!, a!, b!, c!, h!, e!, f!, g!];
  }

  /** FF: parity, later the majority of three. */
  private firstChoice(late: boolean, [a, b, c]: readonly [number, number, number]): void {
    const { code } = this;
    if (late) {
      // (a & b) | (a & c) | (b & c)
      code.get(a);
      code.get(b);
      code.op('i64.and');
      code.get(a);
      code.get(b);
      code.op('i64.or');
      code.get(c);
      code.op('i64.and', 'i64.or');
    } else {
      for (const local of [a, b, c]) code.get(local);
      code.op('i64.xor', 'i64.xor');
    }
  }

  /** GG: parity, later e chooses between f and g. */
  private secondChoice(late: boolean, [e, f, g]: readonly [number, number, number]): void {
    const { code } = this;
    if (late) {
      // (e & f) | (~e & g)
      code.get(f);
      code.get(g);
      code.op('i64.xor');
      code.get(e);
      code.op('i64.and');
      code.get(g);
      code.op('i64.xor');
    } else {
      for (const local of [e, f, g]) code.get(local);
      code.op('i64.xor', 'i64.xor');
    }
  }
}
