/**
 * A small kernel's plan of memory and its everyday work (boot, page tables, pools, enclaves), done through a `PortKernel`, and the victim:
 * an enclave with a secret. Attacks begin where this ends.
 */
import assert from 'node:assert/strict';
import { va } from '../../../emulator/units';
import { CreateParam, InstanceParam, Pte, ResumeReason, RunParam, Sbi, SetPte } from '../../../monitor/abi';
import type { Instance } from '../../../monitor/types';
import { assemble } from '../../unit/assembler';
import { Code } from '../../unit/enclave-code';
import type { Race } from './racing';
import type { PortKernel, Word } from './kernel';
import { RAM } from './kernel';

export const MIB = 1024 * 1024;
export const PAGE = 4096;
export const RAM_START = 0x8000_0000;
/** Even, so that it can pass for an entry that is not valid. */
export const SECRET = 0x5ec2e6;

const [TABLES, TABLES_SIZE, ROOT_ORDER, MIDDLE_ORDER] = [RAM_START + 6 * MIB, 2 * MIB, 2, 4];
export const Layout = {
  bitmap: RAM_START + 4 * MIB,
  bitmapSize: 4 * (RAM / PAGE),
  tables: TABLES,
  tablesSize: TABLES_SIZE,
  rootOrder: ROOT_ORDER,
  middleOrder: MIDDLE_ORDER,
  /** Parts of the page-table area. The kernel's own: root[1], the last middle table, the last leaf tables. */
  root: TABLES,
  middle: TABLES + PAGE * 2 ** ROOT_ORDER,
  leaf: TABLES + PAGE * (2 ** ROOT_ORDER + 2 ** MIDDLE_ORDER),
  kernelRoot: TABLES + PAGE,
  kernelMiddle: TABLES + PAGE * (2 ** ROOT_ORDER + 2 ** MIDDLE_ORDER - 1),
  /** Host memory behind the guest's image. */
  scratch: RAM_START + 4 * MIB - 64 * 1024,
  /** Mapped page by page, for small things. */
  small: RAM_START + 8 * MIB,
  smallSize: 4 * MIB,
  /** Blocks of 2 MiB. */
  blocks: RAM_START + 12 * MIB,
} as const;

export const RWX = Pte.V + Pte.R + Pte.W + Pte.X + Pte.A + Pte.D;
export const pointer = (table: number): number => (table / PAGE) * 1024 + Pte.V;
export const leaf = (frame: number, flags = RWX): number => Math.floor(frame / PAGE) * 1024 + flags;
export const satpOf = (root: number, mode = 8n): bigint => (mode << 60n) | BigInt(root / PAGE);

export interface Made {
  readonly result: number;
  readonly eid: number;
  /** Parameters, results and kbuffer: two pages. */
  readonly page: number;
  /** The pool. Its fourth page is the code, at 0x1000, the fifth the data, at 0x2000. */
  readonly base: number;
}
export interface Parameters {
  readonly name?: string | Uint8Array;
  readonly type?: 'NORMAL' | 'SERVER' | 'SHADOW';
  readonly shm?: number;
  readonly shmSize?: number;
  readonly pool?: { readonly base: number; readonly size: number; readonly free: number };
  /** Fields of the parameter block put to other values. */
  readonly fields?: Partial<Record<Exclude<keyof typeof CreateParam, 'SIZE' | 'name'>, number>>;
}

const FAULTS: Readonly<Record<number, string>> = {
  2: 'illegal instruction',
  5: 'load access fault',
  7: 'store access fault',
  13: 'load page fault',
  15: 'store page fault',
};
export const faultName = (cause: bigint | number): string => FAULTS[Number(cause)] ?? `cause ${cause}`;

export class World {
  private nextSmall: number = Layout.small;
  private nextBlock: number = Layout.blocks;
  /** Enclaves whose memory must stay as it is. */
  readonly victims: Instance[] = [];
  race: Race | undefined;
  /** Is the kernel in its own space? */
  booted = false;

  constructor(readonly k: PortKernel) {}

  // ---- memory ---------------------------------------------------------------------------------------------------------------

