/**
 * CREATE, CREATE_SERVER, CREATE_SHADOW: from a pool in which the driver built page tables to an enclave. Owns the order: take the
 * pages, hide them, check the tables, map what is shared, measure. Must not believe anything the driver wrote.
 */
import { PAGE_SIZE, pa, space } from '../emulator/units';
import { CreateParam, DEFAULT_STACK_SIZE, EnclaveVa, Pte, Result } from './abi';
import type { Core } from './core';
import { freeId } from '../emulator/machine/sorted';
import { PAGE_TICKS } from './costs';
import { COPY_ON_WRITE, Mapper, READ_WRITE, pagesLeft, tablesFor } from './enclave-tables';
import { freeOwned } from './own-memory';
import { measure } from './measure';
import { PageKind, aligned, claim, isPublic, ordinary, reuse, share, unshare } from './pages';
import { isRefused, ruleFor } from './operations';
import { stateOf } from './permission';
import { serverNamed, withShadow, type Enclave, type OutPointers, type Shadow } from './state';
import { answer, hide, show, type AfterMeasure, type Task } from './task';
import { instance, type EnclaveType, type Instance } from './types';

/** A structure of 64-bit fields in host memory; undefined when it is not the host's to give. */
export function readParam(m: Core, address: number, size: number) {
  if (!Number.isSafeInteger(address) || address % 8 !== 0 || !m.holds('paramPublic', isPublic(m, address, size)))
    return undefined;
  const bytes = m.read(address, size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, size);
  return {
    bytes,
    /** Unsigned; values from 2^53 on are rounded, which no check accepts. */
    u64: (at: number) => view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true),
  };
}

/** The out pointers must lie in one page of host memory, so that keeping that page public keeps them all harmless. */
export function outPointers(m: Core, pointers: readonly number[]): OutPointers | undefined {
  const [ocall, arg0, arg1, speaker, retval] = pointers as [number, number, number, number, number];
  const page = ocall - (ocall % PAGE_SIZE);
  const fit = pointers.every((p) => Number.isSafeInteger(p) && p % 8 === 0 && p >= page && p < page + PAGE_SIZE);
  return m.holds('outPointers', fit && ordinary(m, page, PAGE_SIZE))
    ? { ocall, arg0, arg1, speaker, retval }
    : undefined;
}

/**
 * The monitor writes the new eid to host memory: not to what is private, nor to what becomes private by the same call (which would change
 * an enclave after it was measured).
 */
export function eidPointerFits(m: Core, pointer: number, taken: readonly (readonly [number, number])[]): boolean {
  const inside = taken.some(([base, size]) => pointer < base + size && base < pointer + 8);
  return pointer % 8 === 0 && m.holds('eidPointer', !inside && isPublic(m, pointer, 8));
}

/** What an enclave maps of the host's memory, shared or not at all; returns what undoes it, undefined when it can't be. */
export function shareWithHost(m: Core, ranges: readonly (readonly [number, number])[]): Task[] | undefined {
  const undo: Task[] = [];
  for (const [base, size] of ranges) {
    if (size === 0) continue;
    if (!share(m, base, size)) {
      for (const task of undo) if (task.do === 'unshare') unshare(m, task.base, task.size);
      return undefined;
    }
    undo.push({ do: 'unshare', base, size });
  }
  return undo;
}

/** The ranges `shareWithHost` needs for an enclave. */
export const sharedRanges = (kbuffer: number, shm: number, shmSize: number, out: OutPointers | undefined) =>
  [
    [kbuffer, kbuffer === 0 ? 0 : PAGE_SIZE],
    [shm, shmSize],
    ...(out ? [[out.ocall - (out.ocall % PAGE_SIZE), PAGE_SIZE] as const] : []),
  ] as const;

