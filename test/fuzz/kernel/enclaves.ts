/** What a hostile kernel asks the monitor about enclaves: CREATE to DESTROY with arguments of a driver, and with others. */
import { PAGE_SIZE } from '../../../emulator/units';
import { CreateParam, EnclaveVa, InstanceParam, Ocall, Pte, ResumeReason, Sbi } from '../../../monitor/abi';
import { ruleFor, type Operation } from '../../../monitor/operations';
import { kindOf, shadowStateOf, stateOf } from '../../../monitor/permission';
import { innermost, type Enclave, type Shadow } from '../../../monitor/state';
import { leaf, pointer } from '../../integration/attacks/world';
import { NAMES, ENTRY } from '../enclave/agent';
import { mostly, odd, textWords, weighted } from '../values';
import type { KernelWorld } from './world';

type Fields<T> = Partial<Record<keyof T, bigint>>;
const RESULTS = ['ecall_arg0', 'ecall_arg1', 'ecall_arg2', 'ecall_arg3', 'retval'] as const;
const CREATES = { NORMAL: Sbi.CREATE_ENCLAVE, SERVER: Sbi.CREATE_SERVER_ENCLAVE, SHADOW: Sbi.CREATE_SHADOW_ENCLAVE };
/** Pages of a pool that its tables and what they show take. */
const USED = 10;

/** A pool as a driver builds it (see the attacks' world); once in a while an entry of its tables is something else. */
function buildPool(w: KernelWorld, template: boolean): { base: number; size: number; free: number } {
  const { r } = w;
  const pages = r.pick([12, 16, 16, 32]);
  const base = w.freePages(pages);
  const page = (i: number) => base + i * PAGE_SIZE;
  const shown = (i: number, flags: number) => leaf(page(i), Pte.V + Pte.U + Pte.A + Pte.D + flags);
  const put = (at: number, value: number | bigint) => w.putWords(at, [BigInt(value)]);
  const top = EnclaveVa.STACK_TOP / PAGE_SIZE - 1;
  w.zero(base, USED);
  w.write(page(3), w.code);
  const entries: [number, number][] = [
    [page(1), pointer(page(6))],
    [page(6), pointer(page(7))],
    [page(7) + 8, shown(3, Pte.R + Pte.X)],
    [page(7) + 16, shown(4, Pte.R + Pte.W)],
  ];
  if (!template)
    entries.push(
      [page(1) + 8 * Math.floor(top / 2 ** 18), pointer(page(8))],
      [page(8) + 8 * (Math.floor(top / 512) & 511), pointer(page(9))],
      [page(9) + 8 * (top & 511), shown(5, Pte.R + Pte.W)],
    );
  for (const [at, value] of entries) put(at, value);
  if (r.once(12)) {
    const [at, value] = r.pick(entries);
    put(at + (r.once(2) ? 0 : 8 * r.below(8)), r.once(2) ? leaf(w.anyFrame(), r.below(1024)) : odd(r, value));
  }
  return { base, size: pages * PAGE_SIZE, free: page(USED) };
}

/** A parameter block in the page for them. */
function block<T extends object>(w: KernelWorld, layout: T, size: number, fields: Fields<T>, name: string): number {
  const words = Array.from({ length: size / 8 }, () => 0n);
  for (const [field, value] of Object.entries(fields))
    words[(layout as Record<string, number>)[field]! / 8] = value as bigint;
  const at = (layout as { name?: number }).name! / 8;
  textWords(name).forEach((word, i) => (words[at + i] = word));
  if (w.r.once(15)) words[w.r.below(words.length)] = odd(w.r, w.r.pick(words));
  w.putWords(w.param, words);
  return w.param;
}

/** Pointers to results in a page of their own, as fields. */
function results(w: KernelWorld) {
  const page = w.freePages(1);
  const at = (field: string, i: number) => [field, BigInt(page + 8 * i)] as const;
  return { page, fields: Object.fromEntries([...RESULTS, 'eid_ptr'].map(at)) };
}

const nameFor = (w: KernelWorld): string => (w.r.once(20) ? 'sixteen-letters!' : w.r.pick(NAMES));

