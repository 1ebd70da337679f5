/** Runs images on several oracles and finds where the records differ from those of the first. */
import { GP, HEAD, layOut, placeInRecord, RECORD, TEXT, type Image, type Program } from './batch';
import type { Case } from './cases';
import type { CaseProgram } from './instructions';
import type { Oracle, Outcome } from './oracles';

export interface Difference {
  readonly program: Program;
  readonly slot: number;
  readonly one: Oracle;
  readonly other: Oracle;
  /** Offset in the record and the 8 bytes there, of `one` and `other`; undefined when one of them failed. */
  readonly offset?: number;
  readonly values?: readonly [bigint, bigint];
  readonly error?: string;
}

/** The case of a corner-case program that a difference shows in. */
export function caseOf({ program, offset }: Difference): Case | undefined {
  if (!('caseAt' in program) || offset === undefined || offset < HEAD) return undefined;
  return (program as CaseProgram).caseAt(offset - HEAD);
}

/** The differences of two records: gp is the batch's and left out. */
function* differencesOf(a: Uint8Array, b: Uint8Array, slot: number): Generator<[number, bigint, bigint]> {
  const [left, right] = [a, b].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  for (let offset = 0; offset < RECORD; offset += 8) {
    if (offset === 8 * GP) continue;
    const one = left!.getBigUint64(slot * RECORD + offset, true);
    const other = right!.getBigUint64(slot * RECORD + offset, true);
    if (one !== other) yield [offset, one, other];
  }
}

/** Compares the outcomes of two oracles. At most one difference for each program. */
function differences(
  programs: readonly Program[],
  image: Image,
  [one, a]: readonly [Oracle, Outcome],
  [other, b]: readonly [Oracle, Outcome],
): Difference[] {
  const error = a.error ?? b.error;
  if (error !== undefined)
    return [{ program: programs[0]!, slot: 0, one, other, error: withPlace(error, programs, image) }];
  if (Buffer.compare(a.records!, b.records!) === 0) return [];
  const found: Difference[] = [];
  programs.forEach((program, slot) => {
    for (const [offset, ...values] of differencesOf(a.records!, b.records!, slot)) {
      found.push({ program, slot, one, other, offset, values });
      return;
    }
  });
  return found;
}

/** Compares every other oracle with the first. */
export function compare(programs: readonly Program[], oracles: readonly Oracle[]): Difference[] {
  const image = layOut(programs);
  const [first, ...rest] = oracles.map((oracle) => [oracle, oracle.run(image)] as const);
  return rest.flatMap((other) => differences(programs, image, first!, other));
}

/** The error with the name of the program whose code an address in it lies in. */
function withPlace(error: string, programs: readonly Program[], image: Image): string {
  const address = parseInt(/at ([0-9a-f]+)/.exec(error)?.[1] ?? '', 16);
  const index = address >= TEXT ? image.entries.findLastIndex((entry) => entry <= address) : -1;
  return index < 0
    ? error
    : `${error}: ${programs[index]!.title} + 0x${(address - image.entries[index]!).toString(16)}`;
}

const hex = (value: bigint): string => '0x' + value.toString(16);

const registers = (letter: string, values: ReadonlyMap<number, bigint>): string =>
  [...values].map(([register, value]) => ` ${letter}${register}=${hex(value)}`).join('');

/** A difference in one line. */
export function describe(difference: Difference): string {
  const { program, one, other, offset, values, error } = difference;
  if (error !== undefined) return error;
  const made = caseOf(difference);
  const where = made
    ? `${made.shape.row.mnemonic} (0x${made.word.bits.toString(16)})${registers('x', made.x)}${registers('f', made.f)} ` +
      `frm=${made.frm} fflags=${made.fflags}: `
    : `${program.title}: `;
  return `${where}${placeInRecord(offset!)} is ${hex(values![0])} (${one.name}), ${hex(values![1])} (${other.name})`;
}
