/**
 * CREATE: reads an ELF image from the host process, puts its pages and their page tables into a pool of kernel memory, and gives the
 * pool to the monitor. Owns the pool's layout: page 0 for the monitor, 1 the root table, 2 reserved, then the mapped pages in
 * address order, then the other tables; the rest is the monitor's for tables to come.
 */
import type { DeviceStep } from '../../emulator/linux/device';
import { addToDigest, finishImageDigest, newImageDigest } from '../../emulator/linux/image-hash';
import { PAGE_SIZE, pa, va } from '../../emulator/units';
import { CreateParam, EnclaveTypeNumber, MAX_STACK_SIZE, Pte, Result, Sbi } from '../abi';
import { hex } from '../hazards';
import { LIMIT_REMEDY } from '../limits';
import { SharedPage, orderOf, sbi } from './core';
import { elfExtent, pageIndex, planElf, tableLayout } from './elf';
import { EFAULT, EPERM } from './errno';
import { NO_IMAGE, imageParts, withBytes } from './image';
import { raise } from './permission';
import { regionPart, useRegion } from './regions';
import { freeId } from '../../emulator/machine/sorted';
import { extend } from './extend';
import type { EnclaveRecord } from './state';
import { ask, finish, goOn, zero, type Creation, type Step, type Turn, type UserParams } from './step';

/** Larger files are refused: they could not be kept for the debugger. */
const MAX_IMAGE = 512 * 1024 * 1024;
/** File bytes read and hashed in one step; whole pages. */
const READ_PER_STEP = 64 * 1024;
/** File bytes written in one step. */
const FILL_PER_STEP = 256 * 1024;
const TABLES_PER_STEP = 8;
/** Pages a pool has beyond what is mapped at first, for the monitor's tables. */
const SPARE_PAGES = 256;
const ROOT_TABLE = 1;
const FIRST_MAPPED = 3;

const KINDS = ['NORMAL', 'SERVER', 'SHADOW'] as const;

export function startCreate(t: Turn, step: Step & { at: 'begin' }): DeviceStep {
  const { param, request } = step;
  const stack = param.type === EnclaveTypeNumber.SHADOW ? 0 : param.stackSize;
  if (KINDS[param.type] === undefined) {
    raise(t, 'create-type', { type: param.type, name: param.name });
    return reject(t, request, EPERM, `unknown enclave type ${param.type}`);
  }
  if (param.elf === 0) {
    raise(t, 'elf-bad', { problem: 'elf_ptr is 0' });
    return reject(t, request, EFAULT, 'the ELF image is empty');
  }
  if (!(stack >= 0 && stack <= t.driver.limits.stack)) {
    raise(t, 'memory-bounds', { what: 'a stack', size: stack });
    return reject(t, request, EPERM, tooLarge('stack', stack, t.driver.limits.stack));
  }
  const length = imageLength(t, param);
  if (!(length <= MAX_IMAGE)) {
    raise(t, 'memory-bounds', { what: 'an ELF file', size: length });
    return reject(t, request, EPERM, tooLarge('ELF file', length, MAX_IMAGE));
  }
  if (length > param.elfSize)
    t.driver.log(t.kernel, `elf_size is ${param.elfSize}, the headers lead to ${length} bytes: these are read`);
  const digest = newImageDigest();
  return goOn(1, { at: 'read', request, param: { ...param, elfSize: length }, image: NO_IMAGE, digest });
}

/** A size that is out of bound: in words of the published driver, then the limit and what to do. */
function tooLarge(what: string, size: number, limit: number): string {
  const mib = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  const remedy = limit === MAX_IMAGE || size < 0 ? 'make it smaller' : LIMIT_REMEDY;
  return `eapp memory is out of bound: the ${what} has ${mib(size)}, the limit is ${mib(limit)}; ${remedy}`;
}

/**
 * Bytes of the image. The published driver does not look at elf_size: it follows the headers. Here the size says how much there is for
 * a debugger to read, if it is not less than what the headers lead to.
 */
function imageLength({ kernel }: Turn, { elf, elfSize }: UserParams): number {
  const needed = elfExtent((at, length) => kernel.port.user.read(va(elf + at), length));
  const said = elfSize > 0 && elfSize <= MAX_IMAGE;
  // Headers that lead nowhere are told as such when the plan is made.
  return said && (elfSize >= needed || needed > MAX_IMAGE) ? elfSize : needed;
}

function reject(t: Turn, request: Creation['request'], errno: number, why: string): DeviceStep {
  t.driver.log(t.kernel, `[ERROR] ${why}; cannot create enclave`);
  return goOn(1, finish(request, errno));
}

