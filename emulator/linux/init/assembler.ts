/** Puts instructions and data together at one address: what the first program of a launch with commands is made with (program.ts). */
import { encode } from '../../isa/encode';
import type { Instruction } from '../../isa/instruction';
import type { Row } from '../../isa/row';
import { BASE_ROWS } from '../../isa/rows';

const rows = new Map<string, Row>(BASE_ROWS.map((row) => [row.mnemonic, row]));

/** Registers by the numbers the calling convention names. */
export const X = {
  zero: 0,
  sp: 2,
  t0: 5,
  t1: 6,
  t2: 7,
  s0: 8,
  s1: 9,
  a0: 10,
  a1: 11,
  a2: 12,
  a3: 13,
  a4: 14,
  a7: 17,
  s2: 18,
  s3: 19,
} as const;

type Fields = Partial<Omit<Instruction, 'op' | 'length'>>;
/** Something whose address is known when everything is in place. */
export interface Label {
  at: number | undefined;
}

export class Assembler {
  private readonly code: ((at: number) => number)[] = [];
  private readonly data: { readonly label: Label; readonly bytes: () => Uint8Array; readonly size: number }[] = [];
  private readonly texts = new Map<string, Label>();

  /** Everything lies from `base` on, which is below 2 GiB. */
  constructor(private readonly base: number) {}

  emit(mnemonic: string, fields: Fields = {}): void {
    const word = encode(rows.get(mnemonic)!, fields);
    this.code.push(() => word);
  }

  branch(mnemonic: 'beq' | 'bne' | 'bge' | 'jal', fields: Fields, to: Label): void {
    this.code.push((at) => encode(rows.get(mnemonic)!, { ...fields, imm: to.at! - at }));
  }

  here(label: Label): void {
    label.at = this.base + 4 * this.code.length;
  }

  /** `li` of a number of 32 bits, or of an address. */
  load(rd: number, value: number | Label): void {
    const number = () => (typeof value === 'number' ? value : value.at!);
    const low = () => (number() << 20) >> 20;
    this.code.push(() => encode(rows.get('lui')!, { rd, imm: (number() - low()) | 0 }));
    this.code.push(() => encode(rows.get('addiw')!, { rd, rs1: rd, imm: low() }));
  }

  move(rd: number, rs1: number): void {
    this.emit('addi', { rd, rs1, imm: 0 });
  }

  /** a7 and an ecall; the result is in a0. */
  call(number: number): void {
    this.load(X.a7, number);
    this.emit('ecall');
  }

  /** A text with a NUL behind it. */
  text(text: string): Label {
    const known = this.texts.get(text);
    if (known) return known;
    const label = this.bytes(new TextEncoder().encode(`${text}\0`));
    this.texts.set(text, label);
    return label;
  }

  bytes(bytes: Uint8Array): Label {
    const label: Label = { at: undefined };
    this.data.push({ label, bytes: () => bytes, size: bytes.length });
    return label;
  }

  /** Pointers, and a null behind them. */
  pointers(labels: readonly Label[]): Label {
    const label: Label = { at: undefined };
    const size = 8 * (labels.length + 1);
    const bytes = () => {
      const view = new DataView(new ArrayBuffer(size));
      labels.forEach((to, i) => view.setUint32(8 * i, to.at!, true));
      return new Uint8Array(view.buffer);
    };
    this.data.push({ label, bytes, size });
    return label;
  }

  /** Code, then data. */
  finish(): Uint8Array {
    let end = 4 * this.code.length;
    for (const { label, size } of this.data) {
      end += -end & 7;
      label.at = this.base + end;
      end += size;
    }
    const view = new DataView(new ArrayBuffer(end));
    this.code.forEach((word, i) => view.setUint32(4 * i, word(this.base + 4 * i), true));
    const all = new Uint8Array(view.buffer);
    for (const { label, bytes } of this.data) all.set(bytes(), label.at! - this.base);
    return all;
  }
}