/** Memory the host shares with an enclave, sometimes. */
function shm(w: KernelWorld): { shm_paddr: bigint; shm_size: bigint } {
  if (!w.r.once(4)) return { shm_paddr: 0n, shm_size: 0n };
  const pages = w.r.between(1, 2);
  return { shm_paddr: BigInt(w.freePages(pages)), shm_size: BigInt(pages * PAGE_SIZE) };
}

export function create(w: KernelWorld): void {
  const type = weighted(w.r, [
    [5, 'NORMAL'],
    [2, 'SERVER'],
    [2, 'SHADOW'],
  ] as const);
  const { base, size, free } = buildPool(w, type === 'SHADOW');
  const fields: Fields<typeof CreateParam> = {
    paddr: BigInt(base),
    size: BigInt(size),
    entry_point: mostly(w.r, ENTRY, 40),
    free_mem: BigInt(free),
    kbuffer: BigInt(w.freePages(1, [base, size])),
    kbuffer_size: BigInt(PAGE_SIZE),
    ...shm(w),
    ...results(w).fields,
  };
  w.call('sbi', `CREATE ${type}`, CREATES[type], [block(w, CreateParam, CreateParam.SIZE, fields, nameFor(w))]);
}

/** Relay memory for a run: none, some, what was transferred, or what should not be. */
function relay(w: KernelWorld): [bigint, bigint] {
  switch (w.r.below(5)) {
    case 0:
    case 1: {
      const pages = w.r.between(1, 3);
      return [mostly(w.r, w.freePages(pages)), mostly(w.r, pages * PAGE_SIZE)];
    }
    case 2:
      return w.state.transferred.length > 0 || w.r.once(4) ? [0xffffn, 0n] : [0n, 0n];
    default:
      return [0n, 0n];
  }
}

/** An enclave that exists; of those `fits` allows if there is one; or a number that names none. */
function subject(w: KernelWorld, fits: (enclave: Enclave) => boolean): Enclave | number {
  const all = [...w.monitor.enclaves()];
  const fitting = all.filter((enclave) => enclave.host === w.space && fits(enclave));
  if (w.r.once(25)) return Number(odd(w.r, all.length) & 0xffffn);
  if (fitting.length > 0 && !w.r.once(8)) return w.r.pick(fitting);
  return all.length > 0 ? w.r.pick(all) : w.r.below(4);
}
const numberOf = (made: Enclave | number): number => (typeof made === 'number' ? made : made.eid);
const known = (w: KernelWorld, made: Enclave | number): Enclave | undefined =>
  typeof made === 'number' ? w.monitor.enclave(made) : made;

/** What the table of operations says about an operation on an enclave, now. */
function ruling(w: KernelWorld, operation: Operation, made: Enclave | Shadow | undefined, named = 0) {
  if (!made) return ruleFor(operation, 'NORMAL', 'GONE');
  const asks = named > 0 ? named : w.space;
  const state = 'eid' in made ? stateOf(w.state, made) : shadowStateOf(made);
  const foreign = operation !== 'run' && made.host !== asks;
  return ruleFor(operation, kindOf(made), foreign ? 'FOREIGN' : state);
}

const isFresh = ({ state, type }: Enclave): boolean => state === 'FRESH' && type === 'NORMAL';

export function run(w: KernelWorld): void {
  if (!w.monitor.enclaves().some(isFresh) && !w.r.once(6)) return create(w);
  const made = subject(w, isFresh);
  w.putWords(w.param, relay(w));
  w.alarm();
  const rule = ruling(w, 'run', known(w, made));
  w.call('sbi', 'RUN', Sbi.RUN_ENCLAVE, [numberOf(made), w.mostlyParam()], rule);
}

