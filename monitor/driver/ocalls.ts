/** What the host does for an enclave in the middle of RUN: memory, printing, relay pages, sectors of the file system's file. */
import type { DeviceStep } from '../../emulator/linux/device';
import { PAGE_SIZE, pa } from '../../emulator/units';
import { Ocall, Result, RunResult, ResumeReason, Sbi } from '../abi';
import { hex } from '../hazards';
import { LIMIT_REMEDY } from '../limits';
import { SharedPage, orderOf, sbi, type Driver } from './core';
import { EFAULT, EPERM } from './errno';
import { raiseInside } from './permission';
import { extend } from './extend';
import { collectAll } from './regions';
import { gone, kill, ran, withResult } from './run';
import type { EnclaveRecord } from './state';
import { ask, finish, goOn, type Running, type Step, type Turn } from './step';

/** Of a text that is quoted in a hazard. */
const MAX_QUOTED = 60;
/** Bytes of the kbuffer that carry a message. */
const KBUFFER_TEXT = 512;
export const PERSISTENCY_FILE = '/mnt/persistencty_file';
const PERSISTENCY_SIZE = 4 * 1024 * 1024;

export function serveOcall(t: Turn, running: Running, record: EnclaveRecord): DeviceStep {
  const { driver, kernel } = t;
  const out = (index: number) => kernel.port.readI64(kernel.linear(pa(record.shared.pa + SharedPage.out + 8 * index)));
  const [ocall, arg0, arg1, speaker] = [out(0), out(1), out(2), out(3)] as [number, number, number, number];
  const resume = (result = 0): DeviceStep => {
    const call = sbi(Sbi.RESUME_ENCLAVE, record.monitorEid, ResumeReason.OCALL, ocall, result);
    return ask(call, { at: 'ran', running, call });
  };
  switch (ocall) {
    case Ocall.MMAP:
    case Ocall.SHM_GET:
      return allocate(t, running, record, ocall, arg1);
    case Ocall.SBRK:
      if (arg0 === 0) return allocate(t, running, record, ocall, arg1);
      driver.freeList(kernel, arg0);
      return resume();
    case Ocall.UNMAP:
      driver.freeList(kernel, arg0);
      return resume();
    case Ocall.SHM_EXTEND_MEMORY: {
      const call = sbi(Sbi.RESUME_ENCLAVE, record.monitorEid, ResumeReason.OCALL, ocall);
      return extend(t, Math.ceil(arg1 / PAGE_SIZE), { at: 'run', running, call }, { at: 'no-memory', running });
    }
    case Ocall.SYS_WRITE:
      print(t, record, speaker);
      return resume();
    case Ocall.RETURN_RELAY_PAGE:
      driver.release('relay', record.relay, record.serial);
      driver.change(record.eid, { runner: 0, returned: { pa: arg0, size: arg1 } });
      collectAll(driver, kernel, record);
      return goOn(100, finish(withResult(running, 0n), RunResult.RETURN_USER_RELAY_PAGE));
    case Ocall.READ_SECT:
    case Ocall.WRITE_SECT:
      return resume(sector(t, ocall === Ocall.WRITE_SECT, arg0));
    default:
      return resume();
  }
}

/** A block for an mmap or heap area, taken out of the linear map's large leaves before it is given away. */
function allocate(t: Turn, running: Running, record: EnclaveRecord, ocall: number, size: number): DeviceStep {
  const { driver, kernel } = t;
  const order = size >= PAGE_SIZE ? orderOf(size / PAGE_SIZE) : 0;
  const most = driver.limits.blockPages;
  // Old content is of no account: the monitor zeroes what it gets.
  const address = 2 ** order <= most ? kernel.allocateBlock(order)?.address : undefined;
  if (address === undefined) {
    const what = ocall === Ocall.MMAP ? 'MMAP' : ocall === Ocall.SBRK ? 'SBRK' : 'SHM_GET';
    const why =
      2 ** order > most
        ? `a device gives ${most} pages in one piece, not 2^${order}: ${LIMIT_REMEDY}`
        : `no 2^${order} pages are free in one piece; give the machine more memory ("memoryMiB")`;
    raiseInside(t, 'mmap-no-memory', { size: hex(size) }, record.monitorEid);
    driver.log(kernel, `[ERROR] OCALL_${what} is failed: ${why}`);
    // For secure shm 0 is an answer; an enclave that waits for an area is lost, as on a device.
    if (ocall === Ocall.SHM_GET)
      return ask(sbi(Sbi.RESUME_ENCLAVE, record.monitorEid, ResumeReason.OCALL, ocall, 0, 0), { at: 'ran', running });
    return kill(running, record, running.instance ? EPERM : EFAULT);
  }
  driver.update({ blocks: driver.state.blocks.set(address / PAGE_SIZE, order) });
  const calls = kernel.splitLinear(address, PAGE_SIZE * 2 ** order);
  return goOn(64, { at: 'calls', calls, then: { at: 'grant', running, ocall, block: { pa: address, order } } });
}

