/**
 * The third oracle: an image executed by walking the trees of the rows (reference/evaluate.ts), with the plainest of memories. It is what
 * the rows say, without an engine; slow. Knows fflags, frm and fcsr of the CSRs and no privilege.
 */
import { decode } from '../../emulator/isa/decode';
import { newInstruction, type Instruction } from '../../emulator/isa/instruction';
import type { HostName } from '../../emulator/isa/language/ir';
import { rowLibrary, rowSemantics } from '../../emulator/isa/semantics';
import { execute, Trap, type ReferenceHart, type Value } from '../reference/evaluate';
import { RECORDS, TEXT, type Image } from './batch';
import type { Oracle, Outcome } from './oracles';

const MOST_TICKS = 20_000_000;
const ECALL_FROM_U = 8;
const STORE_MISALIGNED = 6;

class Hart implements ReferenceHart {
  readonly x = Array<bigint>(32).fill(0n);
  readonly f = Array<bigint>(32).fill(0n);
  pc = BigInt(TEXT);
  fcsr = 0;
  private reserved: bigint | undefined;
  private readonly text: DataView;
  private readonly records: DataView;

  constructor(text: Uint8Array, records: Uint8Array) {
    this.text = new DataView(text.buffer, text.byteOffset, text.length);
    this.records = new DataView(records.buffer, records.byteOffset, records.length);
  }

  state(name: string): bigint {
    if (name === 'privilege') return 0n;
    throw new Error(`the model has no ${name}`);
  }

  private place(address: bigint, bytes: number): [DataView, number] {
    const at = Number(BigInt.asUintN(64, address));
    if (at >= RECORDS && at + bytes <= RECORDS + this.records.byteLength) return [this.records, at - RECORDS];
    if (at >= TEXT && at + bytes <= TEXT + this.text.byteLength) return [this.text, at - TEXT];
    throw new Error(`the model has no memory at ${at.toString(16)}`);
  }

  halfword(address: bigint): number {
    const [view, at] = this.place(address, 2);
    return view.getUint16(at, true);
  }

  load(address: bigint, bits: number): bigint {
    const [view, at] = this.place(address, bits / 8);
    let value = 0n;
    for (let i = bits / 8 - 1; i >= 0; i--) value = (value << 8n) | BigInt(view.getUint8(at + i));
    return value;
  }

  store(address: bigint, bits: number, value: bigint): void {
    const [view, at] = this.place(address, bits / 8);
    for (let i = 0; i < bits / 8; i++) view.setUint8(at + i, Number((value >> BigInt(8 * i)) & 0xffn));
  }

  host(name: HostName, args: readonly Value[]): bigint | undefined {
    const [a = 0n, b = 0n] = args as readonly bigint[];
    const bits = name.endsWith('64') ? 64 : 32;
    if (/^(loadReserved|storeConditional|amo)/.test(name) && a % BigInt(bits / 8) !== 0n)
      throw new Trap(STORE_MISALIGNED, a);
    switch (name) {
      case 'readCsr':
        return BigInt(a === 1n ? this.fcsr & 31 : a === 2n ? this.fcsr >> 5 : this.fcsr);
      case 'writeCsr':
        if (a === 1n) this.fcsr = (this.fcsr & 0xe0) | (Number(b & 31n) & 31);
        else if (a === 2n) this.fcsr = (this.fcsr & 31) | (Number(b & 7n) << 5);
        else this.fcsr = Number(b & 0xffn);
        return undefined;
      case 'loadReserved32':
      case 'loadReserved64':
        this.reserved = a;
        return this.load(a, bits);
      case 'storeConditional32':
      case 'storeConditional64': {
        const holds = this.reserved === a;
        this.reserved = undefined;
        if (holds) this.store(a, bits, b);
        return holds ? 0n : 1n;
      }
      case 'amoLoad32':
      case 'amoLoad64':
        return this.load(a, bits);
      case 'amoStore32':
      case 'amoStore64':
        this.store(a, bits, b);
        return undefined;
      case 'fenceInstructions':
        return undefined;
      default:
        throw new Error(`the model has no ${name}`);
    }
  }
}

export class Model implements Oracle {
  readonly name = 'the rows';

  run(image: Image): Outcome {
    const [text, records] = [image.text.slice(), image.records.slice()];
    const hart = new Hart(text, records);
    const decoded = new Map<bigint, Instruction>();
    for (let ticks = 0; ticks < MOST_TICKS; ticks++) {
      const fail = (why: string): Outcome => ({ error: `${this.name}: ${why} at ${hart.pc.toString(16)}` });
      try {
        const instruction = decoded.get(hart.pc) ?? fetch(hart, decoded);
        const meaning = rowSemantics().get(instruction.op);
        if (meaning === undefined) return fail('illegal instruction');
        execute(rowLibrary(), meaning.body, instruction, hart);
      } catch (error) {
        if (!(error instanceof Trap)) return fail(String(error));
        if (error.code !== ECALL_FROM_U) return fail(`exception ${error.code}`);
        return { records, ticks: ticks + 1 };
      }
    }
    return { error: `${this.name}: no end` };
  }
}

function fetch(hart: Hart, decoded: Map<bigint, Instruction>): Instruction {
  const low = hart.halfword(hart.pc);
  const bits = (low & 3) === 3 ? low | (hart.halfword(hart.pc + 2n) << 16) : low;
  const instruction = newInstruction();
  decode(bits, instruction);
  decoded.set(hart.pc, instruction);
  return instruction;
}
