/**
 * call_enclave and SERVER_RETURN: control and memory pass from one enclave to another without the host. Owns the hand-over of
 * request and response areas and of the relay window, and the links of the chain. A page always belongs to one of them only.
 */
import { PAGE_SIZE } from '../emulator/units';
import { withRegisters } from '../emulator/hart/registers';
import { CallArg, EnclaveVa, Result } from './abi';
import { areaAt, belowAreas, insertArea, placeFree, type Reply } from './areas';
import type { Core } from './core';
import { Mapper, readOnce, writable, writeVirtual } from './enclave-tables';
import { enter, entryRegisters, headOf, parkRegisters, transition } from './lifecycle';
import { isRefused, ruleFor } from './operations';
import { hex } from './hazards';
import { kindOf, stateOf } from './permission';
import { PageKind, reuse } from './pages';
import type { Area, CallArgument as Argument, Enclave } from './state';

/** Read once per call; undefined where the enclave could not read it, or not write the answer. */
function readArgument(m: Core, enclave: Enclave, address: number): Argument | undefined {
  if (!writable(m, enclave, address, CallArg.SIZE)) return undefined;
  const bytes = readOnce(m, enclave, address, CallArg.SIZE);
  if (!bytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const number = (at: number) => view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
  return {
    req_arg: view.getBigUint64(CallArg.req_arg, true),
    resp_val: view.getBigUint64(CallArg.resp_val, true),
    req_vaddr: number(CallArg.req_vaddr),
    req_size: view.getBigUint64(CallArg.req_size, true),
    resp_vaddr: number(CallArg.resp_vaddr),
    resp_size: view.getBigUint64(CallArg.resp_size, true),
  };
}

function writeArgument(m: Core, enclave: Enclave, address: number, argument: Argument): void {
  const view = new DataView(new ArrayBuffer(CallArg.SIZE));
  for (const [field, value] of Object.entries(argument) as [keyof Argument, bigint | number][])
    view.setBigUint64(CallArg[field], BigInt(value), true);
  writeVirtual(m, enclave, address, new Uint8Array(view.buffer));
}

const wholePages = (address: number, size: number): boolean =>
  address % PAGE_SIZE === 0 && size % PAGE_SIZE === 0 && size >= PAGE_SIZE;

/** Moves an mmap area between enclaves, to `at` if that is free there, else below the lowest area; its new start. */
function moveArea(m: Core, from: number, to: number, area: Area, at: number): number | undefined {
  const target = m.enclave(to)!;
  const start = placeFree(target, at, area.size) ? at : belowAreas(target, area.size);
  const mapper = Mapper.of(m, target);
  const fits = placeFree(target, start, area.size) && mapper.map(start, area.block + PAGE_SIZE, area.size);
  m.change(to, { pool: mapper.pool });
  if (!fits) return undefined;
  const source = m.enclave(from)!;
  Mapper.of(m, source).unmap(area.start, area.size);
  m.change(from, { areas: source.areas.filter((other) => other !== area) });
  reuse(m, area.block, area.blockSize, PageKind.Data, target.instance);
  m.change(to, { areas: insertArea(m.enclave(to)!.areas, { ...area, start }) });
  return start;
}

/** Moves the relay region at 0x3800000000 between enclaves; it shows there in either. Others that they own stay where they are. */
function moveRelay(m: Core, from: number, to: number, size: number): boolean {
  const source = m.enclave(from)!;
  const target = m.enclave(to)!;
  const region = source.relays.find(({ va }) => va === EnclaveVa.RELAY_BASE);
  if (!region || size > region.size) return false;
  const mapper = Mapper.of(m, target);
  const fits = mapper.map(EnclaveVa.RELAY_BASE, region.pa, region.size);
  m.change(to, { pool: mapper.pool });
  if (!fits) return false;
  Mapper.of(m, source).unmap(region.va, region.size);
  m.change(from, { relays: source.relays.filter((other) => other !== region) });
  reuse(m, region.pa, region.size, PageKind.Relay, target.instance);
  m.change(to, { relays: [region, ...target.relays] });
  return true;
}

/** The request area for a call, moved; its address in the callee, 0 for none, undefined when the request is bad. */
function passRequest(m: Core, caller: Enclave, callee: Enclave, argument: Argument): number | undefined {
  const { req_vaddr } = argument;
  const req_size = Number(argument.req_size);
  if (req_vaddr === 0) return 0;
  if (!wholePages(req_vaddr, req_size)) return undefined;
  if (req_vaddr === EnclaveVa.RELAY_BASE)
    return moveRelay(m, caller.eid, callee.eid, req_size) ? EnclaveVa.RELAY_BASE : undefined;
  const area = areaAt(m, caller, req_vaddr, req_size);
  return area && moveArea(m, caller.eid, callee.eid, area, area.start);
}

/** What is wrong with the argument of a call, for a person. */
function argumentProblem(address: number, argument: Argument | undefined): string {
  if (!argument) return `struct call_enclave_arg_t at ${hex(address)} is not mapped memory`;
  const { req_vaddr } = argument;
  const req_size = Number(argument.req_size);
  const range = `req_vaddr ${hex(req_vaddr)}, req_size ${hex(req_size)}`;
  return wholePages(req_vaddr, req_size)
    ? `${range} lies in no area of eapp_mmap and is not the relay page`
    : `${range} are not whole pages`;
}

/** acquire_enclave or get_report with a name (undefined: a bad pointer) that no living server has. */
export function raiseUnknown(m: Core, name: string | undefined): void {
  m.hazard(ruleFor('acquire', 'SERVER', 'GONE').hazard!, { name: name ?? '(bad pointer)' });
}

/** The enclave a handle names; a handle that was acquired names nothing once its server is gone. */
function calleeOf(m: Core, caller: Enclave, handle: number): Enclave | undefined {
  const callee = Number.isInteger(handle) && handle >= 0 ? m.enclave(handle) : undefined;
  const acquired = caller.acquired.find(({ eid }) => eid === handle);
  const current = !acquired || acquired.instance === callee?.instance;
  return m.holds('handleCurrent', current) ? callee : undefined;
}

export function callEnclave(m: Core, reply: Reply, handle: number, address: number): void {
  const caller = m.enclave(m.state.running)!;
  const callee = calleeOf(m, caller, handle);
  const rule = callee
    ? ruleFor('called', kindOf(callee), stateOf(m.state, callee))
    : ruleFor('called', 'SERVER', 'GONE');
  if (isRefused(rule) || !callee) {
    if (rule.hazard) m.hazard(handle === -1 ? 'call-unchecked-handle' : rule.hazard, { handle });
    if (rule.value === Result.ERROR) m.log(`call_enclave: enclave${handle} can not be accessed!`);
    return reply(rule.value);
  }
  const argument = readArgument(m, caller, address);
  const areaStart = (argument && areaAt(m, caller, argument.req_vaddr, Number(argument.req_size))?.start) ?? 0;
  const request = argument && passRequest(m, caller, callee, argument);
  if (!argument || request === undefined) {
    m.hazard('call-argument', { call: 'call_enclave', problem: argumentProblem(address, argument) });
    return reply(Result.ERROR);
  }

  const top = headOf(m, caller);
  m.change(caller.eid, {
    state: 'RUNNABLE',
    registers: withRegisters(parkRegisters(m, 4), { x: { 10: 0 } }),
    callee: callee.eid,
  });
  const mapper = Mapper.of(m, m.enclave(callee.eid)!);
  if (top.kbuffer !== 0) mapper.map(EnclaveVa.KBUFFER, top.kbuffer, PAGE_SIZE);
  const { shm, shmSize } = callee;
  const hasShm = shm !== 0 && shmSize > 0;
  const registers = withRegisters(
    entryRegisters(callee.entry, [0, request, 0, hasShm ? EnclaveVa.SHM_BASE : 0, shmSize]),
    { x: { 10: argument.req_arg, 12: argument.req_size } },
  );
  m.change(callee.eid, {
    caller: caller.eid,
    top: top.eid,
    pendingCall: { argument: address, asked: argument, areaStart },
    registers,
    pool: mapper.pool,
  });
  transition(m, 'call_enclave', caller.instance, callee.instance);
  enter(m, callee.eid);
}

/** SERVER_RETURN: `address` is the callee's call_enclave_arg_t. */
export function enclaveReturn(m: Core, reply: Reply, address: number): void {
  const callee = m.enclave(m.state.running)!;
  const caller = m.enclave(callee.caller);
  const rule = ruleFor('enclaveReturn', kindOf(callee), stateOf(m.state, callee));
  if (isRefused(rule) || !caller || !callee.pendingCall) {
    if (rule.hazard) m.hazard(rule.hazard);
    m.log(`enclave_return: enclave${callee.eid} can not return!`);
    return reply(Result.ERROR);
  }
  const result = readArgument(m, callee, address);
  if (!result) {
    m.hazard('call-argument', { call: 'SERVER_RETURN', problem: argumentProblem(address, result) });
    return reply(Result.ERROR);
  }
  const { argument } = callee.pendingCall;
  const asked = m.checks.callCopied ? callee.pendingCall.asked : readArgument(m, caller, argument)!;

  const req_vaddr = returnRequest(m, callee, caller, asked, result);
  const resp_vaddr = returnResponse(m, callee, caller, result);
  writeArgument(m, caller, argument, {
    ...asked,
    req_vaddr,
    resp_vaddr,
    resp_size: resp_vaddr === 0 ? 0n : result.resp_size,
    resp_val: result.resp_val,
  });
  Mapper.of(m, callee).unmap(EnclaveVa.KBUFFER, PAGE_SIZE);
  const { pendingCall: _call, registers: _registers, ...rest } = m.enclave(callee.eid)!;
  m.put({ ...rest, state: 'RUNNABLE', caller: -1, top: -1, callee: -1 });
  m.change(caller.eid, { callee: -1 });
  transition(m, 'SERVER_RETURN', callee.instance, caller.instance);
  enter(m, caller.eid);
}

/** The request area goes back to where the caller had it; its address there, 0 when it stays with the callee. */
function returnRequest(m: Core, callee: Enclave, caller: Enclave, asked: Argument, result: Argument): number {
  if (asked.req_vaddr === 0) return 0;
  const good =
    result.req_vaddr !== 0 &&
    wholePages(result.req_vaddr, Number(result.req_size)) &&
    result.req_size >= asked.req_size;
  if (!good) {
    const { req_vaddr } = result;
    m.hazard('return-argument', {
      problem: `req_vaddr ${hex(req_vaddr)} and req_size ${hex(Number(result.req_size))} for ${hex(Number(asked.req_size))} bytes`,
    });
    m.log('enclave return: the ret argument is in-consistent with caller argument');
    return 0;
  }
  if (asked.req_vaddr === EnclaveVa.RELAY_BASE)
    return moveRelay(m, callee.eid, caller.eid, Number(asked.req_size)) ? EnclaveVa.RELAY_BASE : 0;
  const area = areaAt(m, m.enclave(callee.eid)!, result.req_vaddr, Number(result.req_size));
  if (!area) return 0;
  // Pointers the caller kept into the area must still be right.
  const back = callee.pendingCall!.areaStart;
  const start = moveArea(m, callee.eid, caller.eid, area, back);
  return start === back ? asked.req_vaddr : (start ?? 0);
}

function returnResponse(m: Core, callee: Enclave, caller: Enclave, result: Argument): number {
  if (result.resp_vaddr === 0 || !wholePages(result.resp_vaddr, Number(result.resp_size))) return 0;
  const area = areaAt(m, m.enclave(callee.eid)!, result.resp_vaddr, Number(result.resp_size));
  if (!area) return 0;
  return moveArea(m, callee.eid, caller.eid, area, belowAreas(m.enclave(caller.eid)!, area.size)) ?? 0;
}
