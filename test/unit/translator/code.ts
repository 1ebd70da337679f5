/** Assembled code as discovery of regions reads it, and regions as text. */
import assert from 'node:assert/strict';
import type { CodeReader } from '../../../emulator/engine/translator/code-reader';
import type { Edge, Region, RegionBlock } from '../../../emulator/engine/translator/region';
import { decode } from '../../../emulator/isa/decode';
import { newInstruction } from '../../../emulator/isa/instruction';
import { Op } from '../../../emulator/isa/op';
import { va, type VirtualAddress } from '../../../emulator/units';
import { assemble, type Program } from '../assembler';

/** Virtual address of the code; it lies in RAM from page 7 on, the pages the other way round. */
export const ORIGIN = 0x10000;
const RAM_PAGE = 100;

export interface Facts {
  /** Labels of instructions that were never executed, each up to the next label. */
  readonly cold?: readonly string[];
  readonly stops?: readonly string[];
  /** Labels of instructions at which a region begins already. */
  readonly regions?: readonly string[];
  /** By the label of a jalr the labels of where it went to. */
  readonly targets?: Readonly<Record<string, readonly string[]>>;
  /** Pages, counted from the code's first, that are not known to be mapped. */
  readonly unmapped?: readonly number[];
}

export interface Code extends Program {
  readonly reader: CodeReader;
  readonly at: (label: string) => VirtualAddress;
}

/** csrrw and ecall are not translated. */
export function code(source: string, facts: Facts = {}): Code {
  const program = assemble(ORIGIN, source);
  const at = (label: string): VirtualAddress => {
    const address = program.labels.get(label);
    if (address === undefined) throw new Error(`no label ${label}`);
    return va(address);
  };
  const ends = [...program.labels.values(), ORIGIN + program.bytes.length];
  const cold = (facts.cold ?? []).map((label) => {
    const from = at(label);
    return { from, to: Math.min(...ends.filter((end) => end > from)) };
  });
  const addressOf = (page: number, offset: number): number => ORIGIN + (RAM_PAGE - page) * 4096 + offset;
  const named = (labels: readonly string[] | undefined, page: number, offset: number): boolean =>
    (labels ?? []).some((label) => at(label) === addressOf(page, offset));
  const targets = new Map(
    Object.entries(facts.targets ?? {}).map(([from, to]) => [at(from), to.map((label) => at(label))]),
  );
  const reader: CodeReader = {
    pageAt(address) {
      const index = (address - ORIGIN) / 4096;
      const known = index >= 0 && index * 4096 < program.bytes.length && !facts.unmapped?.includes(index);
      return known ? RAM_PAGE - index : undefined;
    },
    halfword(page, offset) {
      const index = addressOf(page, offset) - ORIGIN;
      return program.bytes[index]! | (program.bytes[index + 1]! << 8);
    },
    wasExecuted(page, offset) {
      const address = addressOf(page, offset);
      return address < ORIGIN + program.bytes.length && !cold.some(({ from, to }) => address >= from && address < to);
    },
    isStop: (page, offset) => named(facts.stops, page, offset),
    beginsRegion: (page, offset) => named(facts.regions, page, offset),
    targets: (pc) => targets.get(pc) ?? [],
    translates: ({ op }) => op !== Op.CSRRW && op !== Op.ECALL,
  };
  return { ...program, reader, at };
}

/** A line for each block, in the order of their addresses: its label, how many instructions, how it ends, where control goes. */
export function lines(region: Region | undefined, { labels }: Program): string[] {
  if (!region) return [];
  const names = new Map([...labels].map(([label, address]) => [address, label]));
  const name = (pc: number): string => names.get(pc) ?? `+${(pc - ORIGIN).toString(16)}`;
  const edge = (to: Edge): string => ('block' in to ? name(region.blocks[to.block]!.pc) : `out ${name(to.pc)}`);
  const end = ({ end }: RegionBlock): string => {
    switch (end.kind) {
      case 'branch':
        return `branch ${edge(end.taken)} | ${edge(end.next)}`;
      case 'jump':
      case 'next':
        return `${end.kind} ${edge(end.to)}`;
      case 'indirect':
        return ['indirect', ...end.targets.map((target) => edge(target))].join(' ');
      default:
        return end.kind;
    }
  };
  return [...region.blocks]
    .sort((a, b) => a.pc - b.pc)
    .map((block) => `${name(block.pc)} ${block.instructions.length} ${end(block)}`);
}

/** What a region must always be; throws an Error that says what it is not. */
export function sound(region: Region, { bytes }: Program): void {
  const fail = (block: RegionBlock, what: string): never => {
    throw new Error(`block at ${block.pc.toString(16)}: ${what}`);
  };
  const reached = new Set([0]);
  for (const index of reached) {
    const block = region.blocks[index]!;
    let pc: number = block.pc;
    if (Math.floor(pc / 4096) * 4096 !== region.pages[block.page]!.address) fail(block, 'not in its page');
    for (const instruction of block.instructions) {
      const crosses = (pc % 4096) + instruction.length > 4096;
      if (crosses !== (block.nextPage !== undefined)) fail(block, 'crosses the end of its page');
      if (crosses && block.instructions.length > 1) fail(block, 'what crosses stands with others');
      if (pc - (pc % 4096) !== region.pages[block.page]!.address) fail(block, 'goes on in another page');
      const at = pc - ORIGIN;
      const bits = bytes[at]! | (bytes[at + 1]! << 8) | ((bytes[at + 2]! | (bytes[at + 3]! << 8)) << 16);
      const expected = newInstruction();
      decode(bits, expected);
      assert.deepEqual(instruction, expected);
      pc += instruction.length;
    }
    const { end } = block;
    const edges: Edge[] =
      end.kind === 'branch'
        ? [end.taken, end.next]
        : end.kind === 'indirect'
          ? [...end.targets]
          : end.kind === 'interpret'
            ? []
            : [end.to];
    if (end.kind === 'next' && 'block' in end.to && region.blocks[end.to.block]!.pc !== pc)
      fail(block, 'goes on elsewhere');
    for (const edge of edges) if ('block' in edge) reached.add(edge.block);
  }
  if (reached.size !== region.blocks.length)
    throw new Error(`${region.blocks.length - reached.size} blocks that nothing leads to`);
}
