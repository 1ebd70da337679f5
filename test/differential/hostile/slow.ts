/**
 * Guests made to be slow: each instruction does what costs an engine most. What 100,000 ticks of each take is printed, in processor time;
 * the debugger answers between such pieces. Run by `npm run differential -- slow`.
 */
import { createMachine, type SoftwareMachine } from '../../../emulator/machine/machine';
import type { EngineName } from '../../../emulator/machine/types';
import { pa, tick, va } from '../../../emulator/units';
import { assemble } from '../../unit/assembler';

const RAM = 0x80000000;
const RAM_BYTES = 64 * 2 ** 20;
/** Where `a0` and `a1` point, and page tables begin. */
const DATA = RAM + 8 * 2 ** 20;
const TABLES = RAM + 4 * 2 ** 20;
/** A chain of jumps, each in a page of its own. */
const CHAIN = RAM + 16 * 2 ** 20;

interface Guest {
  readonly name: string;
  /** Repeated for ever; a0 = DATA, a1 = a page table in use, a2 = the chain, s0 = 1. */
  readonly loop: string;
  readonly privilege?: 1 | 3;
  readonly before?: (machine: SoftwareMachine) => void;
  /** A snapshot is taken before every piece. */
  readonly snapshots?: boolean;
}

const times = (count: number, text: string): string => Array.from({ length: count }, () => text).join('\n');
const write = (machine: SoftwareMachine, csr: number, value: bigint): void => machine.harts[0]!.writeCsr(csr, value);

/** `count` pages that each hold a jump to the next one. */
const chain =
  (count: number) =>
  (machine: SoftwareMachine): void => {
    for (let i = 0; i < count; i++) {
      const at = CHAIN + i * 4096;
      const { bytes } = assemble(at, i === count - 1 ? 'jalr zero,0(a2)' : `jal zero,${at + 4096}`);
      machine.machinePort.write(pa(at), bytes);
    }
  };

const GUESTS: readonly Guest[] = [
  { name: 'nothing special: additions', loop: times(8, 'add t0,t0,s0') },
  { name: 'SFENCE.VMA', loop: times(8, 'sfence.vma zero,zero'), privilege: 1 },
  { name: 'SFENCE.VMA and a load', loop: times(4, 'sfence.vma zero,zero\nld t0,0(a0)'), privilege: 1 },
  { name: 'writes of satp', loop: times(8, 'csrrw t1,satp,t1'), privilege: 1 },
  { name: 'writes of a PMP address and loads', loop: times(4, 'csrrw zero,0x3b8,t0\nld t1,0(a0)\naddi t0,t0,1') },
  { name: 'writes of a PMP configuration', loop: times(8, 'csrrw zero,pmpcfg2,t0') },
  { name: 'writes of mstatus', loop: times(8, 'csrrw t1,mstatus,t1') },
  { name: 'reads of time', loop: times(8, 'csrrs t0,time,zero') },
  { name: 'stores to a page table in use', loop: times(4, 'sd t0,2048(a1)\nld t1,0(a0)'.replace('2048', '1024')), privilege: 1 },
  { name: 'stores to the page of the code', loop: `auipc t3,0\n${times(8, 'sw zero,2044(t3)')}` },
  { name: 'code written, then executed', loop: `lui t4,19\naddi t4,t4,0\nli t4,0x13\nauipc t3,0\n${times(8, 'sw t4,8(t3)\nauipc t3,0\nnop')}` },
  { name: 'code in more pages than are kept', loop: 'jalr zero,0(a2)', before: chain(1100) },
  { name: 'code in more pages than the translations hold', loop: 'jalr zero,0(a2)', before: chain(700), privilege: 1 },
  { name: 'loads in more pages than the translations hold', loop: `${times(8, 'ld t0,0(t1)\nadd t1,t1,t2\nand t1,t1,t3\nor t1,t1,a0')}`, privilege: 1,
    before: (machine) => { machine.harts[0]!.setX64(7, 0x101000n); machine.harts[0]!.setX64(28, 0x3fffff8n | 0x80000000n); } },
  { name: 'loads in a page that PMP covers in part', loop: times(8, 'ld t0,0(a0)'), privilege: 1,
    before: (machine) => { write(machine, 0x3b0, BigInt((DATA + 2048) / 4)); write(machine, 0x3b1, (1n << 54n) - 1n); write(machine, 0x3a0, 0x1f0en << 0n | 0x1fn << 8n | 0xfn); } },
  { name: 'stores across pages', loop: times(8, 'sd t0,-4(a0)'), privilege: 1 },
  { name: 'atomics', loop: times(8, 'amoadd.d t0,s0,(a0)'), privilege: 1 },
  { name: 'LR and SC', loop: times(4, 'lr.d t0,(a0)\nsc.d t1,t0,(a0)'), privilege: 1 },
  { name: 'loads of a device', loop: times(8, 'ld t0,0(a3)'), before: (machine) => machine.harts[0]!.setX64(13, 0x200bff8n) },
  { name: 'stores to a device', loop: times(8, 'sd t0,0(a3)'), before: (machine) => machine.harts[0]!.setX64(13, 0x2004000n) },
  { name: 'exceptions', loop: times(8, 'ecall'), before: (machine) => write(machine, 0x305, BigInt(RAM)) },
  { name: 'loads that fault', loop: times(8, 'ld t0,0(zero)'), before: (machine) => write(machine, 0x305, BigInt(RAM)) },
  { name: 'illegal instructions', loop: times(8, '.word 0'), before: (machine) => write(machine, 0x305, BigInt(RAM)) },
  { name: 'MRET', loop: times(1, 'auipc t0,0\ncsrrw zero,mepc,t0\nmret') },
  { name: 'fused multiply-add, subnormal, towards zero', loop: times(8, 'fmadd.d f1,f2,f3,f4,rtz') },
  { name: 'square roots, upward', loop: times(8, 'fsqrt.d f1,f5,rup') },
  { name: 'divisions, upward', loop: times(8, 'fdiv.d f1,f5,f6,rup') },
  { name: 'conversions of 64-bit integers', loop: times(8, 'fcvt.d.l f1,a0,rup\nfcvt.l.d t0,f1,rup') },
  { name: 'integer division', loop: times(8, 'rem t0,a0,a2') },
  { name: 'carry-less multiplication', loop: times(8, 'clmulh t0,a0,a2') },
  { name: 'cbo.zero', loop: times(8, 'cbo.zero (a0)') },
  { name: 'new pages', loop: times(8, 'sd s0,0(t1)\nadd t1,t1,t2\nand t1,t1,t3\nor t1,t1,a0'), snapshots: true,
    before: (machine) => { machine.harts[0]!.setX64(7, 0x1000n); machine.harts[0]!.setX64(28, 0x2fffff8n | 0x80000000n); } },
]; // prettier-ignore

