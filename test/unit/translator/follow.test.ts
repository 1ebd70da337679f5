/** Regions of the bench's programs against the programs' own steps: a region says where control goes, block by block, or is left. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CodeReader } from '../../../emulator/engine/translator/code-reader';
import { discover } from '../../../emulator/engine/translator/discover';
import type { BlockEnd, Edge, Region } from '../../../emulator/engine/translator/region';
import { Op } from '../../../emulator/isa/op';
import { createMachine } from '../../../emulator/machine/machine';
import { pa, tick, va, type VirtualAddress } from '../../../emulator/units';

const RAM = 0x80000000;
const STEPS = 60_000;

interface Run {
  readonly text: Uint8Array;
  /** The pc of each step. */
  readonly steps: Float64Array;
}

/** A program without an operating system: linked where RAM begins, entered at its first byte; its code is the first segment. */
function run(name: string): Run {
  const elf = readFileSync(join(process.cwd(), `test/bench/workloads/images/${name}.elf`));
  const machine = createMachine({ ramBytes: 128 * 2 ** 20, engine: 'wasm' });
  const headers = Number(elf.readBigUInt64LE(32));
  const segments = [0, 1].map((i) => {
    const at = headers + 56 * i;
    const [offset, address, size] = [8, 24, 32].map((field) => Number(elf.readBigUInt64LE(at + field)));
    const bytes = elf.subarray(offset, offset! + size!);
    machine.machinePort.write(pa(address!), bytes);
    return bytes;
  });
  // Rounds (bench/workloads/runtime.c).
  machine.machinePort.writeU64(pa(0x87fff000), 1000n);
  const hart = machine.harts[0]!;
  hart.pc = va(RAM);
  // Arrays are filled before the work begins.
  machine.run(tick(1_000_000));
  const steps = new Float64Array(STEPS);
  for (let i = 0; i < STEPS; i++) {
    steps[i] = hart.pc;
    machine.run(tick(machine.tick + 1));
  }
  return { text: segments[0]!, steps };
}

/** What was executed, and where indirect jumps went, in all the steps. */
function readerOf({ text, steps }: Run): CodeReader {
  const executed = new Set(steps);
  const went = new Map<number, Set<VirtualAddress>>();
  steps.forEach((pc, i) => {
    if (i > 0) went.set(steps[i - 1]!, (went.get(steps[i - 1]!) ?? new Set()).add(va(pc)));
  });
  return {
    pageAt: (address) => (address >= RAM && address < RAM + text.length ? (address - RAM) / 4096 : undefined),
    halfword: (page, offset) => text[page * 4096 + offset]! | (text[page * 4096 + offset + 1]! << 8),
    wasExecuted: (page, offset) => executed.has(RAM + page * 4096 + offset),
    isStop: () => false,
    beginsRegion: () => false,
    targets: (pc) => [...(went.get(pc) ?? [])],
    translates: ({ op }) => op < Op.CSRRW || op > Op.SFENCE_VMA,
  };
}

function edgesOf(end: BlockEnd): readonly Edge[] {
  if (end.kind === 'branch') return [end.taken, end.next];
  if (end.kind === 'indirect') return end.targets;
  return end.kind === 'interpret' ? [] : [end.to];
}

/** Goes through a region from its entry at a step; the step at which it is left. */
function follow({ blocks }: Region, { steps }: Run, from: number): number {
  let at = from;
  for (let block = blocks[0]!; at < STEPS;) {
    let pc: number = block.pc;
    for (const { length } of block.instructions) {
      if (at === STEPS) return at;
      assert.equal(steps[at]!.toString(16), pc.toString(16));
      at++;
      pc += length;
    }
    if (at === STEPS) return at;
    const to = steps[at]!;
    const { end } = block;
    if (end.kind === 'interpret') assert.equal(to, pc);
    const edges = edgesOf(end);
    const inside = edges.find((edge) => 'block' in edge && blocks[edge.block]!.pc === to);
    if (!inside) {
      const known =
        end.kind === 'indirect' || end.kind === 'interpret' || edges.some((edge) => 'pc' in edge && edge.pc === to);
      assert.ok(known, `from ${block.pc.toString(16)} control goes to ${to.toString(16)}`);
      return at;
    }
    block = blocks[(inside as { readonly block: number }).block]!;
  }
  return at;
}

describe('the regions of a program', function () {
  for (const name of ['bytecode', 'calls', 'recursion', 'sort', 'parse', 'mandelbrot'])
    it(`go where it goes, and most of its jumps backwards lead to one that is not soon left (${name})`, () => {
      const program = run(name);
      const reader = readerOf(program);
      const { steps } = program;
      const regions = new Map<number, Region | undefined>();
      let [entered, inside, executed] = [0, 0, 0];
      for (let i = 1; i < STEPS;) {
        const pc = steps[i]!;
        if (pc >= steps[i - 1]! || entered === 200) {
          i++;
          continue;
        }
        if (!regions.has(pc)) regions.set(pc, discover(va(pc), reader));
        const region = regions.get(pc);
        if (!region) {
          i++;
          continue;
        }
        const left = follow(region, program, i);
        entered++;
        inside += left - i;
        executed = left;
        i = Math.max(left, i + 1);
      }
      assert.ok(inside > 0.95 * executed, `${inside} of ${executed} instructions in regions`);
      assert.ok(inside / entered > 300, `${entered} entries for ${inside} instructions`);
    });
});