export function create(m: Core, type: EnclaveType, parameter: number): void {
  const param = readParam(m, parameter, CreateParam.SIZE);
  if (!param) return refuse(m, 'the parameter block is not host memory');
  const { u64 } = param;
  const name = m.readName(param.bytes.subarray(CreateParam.name));
  const [base, size, free] = [u64(CreateParam.paddr), u64(CreateParam.size), u64(CreateParam.free_mem)];
  const eidPointer = u64(CreateParam.eid_ptr);
  const template = type === 'SHADOW';
  const kbuffer = type === 'NORMAL' ? u64(CreateParam.kbuffer) : 0;
  const [shm, shmSize] = template ? [0, 0] : [u64(CreateParam.shm_paddr), u64(CreateParam.shm_size)];
  if (!aligned(base) || !aligned(size) || !aligned(free) || free <= base || free > base + size)
    return refuse(m, 'the pool is not a range of pages');
  const twin = type === 'SERVER' ? serverNamed(m.state, name) : undefined;
  const rule = ruleFor('create', type, twin ? stateOf(m.state, twin) : 'GONE');
  if (isRefused(rule)) {
    if (rule.hazard) m.hazard(rule.hazard, { name }, twin?.instance);
    if (m.checks.serverName) return refuse(m, `server already existed: ${name}`);
  }
  if (!eidPointerFits(m, eidPointer, [[base, size]])) return refuse(m, 'the eid pointer is not host memory');
  const pointers = ['ecall_arg0', 'ecall_arg1', 'ecall_arg2', 'ecall_arg3', 'retval'] as const;
  const out = template
    ? undefined
    : outPointers(
        m,
        pointers.map((field) => u64(CreateParam[field])),
      );
  if (!template && !out) return refuse(m, 'the result pointers are not in one page of host memory');
  if (pagesLeft(m, { pool: { base, size, free } }) < (template ? 1 : 0) + tablesFor(PAGE_SIZE) + tablesFor(shmSize))
    return m.answer(Result.NO_MEM);
  const undoShare = shareWithHost(m, sharedRanges(kbuffer, shm, shmSize, out));
  if (!undoShare) return refuse(m, 'kbuffer or shared memory is not host memory');
  const number = instance(m.state.nextInstance);
  if (!claim(m, base, size, PageKind.Free, number)) {
    for (const task of undoShare) if (task.do === 'unshare') unshare(m, task.base, task.size);
    return refuse(m, 'the pool is not host memory');
  }
  m.update({ nextInstance: number + 1 });
  reuse(m, base, PAGE_SIZE, PageKind.Metadata, number);
  const root = base / PAGE_SIZE + 1;
  const entry = u64(CreateParam.entry_point);
  const common = { instance: number, name, root, host: hostSpace(m), entry, eidPointer };
  const pool = { base, size, free };
  m.queue(hide(base, size), { do: 'verify', root, base, free, instance: number, template, at: 0 });
  m.update({
    undo: [freeOwned(number), { do: 'disown', base, size }, show(base, size), ...undoShare, answer(Result.ERROR)],
  });
  if (template) {
    const id = freeId(m.state.shadowIds);
    const shadow: Shadow = { ...common, id, pool, hash: new Uint8Array(32), state: 'FRESH', instances: 0 };
    m.queue(measure(m, root, entry, 0n, { kind: 'shadow', shadow }));
  } else {
    const enclave = newEnclave(m, common, pool, type as 'NORMAL' | 'SERVER', { kbuffer, shm, shmSize, out: out! });
    m.queue({ do: 'attach', enclave }, measure(m, root, entry, 0n, { kind: 'enclave', enclave }));
  }
}

export function newEnclave(
  m: Core,
  common: { instance: Instance; name: string; root: number; host: number; entry: number; eidPointer: number },
  pool: Enclave['pool'],
  type: 'NORMAL' | 'SERVER',
  shared: { kbuffer: number; shm: number; shmSize: number; out: OutPointers },
): Enclave {
  return {
    ...common,
    ...shared,
    eid: freeId(m.state.eids),
    type,
    state: type === 'SERVER' ? 'RUNNABLE' : 'FRESH',
    pool,
    areas: [],
    acquired: [],
    heap: [],
    relays: [],
    shared: [],
    caller: -1,
    top: -1,
    callee: -1,
    ocall: 0,
    ocallArgs: [0, 0],
    hash: new Uint8Array(32),
  };
}