export function grant(t: Turn, { running, ocall, block }: Step & { at: 'grant' }): DeviceStep {
  const record = t.driver.record(running.eid, running.serial);
  if (!record) {
    takeBack(t, block);
    return gone(running);
  }
  const size = PAGE_SIZE * 2 ** block.order;
  const call = sbi(Sbi.RESUME_ENCLAVE, record.monitorEid, ResumeReason.OCALL, ocall, block.pa, size);
  return ask(call, { at: 'granted', running, ocall, block });
}

/** As after any other resume, but a block that was refused is the kernel's again. */
export function granted(t: Turn, step: Step & { at: 'granted' }): DeviceStep {
  const { error, value } = t.input.sbi!;
  const { running, ocall, block } = step;
  if (error === Result.NO_MEM)
    return extend(t, 0, { at: 'grant', running, ocall, block }, { at: 'no-memory', running });
  if (error < 0 && value === 0) takeBack(t, block);
  return ran(t, { at: 'ran', running });
}

function takeBack(t: Turn, block: { pa: number; order: number }): void {
  t.driver.update({ blocks: t.driver.state.blocks.remove(block.pa / PAGE_SIZE) });
  t.kernel.freePages(pa(block.pa), block.order);
}

/**
 * The kbuffer up to its NUL, literally, as one record of the kernel's log: the next one begins on a line of its own, whether or not
 * this one ends its line. Then it is cleared, so that no message shows the end of an earlier one.
 */
function print(t: Turn, enclave: EnclaveRecord, speaker: number): void {
  const { driver, kernel } = t;
  const kbuffer = kernel.linear(pa(enclave.shared.pa + PAGE_SIZE));
  const bytes = kernel.port.read(kbuffer, KBUFFER_TEXT - 1);
  const end = bytes.indexOf(0);
  kernel.port.fill(kbuffer, KBUFFER_TEXT, 0);
  const text = new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
  if (text === '') return;
  if (end < 0) raiseInside(t, 'print-truncated', {}, speaker);
  if (text.includes('%')) raiseInside(t, 'print-format', { text: text.trimEnd().slice(0, MAX_QUOTED) }, speaker);
  const record = text.endsWith('\n') ? text : `${text}\n`;
  kernel.print(record, { ...driver.options.speaker(speaker), eid: eidOf(driver, speaker) ?? enclave.eid });
}

const eidOf = (driver: Driver, monitorEid: number): number | undefined => driver.state.byMonitorEid.get(monitorEid);

// ---- the file system's file -------------------------------------------------------------------------------------------------

/** PERSISTENCY_INIT: sectors go through this shared memory from now on; the file is made when it is not there. */
export function initPersistency({ driver, kernel }: Turn, id: number): number {
  const region = driver.state.shm.get(id);
  if (!region || region.removed) return EPERM;
  const file = kernel.readFile(PERSISTENCY_FILE, 0, 1);
  if (!file || file.length === 0) {
    // Its last byte makes it as long as it is meant to be.
    if (!kernel.writeFile(PERSISTENCY_FILE, PERSISTENCY_SIZE - 1, new Uint8Array(1))) return EPERM;
  }
  driver.update({ persistency: id });
  return 0;
}

/**
 * One sector between the file and the start of the shared memory; 0 or -1. What lies behind the end of the file is read as zeros and
 * makes the file longer.
 */
function sector({ driver, kernel }: Turn, write: boolean, number: number): number {
  const region = driver.state.shm.get(driver.state.persistency);
  const at = number * PAGE_SIZE;
  if (!region || !(number >= 0 && Number.isSafeInteger(at))) return -1;
  const buffer = kernel.linear(pa(region.pa));
  if (write) return kernel.writeFile(PERSISTENCY_FILE, at, kernel.port.read(buffer, PAGE_SIZE)) ? 0 : -1;
  const old = kernel.readFile(PERSISTENCY_FILE, at, PAGE_SIZE);
  if (!old) return -1;
  const bytes = new Uint8Array(PAGE_SIZE);
  bytes.set(old);
  if (old.length < PAGE_SIZE && !kernel.writeFile(PERSISTENCY_FILE, at, bytes)) return -1;
  kernel.port.write(buffer, bytes);
  return 0;
}