export function fork(w: KernelWorld): void {
  const shadows = [...w.monitor.shadows()];
  if (shadows.length === 0 && !w.r.once(6)) return create(w);
  const shadow = shadows.length > 0 && !w.r.once(12) ? w.r.pick(shadows) : undefined;
  const ownPool = w.r.once(2);
  const pages = w.r.between(8, 24);
  const base = ownPool ? w.freePages(pages) : 0;
  const [address, size] = relay(w);
  const fields: Fields<typeof InstanceParam> = {
    sptbr: BigInt(base),
    size: BigInt(ownPool ? pages * PAGE_SIZE : 0),
    kbuffer: BigInt(w.freePages(1, [base, pages * PAGE_SIZE])),
    mm_arg_addr: address,
    mm_arg_size: size,
    ...shm(w),
    ...results(w).fields,
  };
  const at = block(w, InstanceParam, InstanceParam.SIZE, fields, nameFor(w));
  w.alarm();
  const id = shadow?.id ?? w.r.below(6);
  w.call('sbi', 'RUN_SHADOW', Sbi.RUN_SHADOW_ENCLAVE, [id, at], ruling(w, 'run', w.shadow(id)));
}

/** RESUME for the reason that fits its state, mostly. */
export function resume(w: KernelWorld): void {
  const waits = ({ state, type }: Enclave) => ['RUNNABLE', 'OCALLING', 'STOPPED'].includes(state) && type === 'NORMAL';
  if (!w.monitor.enclaves().some((enclave) => enclave.host === w.space && waits(enclave)) && !w.r.once(6))
    return run(w);
  const made = subject(w, waits);
  const enclave = known(w, made);
  const inner = enclave && innermost(w.state, enclave);
  const fitting =
    inner?.state === 'OCALLING'
      ? ResumeReason.OCALL
      : enclave?.state === 'STOPPED'
        ? ResumeReason.STOP
        : ResumeReason.TIMER;
  const reason = w.r.once(10) ? w.r.below(4) : fitting;
  w.alarm();
  if (reason === ResumeReason.OCALL) return answerOcall(w, made, inner);
  const operation = reason === ResumeReason.STOP ? 'resumeStop' : 'resumeTimer';
  const rule = reason <= 1 ? ruling(w, operation, enclave) : undefined;
  w.call('sbi', `RESUME ${reason}`, Sbi.RESUME_ENCLAVE, [numberOf(made), reason, 0], rule);
}

function answerOcall(w: KernelWorld, made: Enclave | number, inner: Enclave | undefined): void {
  const ocall = inner?.ocall ?? Ocall.SYS_WRITE;
  const [a3, a4] = grantFor(w, ocall, inner);
  const id = mostly(w.r, ocall, 25);
  const rule = ruling(w, 'resumeOcall', known(w, made));
  w.call('sbi', 'RESUME 2', Sbi.RESUME_ENCLAVE, [numberOf(made), ResumeReason.OCALL, id, a3, a4], rule);
}

/** What a driver gives for an ocall. */
function grantFor(w: KernelWorld, ocall: number, inner: Enclave | undefined): [bigint, bigint] {
  const some = (pages: number): [bigint, bigint] => [
    mostly(w.r, w.freePages(pages), 20),
    mostly(w.r, pages * PAGE_SIZE, 20),
  ];
  const wanted = Math.ceil((inner?.ocallArgs[1] ?? 0) / PAGE_SIZE);
  switch (ocall) {
    case Ocall.MMAP:
    case Ocall.SBRK:
    case Ocall.SHM_GET:
      return w.r.once(20) ? [0n, 0n] : some(2 ** Math.ceil(Math.log2(Math.max(0, wanted) + 1)));
    case Ocall.RETURN_RELAY_PAGE:
      return w.r.once(3) ? [0n, 0n] : some(w.r.between(1, 2));
    case Ocall.SHM_EXTEND_MEMORY:
      extend(w);
      return [0n, 0n];
    default:
      return [w.r.once(10) ? odd(w.r) : 0n, 0n];
  }
}

export function stop(w: KernelWorld): void {
  const runnable = ({ state, type }: Enclave) => state === 'RUNNABLE' && type === 'NORMAL';
  if (!w.monitor.enclaves().some(runnable) && !w.r.once(6)) return run(w);
  const made = subject(w, runnable);
  const named = w.r.once(10) ? w.r.below(1000) : 0;
  const rule = ruling(w, 'stop', known(w, made), named);
  w.call('sbi', 'STOP', Sbi.STOP_ENCLAVE, [numberOf(made), named], rule, true);
}