/** One chunk of the file, read and hashed. The host need not have touched it: its pages stay as they are. */
export function readImage(t: Turn, { at, request, param, image, digest }: Step & { at: 'read' }): DeviceStep {
  const length = Math.min(READ_PER_STEP, param.elfSize - image.size);
  const pieces = t.kernel.readCaller(t.caller, va(param.elf + image.size), length);
  const read = withBytes(image, pieces);
  const next: Step =
    read.size === param.elfSize
      ? { at: 'plan', request, param, image: read, hash: finishImageDigest(digest, ...pieces) }
      : { at, request, param, image: read, digest: addToDigest(digest, ...pieces) };
  return goOn(length >> 2, next);
}

/** Headers, memory, and who is told about it. */
export function planPool(t: Turn, { request, param, image, hash }: Step & { at: 'plan' }): DeviceStep {
  const { driver, kernel } = t;
  const shadow = param.type === EnclaveTypeNumber.SHADOW;
  const plan = planElf(image, shadow ? 0 : param.stackSize, driver.limits.elf);
  if ('error' in plan) {
    if (plan.outOfBounds) raise(t, 'memory-bounds', { what: 'ELF segments', size: param.elfSize });
    else raise(t, 'elf-bad', { problem: plan.error });
    return reject(
      t,
      request,
      plan.outOfBounds ? EPERM : EFAULT,
      `penglai_enclave_eapp_loading is failed: ${plan.error}`,
    );
  }
  // Also where there is room for it here: on a device there is not.
  if (!shadow && param.stackSize > MAX_STACK_SIZE)
    raise(t, 'memory-bounds', { what: 'a stack', size: param.stackSize });
  if (!shadow && param.stackSize === 0) raise(t, 'stack-none', { size: 0 });
  const crooked = plan.pieces.find(({ address }) => address % PAGE_SIZE !== 0);
  if (crooked) raise(t, 'elf-alignment', { address: hex(crooked.address) });
  const { middles, leaves } = tableLayout(plan.runs);
  const used = FIRST_MAPPED + plan.pages + middles.length + leaves.length;
  const order = orderOf(used + SPARE_PAGES);
  const pool = 2 ** order <= driver.limits.blockPages ? kernel.allocateBlock(order) : undefined;
  const shared = pool && kernel.allocatePages(1);
  if (!pool || shared === undefined) {
    if (pool) kernel.freePages(pool.address, order);
    const more = 2 ** order > driver.limits.blockPages ? LIMIT_REMEDY : 'give the machine more memory ("memoryMiB")';
    return reject(t, request, EFAULT, `failed to allocate enclave pages (2^${order}): ${more}`);
  }
  // Of what was read before, one copy is kept.
  const known = driver.state.images.get(hash);
  if (!known) driver.update({ images: driver.state.images.set(hash, image) });
  const memory = { pool: { pa: pool.address, order }, shared: { pa: shared, order: 1 } };
  const creation: Creation = { request, param, image: known ?? image, hash, plan, ...memory };
  // Tables are written whole, and what lies behind them is the monitor's: only mapped pages must be zero.
  const stale = pool.stale.flatMap(({ address, length }) => {
    const end = Math.min(address + length, pool.address + (FIRST_MAPPED + plan.pages) * PAGE_SIZE);
    return address < end ? [{ address, length: end - address }] : [];
  });
  return goOn(plan.runs.length, zero(stale, { at: 'fill', creation, index: 0, done: 0 }));
}

/** File bytes into the pages, which are zero. */
export function fillPages(t: Turn, { creation, index, done }: Step & { at: 'fill' }): DeviceStep {
  const { plan, image, pool } = creation;
  const piece = plan.pieces[index];
  if (!piece) return goOn(1, { at: 'tables', creation, index: 0 });
  const length = Math.min(FILL_PER_STEP, piece.length - done);
  const address = piece.address + done;
  const page = FIRST_MAPPED + pageIndex(plan, Math.floor(address / PAGE_SIZE));
  // Consecutive pages of the enclave are consecutive in the pool.
  let at = pool.pa + page * PAGE_SIZE + (address % PAGE_SIZE);
  for (const part of imageParts(image, piece.offset + done, length)) {
    t.kernel.port.write(t.kernel.linear(pa(at)), part);
    at += part.length;
  }
  const next = done + length < piece.length ? { index, done: done + length } : { index: index + 1, done: 0 };
  return goOn((length >> 6) + 1, { at: 'fill', creation, ...next });
}

