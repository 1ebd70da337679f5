/**
 * The public suite riscv-tests (github.com/riscv-software-src/riscv-tests) on the bare machine. Nothing of it is kept here: build it
 * elsewhere and name the folder of its ELF files, e.g. `RISCV_TESTS=~/riscv-tests/isa npx mocha out/test/conformance/*.test.js`.
 * A program ends by storing to the word `tohost`, as its two environments (`-p` physical, `-v` behind page tables) do: 1 is a pass,
 * any other odd value names the case that failed.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ElfFile } from '../../debug-adapter/symbols/elf/elf';
import { createMachine, ENGINE_NAMES, type SoftwareMachine } from '../../emulator/machine/machine';
import type { EngineName } from '../../emulator/machine/types';
import { pa, tick, va } from '../../emulator/units';

const RAM_START = 0x80000000;
const RAM_BYTES = 16 * 2 ** 20;
/** Ticks between two looks at `tohost`. */
const SLICE = 20_000;
/** The longest program of the suite needs about a million. */
const LIMIT = 20_000_000;

/** What a store to `tohost` asks for: bits 63:56 the device, 55:48 the command, the rest its argument. */
const CONSOLE_WRITE = 0x0101n;

interface Outcome {
  /** `tohost` as the program left it; 0 when it never ended, or sleeps for ever. */
  readonly value: bigint;
  readonly output: string;
}

function load(machine: SoftwareMachine, elf: ElfFile): void {
  for (const segment of elf.segments) {
    if (segment.type !== 1 || segment.filesz === 0) continue;
    machine.machinePort.write(pa(segment.vaddr), elf.bytes.subarray(segment.offset, segment.offset + segment.filesz));
  }
  machine.harts[0]!.pc = va(RAM_START);
}

function run(file: string, engine: EngineName): Outcome {
  const elf = ElfFile.parse(new Uint8Array(readFileSync(file)));
  if (!(elf instanceof ElfFile)) throw elf;
  const address = elf.symbols().find((symbol) => symbol.name === 'tohost')?.value;
  assert.ok(address !== undefined, 'the program has no symbol tohost');
  const machine = createMachine({ ramBytes: RAM_BYTES, engine, hotness: 1 });
  load(machine, elf);
  let output = '';
  while (machine.tick < LIMIT) {
    const { reason } = machine.run(tick(machine.tick + SLICE));
    const value = machine.machinePort.readU64(pa(address));
    if (value === 0n && reason === 'idle') break;
    if (value === 0n) continue;
    if (value >> 48n !== CONSOLE_WRITE) return { value, output };
    output += String.fromCharCode(Number(value & 0xffn));
    machine.machinePort.writeU64(pa(address), 0n);
  }
  return { value: 0n, output };
}

const folder = process.env.RISCV_TESTS;
/** rv64ui-p-add …; `RISCV_TESTS_ONLY` is a regular expression on their names. */
const programs = folder
  ? readdirSync(folder)
      .filter((name) => /^rv64\w+-[pv]-[\w-]+$/.test(name) && new RegExp(process.env.RISCV_TESTS_ONLY ?? '').test(name))
      .sort()
  : [];

describe('riscv-tests', () => {
  if (programs.length === 0) it('need RISCV_TESTS, a folder of their ELF files');
  for (const engine of ENGINE_NAMES)
    for (const name of programs)
      it(`${name} passes on engine ${engine}`, () => {
        const { value, output } = run(join(folder!, name), engine);
        const said = value === 0n ? `no end within ${LIMIT} ticks` : `case ${value >> 1n} failed`;
        assert.equal(value, 1n, `${said}${output ? `; it said: ${output}` : ''}`);
      });
});
