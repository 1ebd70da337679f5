// fli (unprivileged manual, "Zfa" extension, "Load-Immediate Instructions", table "Immediate values loaded by the FLI.S instruction").
// The functions are made from the table below: entries 2 to 28 are m * 2^e with m of three bits, the same number in every format.

/** Entries 2 … 28: the exponent, and the two digits behind the leading one. */
// prettier-ignore
const FINITE: readonly (readonly [exponent: number, digits: number])[] = [
  [-16, 0], [-15, 0], [-8, 0], [-7, 0], [-4, 0], [-3, 0],
  [-2, 0], [-2, 1], [-2, 2], [-2, 3], [-1, 0], [-1, 1], [-1, 2], [-1, 3],
  [0, 0], [0, 1], [0, 2], [0, 3], [1, 0], [1, 1], [1, 2],
  [2, 0], [3, 0], [4, 0], [7, 0], [8, 0], [15, 0],
];

interface Format {
  readonly type: 'i32' | 'i64';
  readonly width: 16 | 32 | 64;
  readonly fraction: bigint;
  readonly bias: bigint;
}

const FORMATS: readonly Format[] = [
  { type: 'i32', width: 16, fraction: 10n, bias: 15n },
  { type: 'i32', width: 32, fraction: 23n, bias: 127n },
  { type: 'i64', width: 64, fraction: 52n, bias: 1023n },
];

/** Bits of (1 + digits / 4) * 2^exponent; a subnormal number if the exponent asks for it. */
function bitsOf({ fraction, bias }: Format, exponent: number, digits: number): bigint {
  const field = BigInt(exponent) + bias;
  const significand = BigInt(4 + digits) << (fraction - 2n);
  return field > 0n ? ((field - 1n) << fraction) + significand : significand >> (1n - field);
}

function fli(format: Format): string {
  const { type, width, fraction, bias } = format;
  const infinity = (2n * bias + 1n) << fraction;
  const values = [
    bitsOf(format, 0, 0) | (1n << BigInt(width - 1)),
    1n << fraction,
    ...FINITE.map(([exponent, digits]) => bitsOf(format, exponent, digits)),
    // 2^16 is an infinity in half precision.
    width === 16 ? infinity : bitsOf(format, 16, 0),
    infinity,
    infinity | (1n << (fraction - 1n)),
  ];
  const chain = values.map((bits, index) => `  if (index == ${index}) { return 0x${bits.toString(16)}; }`);
  return `// The constant with this number.\nfn fli${width}(index: i32) -> ${type} {\n${chain.join('\n')}\n  return 0;\n}\n`;
}

export const FLOAT_CONSTANTS = FORMATS.map(fli).join('\n');