/** Page tables, each written as a whole page: the root and the middle ones first, then leaf tables, some at a time. */
export function writeTables(t: Turn, { creation, index }: Step & { at: 'tables' }): DeviceStep {
  const { plan, pool } = creation;
  const { kernel } = t;
  const { middles, leaves } = tableLayout(plan.runs);
  const firstTable = FIRST_MAPPED + plan.pages;
  const firstLeaf = firstTable + middles.length;
  const pointer = (page: number) => (pool.pa / PAGE_SIZE + page) * 1024 + Pte.V;
  const write = (page: number, entries: readonly (readonly [number, number])[]) => {
    const view = new DataView(new ArrayBuffer(PAGE_SIZE));
    for (const [slot, entry] of entries) {
      view.setUint32(8 * slot, entry % 2 ** 32, true);
      view.setUint32(8 * slot + 4, Math.floor(entry / 2 ** 32), true);
    }
    kernel.port.write(kernel.linear(pa(pool.pa + page * PAGE_SIZE)), new Uint8Array(view.buffer));
  };
  if (index === 0) {
    write(
      ROOT_TABLE,
      middles.map((middle, i) => [middle, pointer(firstTable + i)]),
    );
    const inMiddle = middles.map(() => [] as [number, number][]);
    let at = 0;
    leaves.forEach((leaf, i) => {
      if (middles[at] !== Math.floor(leaf / 512)) at++;
      inMiddle[at]!.push([leaf & 511, pointer(firstLeaf + i)]);
    });
    inMiddle.forEach((entries, i) => write(firstTable + i, entries));
  }
  const end = Math.min(index + TABLES_PER_STEP, leaves.length);
  for (let i = index; i < end; i++) write(firstLeaf + i, leafEntries(creation, leaves[i]!));
  const ticks = (end - index) * 512;
  if (end < leaves.length) return goOn(ticks, { at: 'tables', creation, index: end });
  return enroll(t, creation, firstLeaf + leaves.length);
}

/** Slots and entries of one leaf table. */
function leafEntries({ plan, pool }: Creation, leaf: number): [number, number][] {
  const entries: [number, number][] = [];
  for (const { first, count, flags, index } of plan.runs) {
    const end = Math.min(first + count, (leaf + 1) * 512);
    for (let page = Math.max(first, leaf * 512); page < end; page++)
      entries.push([page & 511, (pool.pa / PAGE_SIZE + FIRST_MAPPED + index + page - first) * 1024 + flags]);
  }
  return entries;
}

/** Takes an id and asks the monitor; the record is there before, so that the monitor's events can be completed from it. */
function enroll(t: Turn, creation: Creation, freePage: number): DeviceStep {
  const { driver, kernel, caller } = t;
  const { param, pool, shared, plan } = creation;
  const eid = freeId(driver.state.eids);
  if (eid >= driver.limits.enclaveIds) {
    freeCreation(t, creation);
    return reject(t, creation.request, EFAULT, 'no enclave id is free');
  }
  const shm =
    param.type === EnclaveTypeNumber.SHADOW
      ? undefined
      : regionPart(driver, 'shm', param.shmid, param.shmOffset, param.shmSize);
  const writable = plan.runs.reduce((sum, { count, flags }) => sum + (flags & Pte.W ? count : 0), 0);
  const { middles, leaves } = tableLayout(plan.runs);
  if (!shm && param.type !== EnclaveTypeNumber.SHADOW) raiseShmIgnored(t, 'CREATE', param, { eid, name: param.name });
  const record: EnclaveRecord = {
    eid,
    serial: driver.state.nextSerial,
    monitorEid: -1,
    kind: KINDS[param.type]!,
    name: param.name,
    pid: caller.pid,
    space: caller.space,
    pool,
    shared,
    imageHash: creation.hash,
    runner: 0,
    stopped: false,
    forkPages: writable + leaves.length + middles.length,
    shm: shm ? param.shmid : 0,
    relay: 0,
    returned: undefined,
  };
  driver.put(record);
  driver.update({ nextSerial: record.serial + 1 });
  if (shm) useRegion(driver, 'shm', param.shmid, record.serial);
  writeCreateParam(t, creation, record, freePage, shm);
  const size = PAGE_SIZE * 2 ** pool.order;
  const then: Step = { at: 'create', creation, eid };
  return goOn(64, { at: 'calls', calls: kernel.splitLinear(pa(pool.pa), size), then });
}

/** Shared memory that was asked for and is not given, which no call says. */
export function raiseShmIgnored(
  t: Turn,
  call: string,
  param: UserParams,
  { eid, name }: Pick<EnclaveRecord, 'eid' | 'name'>,
): void {
  if (param.shmid === 0 && param.shmSize === 0) return;
  const { shmid: id, shmOffset, shmSize } = param;
  raise(t, 'shm-ignored', { call, eid: hex(eid), name, id, offset: hex(shmOffset), size: hex(shmSize) });
}

