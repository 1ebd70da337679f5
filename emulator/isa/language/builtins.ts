/** What the row language has built in: names, operand types, result types. One table; the checker and the backends' tests read it. */
import type { Bits, HostName, StateName, Type, UnaryName } from './ir';

/** Functions of one operand: type of the operand to type of the result. `sext8` and its like keep their operand's type. */
export const UNARY: ReadonlyMap<UnaryName, readonly (readonly [Type, Type])[]> = new Map<
  UnaryName,
  readonly (readonly [Type, Type])[]
>([
  ...(['clz', 'ctz', 'popcnt', 'sext8', 'sext16', 'zext8', 'zext16'] as const).map(
    (name) =>
      [
        name,
        [
          ['i32', 'i32'],
          ['i64', 'i64'],
        ],
      ] as const,
  ),
  ['sext32', [['i64', 'i64']]],
  ['zext32', [['i64', 'i64']]],
  ['low32', [['i64', 'i32']]],
  ['sext64', [['i32', 'i64']]],
  [
    'zext64',
    [
      ['i32', 'i64'],
      ['bool', 'i64'],
    ],
  ],
  ['bit', [['bool', 'i32']]],
  ['asF32', [['i32', 'f32']]],
  ['asI32', [['f32', 'i32']]],
  ['asF64', [['i64', 'f64']]],
  ['asI64', [['f64', 'i64']]],
  ['promote', [['f32', 'f64']]],
  ['demote', [['f64', 'f32']]],
  [
    'sqrt',
    [
      ['f32', 'f32'],
      ['f64', 'f64'],
    ],
  ],
  [
    'abs',
    [
      ['f32', 'f32'],
      ['f64', 'f64'],
    ],
  ],
  ['signedToF64', [['i32', 'f64']]],
  ['unsignedToF64', [['i32', 'f64']]],
  ['truncateToI32', [['f64', 'i32']]],
]);

interface Signature {
  readonly args: readonly Type[];
  /** Undefined: a statement only. */
  readonly result?: 'i32' | 'i64';
}

export const HOST: Readonly<Record<HostName, Signature>> = {
  readCsr: { args: ['i64', 'bool'], result: 'i64' },
  writeCsr: { args: ['i64', 'i64'] },
  loadReserved32: { args: ['i64'], result: 'i32' },
  loadReserved64: { args: ['i64'], result: 'i64' },
  storeConditional32: { args: ['i64', 'i32'], result: 'i64' },
  storeConditional64: { args: ['i64', 'i64'], result: 'i64' },
  amoLoad32: { args: ['i64'], result: 'i32' },
  amoLoad64: { args: ['i64'], result: 'i64' },
  amoStore32: { args: ['i64', 'i32'] },
  amoStore64: { args: ['i64', 'i64'] },
  returnFromTrap: { args: ['i32'] },
  wait: { args: [] },
  fenceTranslations: { args: [] },
  fenceInstructions: { args: [] },
  cacheBlock: { args: ['i64', 'bool'] },
  zeroBlock: { args: ['i64'] },
};

export const STATE: Readonly<Record<StateName, 'i32' | 'i64'>> = {
  privilege: 'i32',
  frm: 'i32',
  fflags: 'i32',
  mstatus: 'i64',
  menvcfg: 'i64',
  senvcfg: 'i64',
};

export const LOADS: Readonly<Record<string, Bits>> = { load8: 8, load16: 16, load32: 32, load64: 64 };
export const STORES: Readonly<Record<string, Bits>> = { store8: 8, store16: 16, store32: 32, store64: 64 };
export const bitsType = (bits: Bits): 'i32' | 'i64' => (bits === 64 ? 'i64' : 'i32');

/** Names of the immediate in the manual's encodings. */
export const IMMEDIATES: ReadonlySet<string> = new Set(['imm', 'uimm', 'shamt', 'csr']);

export const TYPES: ReadonlySet<string> = new Set<Type>(['bool', 'i32', 'i64', 'f32', 'f64']);