  /** Pages from the part that is mapped page by page. */
  take(pages = 1): number {
    const at = this.nextSmall;
    this.nextSmall += pages * PAGE;
    assert.ok(this.nextSmall <= Layout.small + Layout.smallSize, 'small pages are left');
    return at;
  }

  block(): number {
    const at = this.nextBlock;
    this.nextBlock += 2 * MIB;
    assert.ok(this.nextBlock <= RAM_START + RAM, 'blocks are left');
    return at;
  }

  words(address: number, words: readonly Word[]): void {
    const view = new DataView(new ArrayBuffer(8 * words.length));
    words.forEach((word, i) => view.setBigUint64(8 * i, BigInt.asUintN(64, BigInt(word)), true));
    this.k.write(address, new Uint8Array(view.buffer));
  }

  /** A load: the value, or the name of its fault. */
  read(address: number): number | string {
    const [value, cause] = this.k.load(address);
    return cause === 0n ? Number(BigInt.asIntN(64, value)) : faultName(cause);
  }

  /** A store: 'done', or the name of its fault. */
  put(address: number, value: Word): string {
    const [, cause] = this.k.store(address, value);
    return cause === 0n ? 'done' : faultName(cause);
  }

  /** Enters a space: 'done', or the name of the fault. */
  enter(root: number, mode = 8n): string {
    const cause = this.k.satp(mode === 0n ? 0n : satpOf(root, mode));
    return cause === 0 ? 'done' : faultName(cause);
  }

  // ---- boot -----------------------------------------------------------------------------------------------------------------

  smInit(bitmap: number = Layout.bitmap, tables: number = Layout.tables): number {
    return this.k.call(Sbi.SM_INIT, tables, Layout.tablesSize, bitmap, Layout.bitmapSize, 0);
  }

  separate(): number {
    return this.k.call(Sbi.PT_AREA_SEPARATION, Layout.rootOrder, Layout.middleOrder);
  }

  setPte(address: number, value: Word): number {
    return this.k.call(Sbi.SET_PTE, SetPte.ONE, address, value);
  }

  /** The kernel's tables: all of RAM at its physical address, the small pages one by one. */
  mapKernel(): void {
    const pairs = Array.from({ length: RAM / (2 * MIB) }, (_, i) => [
      Layout.kernelMiddle + 8 * i,
      leaf(RAM_START + 2 * MIB * i),
    ]);
    pairs.push([Layout.kernelRoot + 16, pointer(Layout.kernelMiddle)]);
    this.words(Layout.scratch, pairs.flat());
    assert.equal(this.k.call(Sbi.SET_PTE, SetPte.BATCH_SET, Layout.scratch, pairs.length), 0);
    for (let i = 0; i < Layout.smallSize / (2 * MIB); i++) this.split(Layout.small + 2 * MIB * i, i);
  }

  /** Splits a large page of the kernel's with one of its own leaf tables, counted from the end of the area. */
  split(address: number, table: number): void {
    const entry = Layout.kernelMiddle + 8 * ((address - RAM_START) / (2 * MIB));
    const leaves = Layout.tables + Layout.tablesSize - PAGE * (table + 1);
    assert.equal(this.k.call(Sbi.MAP_PTE, entry, leaves), 0);
  }

  /** Turns paging on. */
  page(): this {
    this.mapKernel();
    assert.equal(this.enter(Layout.kernelRoot), 'done');
    this.booted = true;
    return this;
  }

  boot(): this {
    assert.equal(this.smInit(), 0);
    assert.equal(this.separate(), 0);
    return this.page();
  }

  /** Tables of a second space, by the rules: the kernel's half shared, VA 0 … 2 MiB behind leaf table 0. */
  secondSpace(): { root: number; leaf: number } {
    const root = Layout.root + 2 * PAGE;
    assert.equal(this.setPte(root + 16, pointer(Layout.kernelMiddle)), 0);
    assert.equal(this.setPte(root, pointer(Layout.middle)), 0);
    assert.equal(this.setPte(Layout.middle, pointer(Layout.leaf)), 0);
    return { root, leaf: Layout.leaf };
  }