function writeCreateParam(
  t: Turn,
  { plan, pool }: Creation,
  record: EnclaveRecord,
  freePage: number,
  shm: { pa: number; size: number } | undefined,
): void {
  const page = record.shared.pa;
  const at = t.kernel.linear(pa(page + SharedPage.param));
  const put = (field: number, value: number) => t.kernel.port.writeI64(va(at + field), value);
  t.kernel.port.write(va(at + CreateParam.name), nameBytes(record.name));
  put(CreateParam.eid_ptr, page + SharedPage.eid);
  put(CreateParam.type, EnclaveTypeNumber[record.kind as 'NORMAL']);
  put(CreateParam.paddr, pool.pa);
  put(CreateParam.size, PAGE_SIZE * 2 ** pool.order);
  put(CreateParam.entry_point, plan.entry);
  put(CreateParam.free_mem, pool.pa + freePage * PAGE_SIZE);
  put(CreateParam.kbuffer, record.kind === 'NORMAL' ? page + PAGE_SIZE : 0);
  put(CreateParam.kbuffer_size, record.kind === 'NORMAL' ? PAGE_SIZE : 0);
  put(CreateParam.shm_paddr, shm?.pa ?? 0);
  put(CreateParam.shm_size, shm?.size ?? 0);
  for (let i = 0; i < 4; i++) put(CreateParam.ecall_arg0 + 8 * i, page + SharedPage.out + 8 * i);
  put(CreateParam.retval, page + SharedPage.out + 32);
}

/** A name as the 16 bytes that cross interfaces. */
export function nameBytes(name: string): Uint8Array {
  const bytes = new Uint8Array(16);
  for (let i = 0; i < Math.min(16, name.length); i++) bytes[i] = name.charCodeAt(i);
  return bytes;
}

const CREATE = {
  NORMAL: Sbi.CREATE_ENCLAVE,
  SERVER: Sbi.CREATE_SERVER_ENCLAVE,
  SHADOW: Sbi.CREATE_SHADOW_ENCLAVE,
} as const;

export function callCreate(t: Turn, step: Step & { at: 'create' }): DeviceStep {
  const { kind, shared } = t.driver.record(step.eid)!;
  return ask(sbi(CREATE[kind as 'NORMAL'], shared.pa + SharedPage.param), { ...step, at: 'created' });
}

export function created(t: Turn, step: Step & { at: 'created' }): DeviceStep {
  const { driver, kernel } = t;
  const { creation, eid } = step;
  const record = driver.record(eid)!;
  const result = t.input.sbi!.error < 0 ? t.input.sbi!.error : t.input.sbi!.value;
  if (result === Result.NO_MEM) return extend(t, 0, { ...step, at: 'create' }, { ...step, at: 'not-created' });
  if (result < 0) return notCreated(t, step);
  const monitorEid = kernel.port.readI64(kernel.linear(pa(record.shared.pa + SharedPage.eid)));
  driver.change(eid, { monitorEid });
  const bytes = creation.request.bytes.slice();
  new DataView(bytes.buffer).setBigUint64(0, BigInt(eid), true);
  return goOn(1, finish({ ...creation.request, bytes }, result));
}

export function notCreated(
  { driver, kernel }: Turn,
  { creation, eid }: Step & { at: 'created' | 'not-created' },
): DeviceStep {
  driver.log(kernel, '[ERROR] SBI_SM_CREATE_ENCLAVE is failed');
  kernel.freePages(pa(creation.pool.pa), creation.pool.order);
  driver.forget(kernel, driver.record(eid)!);
  return goOn(1, finish(creation.request, EFAULT));
}

function freeCreation(t: Turn, { pool, shared }: Creation): void {
  t.kernel.freePages(pa(pool.pa), pool.order);
  t.kernel.freePages(pa(shared.pa), shared.order);
}

/** Reads penglai_enclave_user_param. */
export function userParams(bytes: Uint8Array): UserParams {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u64 = (at: number) => Number(view.getBigUint64(at, true));
  let name = '';
  for (let i = 8; i < 24 && bytes[i]; i++) name += String.fromCharCode(bytes[i]!);
  return {
    eid: u64(0),
    name,
    type: view.getInt32(24, true),
    elf: u64(32),
    elfSize: u64(40),
    stackSize: view.getInt32(48, true),
    shmid: view.getInt32(56, true),
    isShadow: view.getInt32(60, true),
    shmOffset: u64(64),
    shmSize: u64(72),
    relayId: view.getInt32(80, true),
    rerunReason: view.getInt32(84, true),
    relayOffset: u64(88),
    relaySize: u64(96),
  };
}