/** satp.PPN of the host process that calls, -1 in Bare mode. */
export const hostSpace = (m: Core): number => m.hart.space ?? -1;

function refuse(m: Core, why: string): void {
  m.log(`create: ${why}`);
  m.error();
}

/** Maps kbuffer and shared memory; what the mapper leaves of the pool goes into the tasks that follow. */
export function createAttached(m: Core, enclave: Enclave): 'failed' | undefined {
  const mapper = Mapper.of(m, enclave);
  if (!mapShared(mapper, enclave)) {
    m.log('create: no room for kbuffer and shared memory in the page tables');
    return 'failed';
  }
  const attached = { ...enclave, pool: mapper.pool };
  const tasks = m.state.tasks.map((task): Task =>
    task.do === 'measure' && task.then.kind === 'enclave'
      ? { ...task, then: { ...task.then, enclave: attached } }
      : task,
  );
  m.update({ tasks });
  return undefined;
}

export function mapShared(mapper: Mapper, enclave: Enclave): boolean {
  return (
    (enclave.kbuffer === 0 || mapper.map(EnclaveVa.KBUFFER, enclave.kbuffer, PAGE_SIZE)) &&
    (enclave.shmSize === 0 || mapper.map(EnclaveVa.SHM_BASE, enclave.shm, enclave.shmSize))
  );
}

/** The measurement is made: the enclave exists. */
export function createMeasured(m: Core, then: AfterMeasure & { kind: 'enclave' | 'shadow' }, hash: Uint8Array): void {
  if (then.kind === 'enclave') {
    const { enclave } = then;
    m.put({ ...enclave, hash });
    m.port.writeI64(pa(enclave.eidPointer), enclave.eid);
    tellCreated(m, enclave, enclave.type);
  } else {
    const shadow = prepareStack(m, { ...then.shadow, hash });
    if (!shadow) {
      m.log('create: no room for the stack of instances');
      return m.update({ tasks: m.state.undo, undo: [] });
    }
    m.update({ ...withShadow(m.state, shadow), runCounter: 0 });
    m.port.writeI64(pa(shadow.eidPointer), shadow.id);
    tellCreated(m, shadow, 'SHADOW');
  }
  m.answer(Result.SUCCESS);
}

export function tellCreated(
  m: Core,
  made: Pick<Enclave | Shadow, 'instance' | 'name' | 'root' | 'eidPointer'> &
    (Pick<Enclave, 'eid' | 'template'> | Pick<Shadow, 'id'>),
  type: EnclaveType,
): void {
  const template = 'template' in made ? made.template : undefined;
  const { eid, pid, imageHash } = m.options.describe(made.eidPointer) ?? { eid: 0, pid: 0, imageHash: '' };
  m.emit({
    kind: 'enclave-created',
    instance: made.instance,
    type,
    name: made.name,
    space: space(made.root),
    eid,
    monitorEid: 'id' in made ? made.id : made.eid,
    pid,
    imageHash,
    ...(template === undefined ? {} : { template }),
  });
}

/**
 * The stack of instances to come, ready in the template's tables: one page of zeros shows everywhere in it. It is no part of what was
 * measured. False when the template maps something there, or memory is short.
 */
function prepareStack(m: Core, shadow: Shadow): Shadow | undefined {
  const mapper = Mapper.of(m, { ...shadow, template: undefined });
  const zeros = mapper.take(PageKind.Data);
  let fits = zeros !== undefined;
  for (let at = DEFAULT_STACK_SIZE; fits && at > 0; at -= PAGE_SIZE)
    fits = mapper.map(EnclaveVa.STACK_TOP - at, zeros!, PAGE_SIZE, READ_WRITE - Pte.W + COPY_ON_WRITE);
  m.cost += PAGE_TICKS;
  return fits ? { ...shadow, pool: mapper.pool } : undefined;
}
