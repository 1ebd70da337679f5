/** The tour fixtures: programs made from test/fixtures/dwarf/tour.c by several compilers, with what gdb says about each stop. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FrameScope, type FrameAccess } from '../../../debug-adapter/inspect/variables/frame';
import { Program } from '../../../debug-adapter/symbols/program';

/** One stop as record.py wrote it down: registers and memory of the machine, and gdb's values by expression. */
export interface RecordedStop {
  readonly marker: string;
  readonly pc: string;
  readonly cfa: string;
  readonly registers: readonly string[];
  readonly memory: readonly (readonly [address: string, bytes: string])[];
  /** Name and line of each frame, inlined calls included, innermost first. */
  readonly frames: readonly (readonly [name: string, line: number])[];
  readonly variables: RecordedValues;
}

/** Type and value by expression; no value for compounds, which are recorded by their parts. */
export type RecordedValues = Readonly<Record<string, readonly [type: string, value: string | null]>>;

export interface Recording {
  readonly stops: readonly RecordedStop[];
  readonly expressions: RecordedValues;
  readonly globals: RecordedValues;
  readonly types: Readonly<Record<string, string>>;
}

function fixtureFolder(): string {
  let folder = process.cwd();
  while (!existsSync(join(folder, 'test/fixtures/dwarf'))) {
    if (dirname(folder) === folder) throw new Error('run the tests from inside the repository');
    folder = dirname(folder);
  }
  return join(folder, 'test/fixtures/dwarf');
}

const FOLDER = fixtureFolder();

/** `gcc-v5-O0` and so on. */
export const TOURS = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.elf'))
  .map((file) => file.slice('tour-'.length, -'.elf'.length))
  .sort();

export const tourBytes = (tour: string): Uint8Array => new Uint8Array(readFileSync(join(FOLDER, `tour-${tour}.elf`)));

const programs = new Map<string, Program>();

export function loadTour(tour: string): Program {
  let program = programs.get(tour);
  if (!program) {
    const loaded = Program.load(tourBytes(tour));
    if (!(loaded instanceof Program)) throw loaded;
    programs.set(tour, (program = loaded));
  }
  return program;
}

export const recordingOf = (tour: string): Recording =>
  JSON.parse(readFileSync(join(FOLDER, `golden/tour-${tour}.json`), 'utf8')) as Recording;

/** The line of `// bp: marker` in the sources, counted from 1. */
export function lineOf(marker: string, file = 'tour.c'): number {
  const lines = readFileSync(join(FOLDER, file), 'utf8').split('\n');
  const index = lines.findIndex((line) => new RegExp(`bp: ${marker}\\b`).test(line));
  if (index < 0) throw new Error(`no marker ${marker} in ${file}`);
  return index + 1;
}

export interface StoppedFrame extends FrameAccess {
  /** How often memory was read. */
  readonly reads: () => number;
}

/** A frame that stands where the program stopped: the file's memory, changed by what was recorded. */
export function frameAt(program: Program, stop: RecordedStop): StoppedFrame {
  const blocks = stop.memory.map(([address, bytes]): [number, Uint8Array] => [
    Number(address),
    Buffer.from(bytes, 'hex'),
  ]);
  let reads = 0;
  const byteAt = (address: number): number | undefined => {
    const block = blocks.find(([start, bytes]) => address >= start && address < start + bytes.length);
    if (block) return block[1][address - block[0]];
    const segment = program.elf.segments.find((s) => s.type === 1 && address >= s.vaddr && address < s.vaddr + s.memsz);
    if (!segment) return undefined;
    const offset = address - segment.vaddr;
    return offset < segment.filesz ? program.elf.bytes[segment.offset + offset] : 0;
  };
  return {
    pc: Number(stop.pc),
    cfa: () => BigInt(stop.cfa),
    readRegister: (register) => (register < 64 ? BigInt(stop.registers[register]!) : undefined),
    readMemory: (address, length) => {
      reads++;
      const bytes = new Uint8Array(length);
      for (let i = 0; i < length; i++) {
        const byte = byteAt(Number(address) + i);
        if (byte === undefined) return undefined;
        bytes[i] = byte;
      }
      return bytes;
    },
    reads: () => reads,
  };
}

export function stopAt(
  tour: string,
  marker: string,
  nth = 0,
): { program: Program; stop: RecordedStop; frame: StoppedFrame; scope: FrameScope } {
  const stop = recordingOf(tour).stops.filter((candidate) => candidate.marker === marker)[nth];
  if (!stop) throw new Error(`${tour} did not stop at ${marker}`);
  const program = loadTour(tour);
  const frame = frameAt(program, stop);
  return { program, stop, frame, scope: new FrameScope(program, frame) };
}
