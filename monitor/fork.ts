/**
 * RUN_SHADOW: an instance is forked from a template. Writable pages are copied into the instance's pool, read-only ones are the
 * template's own; the stack is new. Owns the copy, cut into steps.
 */
import { PAGE_SIZE, pa } from '../emulator/units';
import { DEFAULT_STACK_SIZE, EnclaveVa, InstanceParam, Pte, Result } from './abi';
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
import { PAGES_PER_STEP, PAGE_TICKS } from './costs';
import { Mapper, walkTables, words32 } from './enclave-tables';
import { entryRegisters, start } from './lifecycle';
import { PageKind, aligned, claim, reuse, unshare } from './pages';
import { permitted } from './permission';
import { relayUndo, takeRelays } from './relays';
import { hide, show, type Task } from './task';
import { instance } from './types';

/** Where an instance's registers go on; the counter is what a program sees in a2. */
const RUN_COUNTER_MODULUS = 5;

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
  const poolFits = aligned(base) && aligned(size) && size >= 4 * PAGE_SIZE;
  const [relay, relaySize] = [u64(InstanceParam.mm_arg_addr), u64(InstanceParam.mm_arg_size)];
  const taken = [[base, size] as const, [relay, relaySize] as const];
  if (!poolFits || !out || !eidPointerFits(m, eidPointer, taken))
    return refuse(m, 'the pool or the result pointers are not host memory');
  const undoShare = shareWithHost(m, sharedRanges(kbuffer, shm, shmSize, out));
  if (!undoShare) return refuse(m, 'kbuffer or shared memory is not host memory');
  const unshareAll = () => undoShare.forEach((task) => task.do === 'unshare' && unshare(m, task.base, task.size));
  const number = instance(m.state.nextInstance);
  if (!claim(m, base, size, PageKind.Free, number)) {
    unshareAll();
    return refuse(m, 'the pool is not host memory');
  }
  const plan = takeRelays(m, name, number, relay, relaySize);
  m.update({ nextInstance: number + 1 });
  const undo: Task[] = [{ do: 'disown', base, size }, show(base, size), ...undoShare];
  if (!plan) return m.queue(...undo, { do: 'answer', value: Result.ERROR, detail: 0 });
  m.port.writeI64(pa(eidPointer), -1);

  // Page 0 is the monitor's, page 1 the root table.
  reuse(m, base, PAGE_SIZE, PageKind.Metadata, number);
  reuse(m, base + PAGE_SIZE, PAGE_SIZE, PageKind.Table, number);
  m.port.fill(pa(base), 2 * PAGE_SIZE, 0);
  const root = base / PAGE_SIZE + 1;
  const pool = { base, size, free: base + 2 * PAGE_SIZE };
  const common = { instance: number, name, root, host: hostSpace(m), entry: shadow.entry };
  const shared = { kbuffer, shm: shmSize > 0 ? shm : 0, shmSize, out };
  const enclave = {
    ...newEnclave(m, common, pool, 'NORMAL', shared),
    shadow: id,
    template: shadow.instance,
    hash: shadow.hash,
  };
  m.update({ undo: [...undo, ...relayUndo(plan)] });
  m.queue(
    hide(base, size),
    ...plan.tasks,
    { do: 'fork', shadow: id, at: 0, enclave },
    { do: 'forked', enclave, relays: plan.relays, eidPointer },
  );
}

function refuse(m: Core, why: string): void {
  m.log(`run_shadow_enclave: ${why}`);
  m.error();
}

/** Copies a few pages; `at` is the 27-bit index of the next page of the template. */
export function forkStep(m: Core, task: Task & { do: 'fork' }): Task | undefined | 'failed' {
  const shadow = m.state.shadows.get(task.shadow)!;
  const mapper = Mapper.of(m, task.enclave);
  let budget = PAGES_PER_STEP;
  let next: number | undefined;
  let full = false;
  const end = walkTables(m, shadow.root, task.at >> 9, 64, ({ table, vpn }) => {
    const words = words32(m.read(table, PAGE_SIZE));
    for (let i = Math.max(0, task.at - vpn); i < 512; i++) {
      const [low, high] = [words[2 * i]!, words[2 * i + 1]!];
      if (!(low & Pte.V)) continue;
      if (budget-- === 0) {
        next = vpn + i;
        return false;
      }
      const frame = Math.floor((high * 2 ** 32 + low) / 1024) * PAGE_SIZE;
      const own = low & Pte.W ? copyPage(m, mapper, frame) : frame;
      if (own === undefined || !mapper.map((vpn + i) * PAGE_SIZE, own, PAGE_SIZE, low % 1024)) {
        full = true;
        return false;
      }
    }
    return true;
  });
  const enclave = { ...task.enclave, pool: mapper.pool };
  if (full) {
    m.log('run_shadow_enclave: copy_page_table fail: the instance needs more memory than the driver gave');
    return 'failed';
  }
  if (typeof end === 'number') next = end * 512;
  if (next !== undefined) return { ...task, at: next, enclave };
  m.update({ tasks: m.state.tasks.map((other) => (other.do === 'forked' ? { ...other, enclave } : other)) });
  return undefined;
}

function copyPage(m: Core, mapper: Mapper, frame: number): number | undefined {
  const page = mapper.take(PageKind.Data);
  if (page !== undefined) m.port.write(pa(page), m.read(frame, PAGE_SIZE));
  m.cost += PAGE_TICKS;
  return page;
}

/** Stack, kbuffer, shared memory and relay pages; then the instance exists and starts. */
export function forkFinished(m: Core, task: Task & { do: 'forked' }): 'failed' | undefined {
  const { enclave, relays } = task;
  const mapper = Mapper.of(m, enclave);
  let fits = mapShared(mapper, enclave);
  for (let at = DEFAULT_STACK_SIZE; fits && at > 0; at -= PAGE_SIZE) {
    const page = mapper.take(PageKind.Data);
    fits = page !== undefined && mapper.map(EnclaveVa.STACK_TOP - at, page, PAGE_SIZE);
  }
  fits &&= relays.every((relay) => mapper.map(relay.va, relay.pa, relay.size));
  if (!fits) {
    m.log('run_shadow_enclave: no room for the stack in the memory the driver gave');
    return 'failed';
  }
  const total = relays.reduce((sum, relay) => sum + relay.size, 0);
  const counter = m.state.runCounter % RUN_COUNTER_MODULUS;
  m.update({ runCounter: m.state.runCounter + 1, undo: [] });
  m.put({ ...enclave, pool: mapper.pool, relays });
  m.port.writeI64(pa(task.eidPointer), enclave.eid);
  tellCreated(m, enclave, 'NORMAL', enclave.pool.base);
  start(m, enclave.eid, entryRegisters(enclave.entry, entryArguments(enclave, counter, total)));
  return undefined;
}
