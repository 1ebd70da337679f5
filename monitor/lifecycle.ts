/**
 * Between host and enclave: entering, leaving, and the end of an enclave. Owns what the hart looks like on either side and in which
 * order an enclave's memory goes back. Must never let the host see a page of an enclave before it is zeroed.
 */
import { Interrupt, type SavedRegisters } from '../emulator/hart/types';
import { newRegisters, savedPc, withRegisters } from '../emulator/hart/registers';
import { PAGE_SIZE, pa, va } from '../emulator/units';
import { Csr, EnclaveVa, ErrorDetail, Mstatus, Ocall, Result } from './abi';
import type { Core } from './core';
import { Mapper } from './enclave-tables';
import type { EnclaveEvent, Transition } from './events';
import { freeOwned } from './own-memory';
import { leaveShared } from './secure-shm';
import { chainOf, type Area, type Enclave } from './state';
import { answer, show, type Task, type OcallRequest } from './task';
import type { Instance } from './types';

const SUPERVISOR_INTERRUPTS =
  (1n << BigInt(Interrupt.SupervisorSoftware)) |
  (1n << BigInt(Interrupt.SupervisorTimer)) |
  (1n << BigInt(Interrupt.SupervisorExternal));

const TIMER = 1n << BigInt(Interrupt.MachineTimer);

export function transition(m: Core, name: Transition, from: Instance | undefined, to: Instance | undefined): void {
  m.emit({ kind: 'transition', name, from, to, tid: m.options.currentThread() });
}

/** Registers at an entry point: a0 … a4 as given, sp at the stack's top, everything else zero. */
export function entryRegisters(entry: number, args: readonly number[]) {
  return newRegisters({
    pc: entry,
    x: { 2: EnclaveVa.STACK_TOP, ...Object.fromEntries(args.map((a, i) => [10 + i, a])) },
  });
}

/**
 * Puts an enclave on the hart in place of the host that made an SBI call, or of the enclave that is on it. The timer stays the host's:
 * a deadline that has passed, seen by the host or not, takes the enclave off again at once, until the host sets another one.
 */
export function enter(m: Core, eid: number): void {
  const hart = m.hart;
  const enclave = m.enclave(eid)!;
  const fresh = m.state.hostContext === undefined;
  if (fresh) {
    m.update({
      hostContext: {
        registers: withRegisters(hart.saveRegisters(), { pc: hart.mepc }),
        satp: hart.readCsr(Csr.satp),
        mstatus: hart.readCsr(Csr.mstatus),
        mie: hart.readCsr(Csr.mie),
        medeleg: hart.readCsr(Csr.medeleg),
        mideleg: hart.readCsr(Csr.mideleg),
      },
    });
    // Everything that happens inside an enclave is the monitor's.
    hart.writeCsr(Csr.medeleg, 0n);
    hart.writeCsr(Csr.mideleg, 0n);
    const mie = hart.readCsr(Csr.mie) & ~SUPERVISOR_INTERRUPTS;
    hart.writeCsr(Csr.mie, mie | TIMER);
    hart.writeCsr(Csr.mstatus, hart.readCsr(Csr.mstatus) & ~(Mstatus.MPP | Mstatus.FS | Mstatus.SUM | Mstatus.MXR));
  }
  m.update({ running: eid });
  const { registers, ...rest } = m.enclave(eid)!;
  m.put({ ...rest, state: 'RUNNING' });
  hart.loadRegisters(registers!);
  hart.mepc = savedPc(registers!);
  hart.writeCsr(Csr.satp, (8n << 60n) | BigInt(enclave.root));
  hart.fenceVma();
  hart.mret();
}

/** Enters an enclave with these registers; RUN is told as an event. */
export function start(m: Core, eid: number, registers: SavedRegisters): void {
  const before = m.enclave(eid)!;
  const first = before.state === 'FRESH';
  // Only now: a RUN that is refused leaves owner and counter as they were. Whoever runs it owns it.
  m.change(eid, { registers, ocall: 0, ...(first ? { host: m.hart.space ?? -1 } : {}) });
  if (first) m.update({ runCounter: m.state.runCounter + 1 });
  transition(m, first ? 'run' : 'resume', undefined, before.instance);
  m.update({ undo: [] });
  enter(m, eid);
}

/** The registers of the enclave on the hart, `pc` being where it goes on. */
export function parkRegisters(m: Core, advance: number) {
  return withRegisters(m.hart.saveRegisters(), { pc: va(m.hart.mepc + advance) });
}

/** Saves the enclave on the hart and gives the hart back to the host, whose SBI call returns `value`. */
export function leave(m: Core, state: 'RUNNABLE' | 'OCALLING', value: number, advance: number, why: Transition): void {
  const enclave = m.change(m.state.running, { state, registers: parkRegisters(m, advance) });
  transition(m, why, enclave.instance, undefined);
  m.answer(value);
}

/** The enclave leaves for the host to do something; it goes on `advance` bytes after where it stands. */
export function leaveForOcall(m: Core, request: OcallRequest, advance = 4): void {
  publishOcall(m, m.change(m.state.running, { ocall: request.ocall, ocallArgs: request.kept }), request);
  leave(m, 'OCALLING', Result.OCALL, advance, 'ocall');
}

/** What the enclave just tried needs pages that the monitor has not: the host is asked for them, then the enclave tries again. */
export function leaveForMemory(m: Core, pages: number): void {
  const request = { ocall: Ocall.SHM_EXTEND_MEMORY, arg0: 0, arg1: pages * PAGE_SIZE, kept: [0, 0] as const };
  leaveForOcall(m, request, 0);
}