export function destroy(w: KernelWorld): void {
  const made = subject(w, () => true);
  const enclave = known(w, made);
  const fid = (enclave?.type === 'SERVER') !== w.r.once(12) ? Sbi.DESTROY_SERVER_ENCLAVE : Sbi.DESTROY_ENCLAVE;
  const rule = ruling(w, 'destroy', enclave);
  const fits = enclave && (enclave.type === 'SERVER') === (fid === Sbi.DESTROY_SERVER_ENCLAVE);
  w.call('sbi', 'DESTROY', fid, [numberOf(made), 0, w.r.below(2)], fits ? rule : undefined, true);
}

export function destroyShadow(w: KernelWorld): void {
  const shadows = [...w.monitor.shadows()];
  const unused = shadows.filter(({ instances }) => instances === 0);
  const pick = unused.length > 0 && !w.r.once(3) ? unused : shadows;
  const id = pick.length > 0 && !w.r.once(8) ? w.r.pick(pick).id : w.r.below(8);
  w.call('sbi', 'DESTROY_SHADOW', Sbi.DESTROY_SHADOW_ENCLAVE, [id, 0, 0], ruling(w, 'destroy', w.shadow(id)), true);
}

export function attest(w: KernelWorld): void {
  const shadow = w.r.once(4);
  const made = subject(w, ({ state }) => state === 'FRESH' || state === 'STOPPED');
  const id = shadow ? (w.monitor.shadows()[0]?.id ?? 0) : numberOf(made);
  const rule = ruling(w, 'attest', shadow ? w.shadow(id) : known(w, made));
  const fid = shadow ? Sbi.ATTEST_SHADOW_ENCLAVE : Sbi.ATTEST_ENCLAVE;
  w.call('sbi', 'ATTEST', fid, [id, w.mostlyParam(512), w.r.word()], rule);
}

/** Memory for the monitor, from the pages shown one by one or as a whole large page. */
export function extend(w: KernelWorld): void {
  const pages = w.r.between(4, 32);
  const large = w.r.once(6);
  const at = large ? w.freeBlock() : w.freePages(pages);
  const size = large ? 512 * PAGE_SIZE : pages * PAGE_SIZE;
  if (w.state.memory.free < 1500 || w.r.once(10))
    w.call('sbi', 'MEMORY_EXTEND', Sbi.MEMORY_EXTEND, [mostly(w.r, at, 15), mostly(w.r, size, 15)]);
}

export function memory(w: KernelWorld): void {
  const { r } = w;
  const waiting =
    w.state.transferred.length > 0 ? r.pick(w.state.transferred) : { pa: w.freePages(1), size: PAGE_SIZE };
  weighted<() => void>(r, [
    [3, () => extend(w)],
    [3, () => w.call('sbi', 'MEMORY_RECLAIM', Sbi.MEMORY_RECLAIM, [])],
    [3, () => w.call('sbi', 'RELAY_RELEASE', Sbi.RELAY_RELEASE, [mostly(r, waiting.pa), mostly(r, waiting.size)])],
    [1, () => w.call('sbi', 'SCHRODINGER_INIT', Sbi.SCHRODINGER_INIT, [mostly(r, w.freePages(1), 3), PAGE_SIZE])],
    [1, () => w.call('sbi', 'DEBUG_PRINT', Sbi.DEBUG_PRINT, [])],
    [1, () => w.call('sbi', 'unknown function', r.between(60, 120) * 1000, [odd(r), odd(r), odd(r)])],
    [
      1,
      () => w.call('sbi', 'SM_INIT', Sbi.SM_INIT, [w.freeBlock(), 512 * PAGE_SIZE, w.freeBlock(), 512 * PAGE_SIZE, 0]),
    ],
    [1, () => w.call('sbi', 'PT_AREA_SEPARATION', Sbi.PT_AREA_SEPARATION, [r.below(5), r.below(5)])],
  ])();
}
