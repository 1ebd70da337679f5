/**
 * Lays out code whose jumps name labels: picks the short form of a jump where the target is near enough, the long way round where it is
 * too far, and fills up to where a page ends. What the generator of loops makes its programs of.
 */
import { SHAPES, lengthOf, wordOf, type Shape } from '../kinds';

const PAGE = 4096;

/** A place in the code; its address is known once the code is laid out. */
export class Label {
  address = NaN;
}

export type Part =
  | { readonly kind: 'bits'; readonly bits: number }
  | { readonly kind: 'label'; readonly label: Label }
  | { readonly kind: 'branch'; readonly name: string; readonly rs1: number; readonly rs2: number; readonly to: Label }
  /** `long`: always 4 bytes. */
  | { readonly kind: 'jal'; readonly rd: number; readonly to: Label; readonly long?: boolean }
  /** auipc and addi: rd becomes the label's address. */
  | { readonly kind: 'address'; readonly rd: number; readonly to: Label }
  /** An even number of bytes that are no instructions. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** The label's address as data. */
  | { readonly kind: 'pointer'; readonly to: Label }
  | { readonly kind: 'align'; readonly to: number }
  /** Filled with nothing up to so many bytes before the end of a page. */
  | { readonly kind: 'pageEnd'; readonly before: number };

export interface Laid {
  readonly bytes: Uint8Array;
  /** Addresses of instructions, ascending. */
  readonly instructions: readonly number[];
}

const SHAPE = new Map(SHAPES.map((shape) => [shape.row.mnemonic, shape]));

/** The row of a mnemonic. */
export function shapeOf(mnemonic: string): Shape {
  const shape = SHAPE.get(mnemonic);
  if (shape === undefined) throw new Error(`there is no ${mnemonic}`);
  return shape;
}

type Fields = Parameters<typeof wordOf>[1];

/** The word of an instruction, if its fields fit. */
function fitting(mnemonic: string, fields: Fields): number | undefined {
  const word = wordOf(shapeOf(mnemonic), fields);
  if (word === undefined) return undefined;
  for (const [field, value] of Object.entries(fields))
    if (word.fields[field as keyof typeof word.fields] !== value) return undefined;
  return word.bits;
}

/** The same of one that is known to fit. */
export function bitsOf(mnemonic: string, fields: Fields): number {
  const bits = fitting(mnemonic, fields);
  if (bits === undefined) throw new Error(`${mnemonic} has no ${JSON.stringify(fields)}`);
  return bits;
}

const OPPOSITE: Readonly<Record<string, string>> = {
  beq: 'bne', bne: 'beq', blt: 'bge', bge: 'blt', bltu: 'bgeu', bgeu: 'bltu',
}; // prettier-ignore

/** Words of a jump of a size (2, 4 or, round another one, 8 bytes), if it reaches. */
function jumpWords(part: Part & { kind: 'branch' | 'jal' }, size: number, distance: number): number[] | undefined {
  const one = (bits: number | undefined): number[] | undefined => (bits === undefined ? undefined : [bits]);
  if (part.kind === 'jal') {
    if (size === 2) return part.rd === 0 ? one(fitting('c.j', { imm: distance })) : undefined;
    return one(fitting('jal', { rd: part.rd, imm: distance }));
  }
  const { name, rs1, rs2 } = part;
  if (size === 2) {
    const short = name === 'beq' ? 'c.beqz' : name === 'bne' ? 'c.bnez' : undefined;
    return short !== undefined && rs2 === 0 ? one(fitting(short, { rs1, imm: distance })) : undefined;
  }
  if (size === 4) return one(fitting(name, { rs1, rs2, imm: distance }));
  const far = fitting('jal', { rd: 0, imm: distance - 4 });
  return far === undefined ? undefined : [bitsOf(OPPOSITE[name]!, { rs1, rs2, imm: 8 }), far];
}

class Layout {
  private readonly sizes: number[];

  constructor(
    private readonly origin: number,
    private readonly parts: readonly Part[],
  ) {
    this.sizes = parts.map((part) =>
      part.kind === 'jal' && part.long ? 4 : part.kind === 'branch' || part.kind === 'jal' ? 2 : 0,
    );
  }

  private sizeOf(part: Part, i: number, at: number): number {
    switch (part.kind) {
      case 'bits':
        return lengthOf(part.bits);
      case 'label':
        return 0;
      case 'branch':
      case 'jal':
        return this.sizes[i]!;
      case 'address':
      case 'pointer':
        return 8;
      case 'bytes':
        return part.bytes.length;
      case 'align':
        return (part.to - (at % part.to)) % part.to;
      case 'pageEnd':
        return (((PAGE - part.before - at) % PAGE) + PAGE) % PAGE;
    }
  }

  /** Gives labels their addresses; jumps that don't reach become longer. True when none had to. */
  private settle(): boolean {
    const starts: number[] = [];
    let at = this.origin;
    this.parts.forEach((part, i) => {
      starts.push(at);
      if (part.kind === 'label') part.label.address = at;
      at += this.sizeOf(part, i, at);
    });
    let settled = true;
    this.parts.forEach((part, i) => {
      if (part.kind !== 'branch' && part.kind !== 'jal') return;
      if (jumpWords(part, this.sizes[i]!, part.to.address - starts[i]!) !== undefined) return;
      if (this.sizes[i] === 8) throw new Error('a jump is too far');
      this.sizes[i]! *= 2;
      settled = false;
    });
    return settled;
  }

  finish(): Laid {
    // Sizes only grow, so this ends.
    while (!this.settle());
    const bytes: number[] = [];
    const instructions: number[] = [];
    const put = (bits: number, length: number): void => {
      for (let i = 0; i < length; i++) bytes.push((bits >>> (8 * i)) & 0xff);
    };
    const instruction = (bits: number): void => {
      instructions.push(this.origin + bytes.length);
      put(bits, lengthOf(bits));
    };
    this.parts.forEach((part, i) => {
      const at = this.origin + bytes.length;
      switch (part.kind) {
        case 'bits':
          return instruction(part.bits);
        case 'branch':
        case 'jal':
          return jumpWords(part, this.sizes[i]!, part.to.address - at)!.forEach(instruction);
        case 'address': {
          const distance = part.to.address - at;
          const low = (distance << 20) >> 20;
          instruction(bitsOf('auipc', { rd: part.rd, imm: distance - low }));
          return instruction(bitsOf('addi', { rd: part.rd, rs1: part.rd, imm: low }));
        }
        case 'pointer': {
          const value = BigInt.asUintN(64, BigInt(part.to.address));
          put(Number(value & 0xffffffffn), 4);
          return put(Number(value >> 32n), 4);
        }
        case 'bytes':
          return void bytes.push(...part.bytes);
        default:
          return void bytes.push(...new Array<number>(this.sizeOf(part, i, at)).fill(0));
      }
    });
    return { bytes: Uint8Array.from(bytes), instructions };
  }
}

/** Lays parts out from an address on. */
export const layOutParts = (origin: number, parts: readonly Part[]): Laid => new Layout(origin, parts).finish();
