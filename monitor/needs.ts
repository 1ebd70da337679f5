/**
 * What an enclave's call writes and maps, made possible before the call does anything: pages it shares with its template are copied, and
 * when the memory for that, or for page tables, is missing, the call is put off until the host has given more. So no call fails half way
 * for want of memory. Owns the list of what each call writes.
 */
import { CallArg, EnclaveCall, EnclaveVa, Report } from './abi';
import { areaAt } from './areas';
import type { Core } from './core';
import { makeOwn, pagesLeft, readOnce, tablesFor } from './enclave-tables';
import { PAGE_SIZE } from '../emulator/units';
import type { Enclave } from './state';

/** What SHM_STAT writes: two 64-bit numbers. */
const SHM_STAT_SIZE = 16;
/** More than any call writes at once; longer arguments are refused by the calls themselves. */
const MAX_WRITE = 65536;

/** Pages that are missing for the call on the hart; 0 when it can be made. */
export function missingFor(m: Core, number: number, a0: number, a1: number, a2: number): number {
  const self = m.enclave(m.state.running)!;
  const writes = (address: number, size: number): number =>
    size > 0 && size <= MAX_WRITE ? makeOwn(m, self, address, size) : 0;
  switch (number) {
    case EnclaveCall.GET_REPORT:
      return writes(a1, Report.SIZE);
    case EnclaveCall.GET_KEY:
      return writes(a1, a2);
    case EnclaveCall.SHM_STAT:
      return writes(a1, SHM_STAT_SIZE);
    case EnclaveCall.CALL_ENCLAVE:
      return writes(a1, CallArg.SIZE) || missingForCall(m, self, a0, a1);
    case EnclaveCall.ENCLAVE_RETURN:
      return missingForReturn(m, self, a0);
    default:
      return 0;
  }
}

/** Bytes of the area or relay window at one of the addresses of a call_enclave_arg_t; 0 when there is none. */
function moved(m: Core, owner: Enclave, argument: number, field: 'req_vaddr' | 'resp_vaddr'): number {
  const bytes = readOnce(m, owner, argument, CallArg.SIZE);
  if (!bytes) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const word = (at: number) => view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
  const address = word(CallArg[field]);
  if (address === EnclaveVa.RELAY_BASE) return owner.relays[0]?.size ?? 0;
  return areaAt(m, owner, address, 1)?.size ?? 0;
}

function missingForCall(m: Core, caller: Enclave, handle: number, argument: number): number {
  const callee = Number.isInteger(handle) && handle >= 0 ? m.enclave(handle) : undefined;
  if (callee?.type !== 'SERVER' || callee.caller !== -1) return 0;
  return short(m, callee, tablesFor(PAGE_SIZE) + tablesFor(moved(m, caller, argument, 'req_vaddr')));
}

function missingForReturn(m: Core, callee: Enclave, argument: number): number {
  const caller = m.enclave(callee.caller);
  if (!caller || !callee.pendingCall) return 0;
  const tables =
    tablesFor(moved(m, callee, argument, 'req_vaddr')) + tablesFor(moved(m, callee, argument, 'resp_vaddr'));
  return makeOwn(m, caller, callee.pendingCall.argument, CallArg.SIZE) || short(m, caller, tables);
}

const short = (m: Core, enclave: Enclave, wanted: number): number => Math.max(0, wanted - pagesLeft(m, enclave));