  // ---- enclaves -------------------------------------------------------------------------------------------------------------

  /** What a driver builds: code at 0x1000, data at 0x2000 and (not for templates) a page of stack. */
  pool(source: string, stack = true): { base: number; size: number; free: number } {
    const base = this.block();
    const page = (i: number) => base + i * PAGE;
    const code = assemble(0x1000, source).bytes;
    assert.ok(code.length <= PAGE, 'the program fits in a page');
    this.k.write(page(3), code);
    const shown = (i: number, flags: number) => leaf(page(i), Pte.V + Pte.U + Pte.A + Pte.D + flags);
    // Root, then for the low part: middle 6, leaf table 7; for the stack: middle 8, leaf table 9.
    const top = 0x38_0000_0000 / PAGE - 1;
    this.words(page(1), [pointer(page(6))]);
    this.words(page(6), [pointer(page(7))]);
    this.words(page(7) + 8, [shown(3, Pte.R + Pte.X), shown(4, Pte.R + Pte.W + Pte.X)]);
    if (stack) {
      this.words(page(1) + 8 * Math.floor(top / 2 ** 18), [pointer(page(8))]);
      this.words(page(8) + 8 * (Math.floor(top / 512) & 511), [pointer(page(9))]);
      this.words(page(9) + 8 * (top & 511), [shown(5, Pte.R + Pte.W)]);
    }
    return { base, size: 2 * MIB, free: page(10) };
  }

  private nameBytes(name: string | Uint8Array): Uint8Array {
    const bytes = new Uint8Array(16);
    bytes.set(typeof name === 'string' ? new TextEncoder().encode(name) : name);
    return bytes;
  }

  create(source: string, parameters: Parameters = {}): Made {
    const { name = 'attacker', type = 'NORMAL', shm = 0, shmSize = 0, fields = {} } = parameters;
    const pool = parameters.pool ?? this.pool(source, type !== 'SHADOW');
    const page = this.take(2);
    const values: Record<string, number> = {
      eid_ptr: page + 512,
      paddr: pool.base,
      size: pool.size,
      entry_point: 0x1000,
      free_mem: pool.free,
      kbuffer: page + PAGE,
      kbuffer_size: PAGE,
      shm_paddr: shm,
      shm_size: shmSize,
      ...Object.fromEntries(
        ['ecall_arg0', 'ecall_arg1', 'ecall_arg2', 'ecall_arg3', 'retval'].map((field, i) => [
          field,
          page + 1024 + 8 * i,
        ]),
      ),
      ...fields,
    };
    const block = new Uint8Array(CreateParam.SIZE);
    const view = new DataView(block.buffer);
    for (const [field, value] of Object.entries(values))
      view.setBigUint64(CreateParam[field as keyof typeof CreateParam], BigInt(value), true);
    block.set(this.nameBytes(name), CreateParam.name);
    this.k.write(page, block);
    const result = this.k.call(
      { NORMAL: Sbi.CREATE_ENCLAVE, SERVER: Sbi.CREATE_SERVER_ENCLAVE, SHADOW: Sbi.CREATE_SHADOW_ENCLAVE }[type],
      page,
    );
    return { result, eid: result === 0 ? Number(this.k.load(page + 512)[0]) : -1, page, base: pool.base };
  }

  run(made: { eid: number; page: number }, relay = 0, relaySize = 0): number {
    this.words(made.page + 256 + RunParam.mm_arg_addr, [relay, relaySize]);
    return this.k.call(Sbi.RUN_ENCLAVE, made.eid, made.page + 256);
  }

