/**
 * RUN_SHADOW: an instance is forked from a template. Its space begins with the template's tables, in which writable pages are marked
 * (verify.ts); what it writes it gets copies of (enclave-tables.ts). So a fork costs a root table, the tables of the kbuffer and
 * nothing that grows with the template. Owns the instance's root, and the stack that templates keep ready.
 */
import { PAGE_SIZE, pa } from '../emulator/units';
import { InstanceParam, Result } from './abi';
import { entryArguments } from './control';
import type { Core } from './core';
import {
  eidPointerFits,
  hostSpace,
  mapShared,
  newEnclave,
  outPointers,
  readParam,
  shareWithHost,
  sharedRanges,
  tellCreated,
} from './create';
import { Mapper, pagesLeft, tablesFor } from './enclave-tables';
import { entryRegisters, start } from './lifecycle';
import { freeOwned } from './own-memory';
import { PageKind, aligned, claim, reuse, unshare } from './pages';
import { permitted } from './permission';
import { relayUndo, takeRelays } from './relays';
import type { Enclave, Pool } from './state';
import { answer, hide, show, type Task } from './task';
import { instance } from './types';

/** Where an instance's registers go on; the counter is what a program sees in a2. */
const RUN_COUNTER_MODULUS = 5;
/** The smallest pool a driver may give: the monitor's page, the root, and what the kbuffer needs. */
const MIN_POOL = 4 * PAGE_SIZE;

export function runShadow(m: Core, id: number, parameter: number): void {
  const shadow = m.state.shadows.get(id);
  if (!permitted(m, shadow, { operation: 'run', what: 'run_shadow_enclave' })) return;
  const param = readParam(m, parameter, InstanceParam.SIZE);
  if (!param) return refuse(m, 'the parameter block is not host memory');
  const { u64 } = param;
  const name = m.readName(param.bytes.subarray(InstanceParam.name));
  const [base, size] = [u64(InstanceParam.sptbr), u64(InstanceParam.size)];
  const eidPointer = u64(InstanceParam.eid_ptr);
  const [kbuffer, shm, shmSize] = [
    u64(InstanceParam.kbuffer),
    u64(InstanceParam.shm_paddr),
    u64(InstanceParam.shm_size),
  ];
  const pointers = ['ecall_arg0', 'ecall_arg1', 'ecall_arg2', 'ecall_arg3', 'retval'] as const;
  const out = outPointers(
    m,
    pointers.map((field) => u64(InstanceParam[field])),
  );
  // Without a pool, its pages are the monitor's.
  const poolFits = aligned(base) && aligned(size) && (size === 0 || size >= MIN_POOL);
  const [relay, relaySize] = [u64(InstanceParam.mm_arg_addr), u64(InstanceParam.mm_arg_size)];
  const taken = [[base, size] as const, [relay, relaySize] as const];
  if (!poolFits || !out || !eidPointerFits(m, eidPointer, taken))
    return refuse(m, 'the pool or the result pointers are not host memory');
  const pool: Pool = size === 0 ? { base: 0, size: 0, free: 0 } : { base, size, free: base + PAGE_SIZE };
  if (pagesLeft(m, { pool }) < 1 + tablesFor(PAGE_SIZE) + tablesFor(shmSize) + tablesFor(relaySize))
    return m.answer(Result.NO_MEM);
  const undoShare = shareWithHost(m, sharedRanges(kbuffer, shm, shmSize, out));
  if (!undoShare) return refuse(m, 'kbuffer or shared memory is not host memory');
  const unshareAll = () => undoShare.forEach((task) => task.do === 'unshare' && unshare(m, task.base, task.size));
  const number = instance(m.state.nextInstance);
  if (size > 0 && !claim(m, base, size, PageKind.Free, number)) {
    unshareAll();
    return refuse(m, 'the pool is not host memory');
  }
  const plan = takeRelays(m, name, number, relay, relaySize);
  m.update({ nextInstance: number + 1 });
  const undo: Task[] = [...(size > 0 ? [{ do: 'disown', base, size } as const, show(base, size)] : []), ...undoShare];
  if (!plan) return m.queue(...undo, answer(Result.ERROR));
  m.port.writeI64(pa(eidPointer), -1);

  // Page 0 of a pool is the monitor's.
  if (size > 0) {
    reuse(m, base, PAGE_SIZE, PageKind.Metadata, number);
    m.port.fill(pa(base), PAGE_SIZE, 0);
  }
  const common = { instance: number, name, root: 0, host: hostSpace(m), entry: shadow.entry, eidPointer };
  const shared = { kbuffer, shm: shmSize > 0 ? shm : 0, shmSize, out };
  const enclave: Enclave = {
    ...newEnclave(m, common, pool, 'NORMAL', shared),
    shadow: id,
    template: shadow.instance,
    hash: shadow.hash,
  };
  m.update({ undo: [freeOwned(number), ...undo, ...relayUndo(plan)] });
  const forked: Task & { do: 'forked' } = { do: 'forked', enclave, relays: plan.relays };
  const before = [...(size > 0 ? [hide(base, size)] : []), ...plan.tasks];
  // Most forks need nothing before: they get no step of their own.
  if (before.length > 0) return m.queue(...before, forked);
  if (forkFinished(m, forked) === 'failed') m.update({ tasks: m.state.undo, undo: [] });
}

function refuse(m: Core, why: string): void {
  m.log(`run_shadow_enclave: ${why}`);
  m.error();
}

/** The instance's space: a root with the template's tables, then what is its own. Then the instance exists and starts. */
export function forkFinished(m: Core, task: Task & { do: 'forked' }): 'failed' | undefined {
  const { relays } = task;
  const shadow = m.state.shadows.get(task.enclave.shadow!)!;
  const root = Mapper.of(m, task.enclave).takeRoot(shadow.root);
  const enclave = { ...task.enclave, root: root?.page ?? 0, pool: root?.pool ?? task.enclave.pool };
  const mapper = Mapper.of(m, enclave);
  const fits =
    root !== undefined &&
    mapShared(mapper, enclave) &&
    relays.every((relay) => mapper.map(relay.va, relay.pa, relay.size));
  if (!fits) {
    m.log('run_shadow_enclave: no room for kbuffer, shared memory and relay pages');
    return 'failed';
  }
  const total = relays.reduce((sum, relay) => sum + relay.size, 0);
  const counter = m.state.runCounter % RUN_COUNTER_MODULUS;
  m.update({ undo: [] });
  m.put({ ...enclave, pool: mapper.pool, relays });
  m.port.writeI64(pa(enclave.eidPointer), enclave.eid);
  tellCreated(m, enclave, 'NORMAL');
  start(m, enclave.eid, entryRegisters(enclave.entry, entryArguments(enclave, counter, total)));
  return undefined;
}