function prepare(guest: Guest, engine: EngineName): SoftwareMachine {
  const machine = createMachine({ ramBytes: RAM_BYTES, engine });
  const { bytes } = assemble(RAM, `loop: ${guest.loop}\nj loop`);
  machine.machinePort.write(pa(RAM), bytes);
  const hart = machine.harts[0]!;
  // One gigabyte page over RAM, through three levels for the first 64 MiB.
  const entry = (physical: number, flags: number): bigint => (BigInt(physical / 4096) << 10n) | BigInt(flags);
  machine.machinePort.writeU64(pa(TABLES + 16), entry(TABLES + 4096, 1));
  for (let i = 0; i < 32; i++) {
    const leaf = TABLES + (2 + i) * 4096;
    machine.machinePort.writeU64(pa(TABLES + 4096 + 8 * i), entry(leaf, 1));
    for (let j = 0; j < 512; j++)
      machine.machinePort.writeU64(pa(leaf + 8 * j), entry(RAM + i * 2 ** 21 + j * 4096, 0xcf));
  }
  hart.writeCsr(0x3b0, (1n << 54n) - 1n);
  hart.writeCsr(0x3a0, 0x1fn);
  hart.writeCsr(0x180, (8n << 60n) | BigInt(TABLES / 4096));
  hart.writeCsr(0x306, 7n);
  hart.writeCsr(0x300, (3n << 13n) | (BigInt(guest.privilege ?? 3) << 11n));
  for (const [register, value] of Object.entries({ 10: DATA, 11: TABLES, 12: CHAIN, 8: 1, 6: DATA }))
    hart.setX64(Number(register), BigInt(value));
  [3n, 3n, 5n, 0x4000000000000000n, 0x3ff8000000000001n].forEach((bits, i) => hart.setF64(i + 2, bits));
  hart.setX64(5, hart.readCsr(0x180));
  if (guest.name === 'writes of satp' || guest.name === 'writes of mstatus')
    hart.setX64(6, hart.readCsr(guest.privilege === 1 ? 0x180 : 0x300));
  guest.before?.(machine);
  hart.mepc = va(RAM);
  hart.mret();
  return machine;
}

const PIECE = 100_000;
const PIECES = 12;

/** Milliseconds of processor time of the median and the slowest piece, after the first two. */
export function measure(guest: Guest, engine: EngineName): { median: number; slowest: number } {
  const machine = prepare(guest, engine);
  const taken: number[] = [];
  for (let i = 0; i < PIECES; i++) {
    if (guest.snapshots) machine.snapshot();
    const before = process.cpuUsage();
    machine.run(tick(machine.tick + PIECE));
    const { user, system } = process.cpuUsage(before);
    taken.push((user + system) / 1000);
  }
  const sorted = taken.slice(2).sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1]!, slowest: Math.max(...taken) };
}

export function slowGuests(engines: readonly EngineName[]): void {
  for (const guest of GUESTS) {
    const columns = engines.map((engine) => {
      const { median, slowest } = measure(guest, engine);
      return `${engine} ${median.toFixed(1).padStart(6)} ms (slowest ${slowest.toFixed(1).padStart(6)})`;
    });
    console.log(`${guest.name.padEnd(48)} ${columns.join('   ')}`);
  }
}
