/**
 * What the parts of the driver share: its state, looking things up, and giving memory back. The driver is untrusted: whatever it does
 * wrong, the monitor refuses.
 */
import { PAGE_SIZE, pa, type PhysicalAddress } from '../../emulator/units';
import type { DeviceStep, Kernel, SbiCall } from '../../emulator/linux/device';
import { SbiExtension } from '../abi';
import type { HazardSite } from '../hazards';
import type { Instance } from '../types';
import { limitsOf, type Limits } from '../limits';
import { collectAll } from './regions';
import type { Block, DriverState, EnclaveRecord, Region, Table } from './state';
import { initialDriverState, withRecord, withoutRecord } from './state';

export interface DriverOptions {
  /** Default: memory. */
  readonly limits?: Limits;
  /** False only in tests: mmap shows relay memory that an enclave owns. */
  readonly mmapOwnership?: boolean;
  /** Every ioctl is told. */
  readonly trace?: boolean;
  /** For events only: where a host thread made its system call, where an ocalling enclave made its, which one a record is. */
  readonly siteOf?: (tid: number) => HazardSite | undefined;
  readonly enclaveSite?: (monitorEid: number) => HazardSite | undefined;
  readonly instanceOf?: (record: Pick<EnclaveRecord, 'kind' | 'monitorEid'>) => Instance | undefined;
  /** Who an ocalling enclave (the monitor's number) is; for the source of its prints only. */
  readonly speaker: (monitorEid: number) => { readonly instance: Instance; readonly name: string } | undefined;
}

/** Shared pages of an enclave: where in the first one things are; the kbuffer is the second. */
export const SharedPage = { param: 0, runParam: 256, report: 512, out: 1024, eid: 1064, SIZE: 4096 } as const;

export class Driver {
  state: DriverState = initialDriverState;
  readonly limits: Limits;
  constructor(readonly options: DriverOptions) {
    this.limits = options.limits ?? limitsOf();
  }

  update(change: Partial<DriverState>): void {
    this.state = { ...this.state, ...change };
  }

  record(eid: number, serial?: number): EnclaveRecord | undefined {
    const record = this.state.enclaves.get(eid);
    return record && (serial === undefined || record.serial === serial) ? record : undefined;
  }

  put(record: EnclaveRecord): EnclaveRecord {
    this.update(withRecord(this.state, record));
    return record;
  }

  change(eid: number, change: Partial<EnclaveRecord>): EnclaveRecord {
    return this.put({ ...this.state.enclaves.get(eid)!, ...change });
  }

  log(kernel: Kernel, text: string): void {
    kernel.emit({ kind: 'monitor-log', text: `PENGLAI MODULE: ${text}` });
  }

  /**
   * Gives back everything of an enclave that is gone from the monitor, which left the list of blocks in their first
   * pages; of an enclave without a pool, the first block's address lies where ocalls have their argument.
   */
  reap(kernel: Kernel, record: EnclaveRecord): void {
    const { pool, shared } = record;
    const first = pool?.pa ?? kernel.port.readI64(kernel.linear(pa(shared.pa + SharedPage.out + 8)));
    this.freeList(kernel, first, pool);
    this.forget(kernel, record);
  }

  /** Follows a list of blocks {next, size}; each must be one that was given. */
  freeList(kernel: Kernel, first: number, pool?: Block): void {
    let at = first;
    const most = this.state.blocks.size + 1;
    for (let count = 0; at !== 0 && count <= most; count++) {
      const order = pool && at === pool.pa ? pool.order : this.state.blocks.get(at / PAGE_SIZE);
      if (order === undefined)
        return this.log(kernel, `the monitor's list names 0x${at.toString(16)}, which was not given`);
      const next = kernel.port.readI64(kernel.linear(pa(at)));
      this.update({ blocks: this.state.blocks.remove(at / PAGE_SIZE) });
      kernel.freePages(pa(at), order);
      at = next;
    }
  }

  /** Drops a record, its shared pages and its use of regions; its pool is somebody else's business. */
  forget(kernel: Kernel, record: EnclaveRecord): void {
    kernel.freePages(pa(record.shared.pa), record.shared.order);
    this.update(withoutRecord(this.state, record));
    this.release('shm', record.shm, record.serial);
    this.release('relay', record.relay, record.serial);
    collectAll(this, kernel, record);
    kernel.wake(queueOf(record));
  }

  /** An enclave uses a region no more. */
  release(table: Table, id: number, serial: number): void {
    const region = this.state[table].get(id);
    if (region) this.setRegion(table, { ...region, users: region.users.filter((user) => user !== serial) });
  }

  setRegion(table: Table, region: Region): void {
    this.update({ [table]: this.state[table].set(region.id, region) });
  }
}

export const queueOf = (record: EnclaveRecord): string => `enclave:${record.serial}`;

export const sbi = (fid: number, ...args: number[]): SbiCall => ({
  extension: SbiExtension.PENGLAI,
  function: fid,
  args,
});

/** Pages as a power of two. */
export const orderOf = (pages: number): number => Math.ceil(Math.log2(Math.max(1, pages)));

export const give = (value: number): DeviceStep => ({ do: 'return', value });

export const physical = (address: number): PhysicalAddress => pa(address);