  fork(
    shadow: number,
    fields: Partial<Record<Exclude<keyof typeof InstanceParam, 'SIZE' | 'name'>, number>> = {},
    name = 'instance',
  ): Made {
    const base = fields.sptbr ?? this.block();
    const page = this.take(2);
    const values: Record<string, number> = {
      sptbr: base,
      size: 2 * MIB,
      eid_ptr: page + 512,
      kbuffer: page + PAGE,
      ...Object.fromEntries(
        ['ecall_arg0', 'ecall_arg1', 'ecall_arg2', 'ecall_arg3', 'retval'].map((field, i) => [
          field,
          page + 1024 + 8 * i,
        ]),
      ),
      ...fields,
    };
    const block = new Uint8Array(InstanceParam.SIZE);
    const view = new DataView(block.buffer);
    for (const [field, value] of Object.entries(values))
      view.setBigUint64(InstanceParam[field as keyof typeof InstanceParam], BigInt(value), true);
    block.set(this.nameBytes(name), InstanceParam.name);
    this.k.write(page, block);
    const result = this.k.call(Sbi.RUN_SHADOW_ENCLAVE, shadow, page);
    return { result, eid: Number(BigInt.asIntN(64, this.k.load(page + 512)[0])), page, base };
  }

  resume(eid: number, reason: number = ResumeReason.TIMER, ...args: number[]): number {
    return this.k.call(Sbi.RESUME_ENCLAVE, eid, reason, ...args);
  }

  /** The value an enclave gave to EAPP_RETURN. */
  retval(made: { page: number }): number | string {
    return this.read(made.page + 1024 + 32);
  }

  /** Runs until the timer takes it off the hart, or it leaves by itself. */
  runFor(made: { eid: number; page: number }, ticks: number, relay = 0, relaySize = 0): number {
    this.k.timer(ticks);
    return this.run(made, relay, relaySize);
  }

  /** Marks an enclave or a template as one whose memory must not change. */
  victim<T extends { base: number }>(made: T): T {
    const { monitor } = this.k.target;
    const all = [...monitor.enclaves(), ...monitor.shadows()];
    this.victims.push(all.find(({ pool }) => pool.base === made.base)!.instance);
    return made;
  }

  /** An enclave with the secret at 0x2000, and `words` behind it, that was preempted. */
  keeper(words: readonly Word[] = []): Made & { secret: number } {
    const stores = [SECRET, ...words].map((word, i) => `li t1, ${word}\nsd t1, ${8 * i}(t0)`).join('\n');
    const made = this.create(`li t0, 0x2000\n${stores}\n${Code.loop}`, { name: 'keeper' });
    assert.equal(this.runFor(made, 300_000), 1);
    const secret = made.base + 4 * PAGE;
    assert.equal(this.k.target.machine.machinePort.readI64(va(secret) as never), SECRET);
    return this.victim({ ...made, secret });
  }

  /** A keeper that has the secret in a relay page, too, which the host's tables show page by page. */
  relayKeeper(): Made & { secret: number; relay: number } {
    const relay = this.take();
    const stores = `li t1, ${SECRET}\nli t0, 0x2000\nsd t1, 0(t0)\nli t0, 0x3800000000\nsd t1, 0(t0)`;
    const made = this.create(`${stores}\n${Code.loop}`, { name: 'relay-keeper' });
    assert.equal(this.runFor(made, 300_000, relay, PAGE), 1);
    return this.victim({ ...made, secret: made.base + 4 * PAGE, relay });
  }

  /** Tables in host memory that show a frame at VA 0 and, in its place, the kernel; their root. */
  ownTables(frame: number): number {
    const [root, middle, table] = [this.take(), this.take(), this.take()];
    this.words(root, [pointer(middle), 0, pointer(Layout.kernelMiddle)]);
    this.words(middle, [pointer(table)]);
    this.words(table, [leaf(frame)]);
    return root;
  }

  /** The last of the small pages, and its entry. */
  readonly lastSmall = Layout.small + Layout.smallSize - PAGE;
  readonly lastEntry = Layout.tables + Layout.tablesSize - 2 * PAGE + 8 * 511;

  /** Shows a frame in place of the last of the small pages: what SET_PTE said, and what was read there. */
  alias(frame: number): (number | string)[] {
    return [this.setPte(this.lastEntry, leaf(frame)), this.read(this.lastSmall)];
  }

  /** Shows a frame at VA 0 of the second space and reads there: what SET_PTE said, and what was read. */
  show(frame: number, offset = 0): (number | string)[] {
    const second = this.secondSpace();
    const result = this.setPte(second.leaf, leaf(frame));
    return [result, this.enter(second.root), this.read(offset)];
  }
}

export { Code };