function publishOcall(m: Core, enclave: Enclave, { ocall, arg0, arg1 }: OcallRequest): void {
  const { out } = headOf(m, enclave);
  m.port.writeI64(pa(out.ocall), ocall);
  m.port.writeI64(pa(out.arg0), arg0);
  m.port.writeI64(pa(out.arg1), arg1);
  m.port.writeI64(pa(out.speaker), enclave.eid);
}

/** The host has answered an ocall, but there is another one first: memory that it gave goes back. */
export function tellOcall(m: Core, eid: number, request: OcallRequest): void {
  publishOcall(m, m.change(eid, { ocall: request.ocall, ocallArgs: request.kept }), request);
  m.answer(Result.OCALL);
}

/** The ocall is over: its result is in a0 of the enclave, which still is to be entered. */
export function finishOcall(m: Core, enclave: Enclave, result: number): void {
  m.change(enclave.eid, { ocall: 0, registers: withRegisters(enclave.registers!, { x: { 10: result } }) });
  transition(m, 'resume', undefined, enclave.instance);
}

/** The enclave the host ran, for an enclave of its chain. */
export function headOf(m: Core, enclave: Enclave): Enclave {
  return (enclave.top >= 0 ? m.enclave(enclave.top) : undefined) ?? enclave;
}

// ---- the end ----------------------------------------------------------------------------------------------------------------

/** Writes the list of an enclave's blocks into their first pages: {next u64, size u64}, the pool first, 0 ends it. */
function linkBlocks(m: Core, blocks: readonly { base: number; size: number }[]): void {
  blocks.forEach(({ base, size }, i) => {
    m.port.writeI64(pa(base), blocks[i + 1]?.base ?? 0);
    m.port.writeI64(pa(base + 8), size);
  });
}

/** Zeroes blocks but for the list in their first pages, and gives them to the host. */
export function releaseBlocks(m: Core, blocks: readonly { base: number; size: number }[]): Task[] {
  linkBlocks(m, blocks);
  return blocks.flatMap(({ base, size }): Task[] => [
    ...(m.checks.zeroFreed ? [{ do: 'zero', base: base + PAGE_SIZE, size: size - PAGE_SIZE, at: 0 } as const] : []),
    { do: 'disown', base, size },
    show(base, size),
  ]);
}

export const blockOf = (area: Area) => ({ base: area.block, size: area.blockSize });

/** Gives relay pages back to the host with their content. */
export function releaseRelays(enclave: Enclave): Task[] {
  return enclave.relays.flatMap(({ pa: base, size }): Task[] => [{ do: 'disown', base, size }, show(base, size)]);
}

function releaseShared(enclave: Enclave): Task[] {
  const tasks: Task[] = [];
  const pages = (base: number, size: number) => tasks.push({ do: 'unshare', base, size });
  if (enclave.kbuffer !== 0) pages(enclave.kbuffer, PAGE_SIZE);
  if (enclave.shmSize > 0) pages(enclave.shm, enclave.shmSize);
  pages(enclave.out.ocall - (enclave.out.ocall % PAGE_SIZE), PAGE_SIZE);
  return tasks;
}

/** Makes a server that worked for somebody idle again; the relay pages it was lent go back to the host. */
function idle(m: Core, server: Enclave): Task[] {
  const mapper = Mapper.of(m, server);
  mapper.unmap(EnclaveVa.KBUFFER, PAGE_SIZE);
  for (const relay of server.relays) mapper.unmap(relay.va, relay.size);
  const { registers: _registers, pendingCall: _call, ...rest } = server;
  const links = { caller: -1, top: -1, callee: -1 };
  m.put({ ...rest, ...links, state: 'RUNNABLE', relays: [], ocall: 0, pool: mapper.pool });
  return releaseRelays(server);
}

/**
 * What ends an enclave and everything that works for it: servers become idle, its own slot is free at once, its memory goes
 * back in the tasks returned. The last task is the caller's to add.
 */
export function endEnclave(
  m: Core,
  chain: readonly Enclave[],
  why: (EnclaveEvent & { kind: 'enclave-gone' })['why'],
  returnValue?: bigint,
): Task[] {
  const [head, ...servers] = chain;
  const tasks = servers.flatMap((server) => idle(m, server));
  const areas = [...[...head!.areas, ...head!.heap].map(blockOf), ...leaveShared(m, head!)];
  const pooled = head!.pool.size > 0;
  // The list of blocks begins in the pool, or where the driver reads an ocall's argument.
  if (!pooled) m.port.writeI64(pa(head!.out.arg0), areas[0]?.base ?? 0);
  const blocks = pooled ? [head!.pool, ...areas] : areas;
  if (m.checks.slotFreed) m.remove(head!);
  m.emit({
    kind: 'enclave-gone',
    instance: head!.instance,
    why,
    ...(returnValue === undefined ? {} : { returnValue }),
  });
  return [
    ...tasks,
    freeOwned(head!.instance),
    ...releaseBlocks(m, blocks),
    ...releaseRelays(head!),
    ...releaseShared(head!),
  ];
}

/** Ends the enclave on the hart (and its chain) after a fault or a call that is not allowed; RUN gets ERROR with detail 1. */
export function killRunning(m: Core, cause: number, address: number, what: string): void {
  const enclave = m.enclave(m.state.running)!;
  m.emit({ kind: 'enclave-fault', instance: enclave.instance, cause, address, what });
  m.log(`enclave ${enclave.eid}: ${what}`);
  // A step of its own, so that who listens can look at the enclave before it is gone.
  m.queue({ do: 'kill' });
}

/** The second half of `killRunning`: the enclave's registers are still on the hart. */
export function kill(m: Core): void {
  const enclave = m.enclave(m.state.running)!;
  m.queue(...endEnclave(m, chainOf(m.state, headOf(m, enclave)), 'fault'), answer(Result.ERROR, ErrorDetail.GONE));
}
