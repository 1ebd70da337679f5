/**
 * Character devices of the host OS. A driver's open, ioctl and commands run as resumable steps: a step gets the plain data the
 * previous one left, does bounded work, and says what it needs next. Drivers run at S privilege: they reach memory through
 * the supervisor port only and the firmware through SBI calls only.
 */
import type { PhysicalAddress, Space, VirtualAddress } from '../units';
import type { SupervisorPort } from '../machine/ports';

/** An SBI call: a7 = extension, a6 = function, a0 … = args. Integers of at most 2^53 in magnitude. */
export interface SbiCall {
  readonly extension: number;
  readonly function: number;
  readonly args: readonly number[];
}
/** a0 and a1 after an SBI call, signed. */
export interface SbiResult {
  readonly error: number;
  readonly value: number;
}

/** What a driver's step wants next. `state` is plain data, handed to the next step. */
export type DeviceStep =
  /** Done: the system call's result, or a negative errno. */
  | { readonly do: 'return'; readonly value: number }
  /** The call is made; the next step finds its result in `input.sbi`. */
  | { readonly do: 'sbi'; readonly call: SbiCall; readonly state: unknown }
  /** To the back of the run queue, then on. */
  | { readonly do: 'yield'; readonly state: unknown }
  /** Blocks until `kernel.wake(queue)`; several may wait, all are woken in FIFO order. */
  | { readonly do: 'wait'; readonly queue: string; readonly state: unknown }
  /** On with the next step after the cost of this one; for work longer than about a millisecond. */
  | { readonly do: 'work'; readonly ticks: number; readonly state: unknown };

/** Who calls: a thread's system call, or nobody (`tid` 0) for work posted from outside. */
export interface DeviceCaller {
  readonly pid: number;
  readonly tid: number;
  readonly space: Space | undefined;
}

export interface DeviceInput {
  readonly caller: DeviceCaller;
  /** Result of the SBI call the previous step asked for. */
  readonly sbi?: SbiResult;
  /** A signal that kills the process is pending: finish or give up, and say so by returning. */
  readonly killed: boolean;
}

/** What the kernel offers its drivers. Throwing `MemoryFault` out of `user` accesses is fine: the kernel pages in and calls the
 * same step again with the same state, or fails the call with EFAULT; so a step makes its accesses before its effects. */
export interface Kernel {
  readonly port: SupervisorPort;
  /**
   * 2^order contiguous pages, naturally aligned, zeroed, mapped in the kernel's linear map; undefined when memory is short. For a
   * few pages: zeroing many takes longer than a step may. Pages of blocks below 2 MiB share 2 MiB leaves of the linear map with
   * others until `splitLinear` splits them.
   */
  allocatePages(order: number): PhysicalAddress | undefined;
  /** As `allocatePages`, for blocks of any size: the parts that hold old content are told instead of zeroed. */
  allocateBlock(order: number): AllocatedBlock | undefined;
  /** Gives a block back; `order` as allocated. */
  freePages(address: PhysicalAddress, order: number): void;
  /** Where the kernel's linear map shows a physical address. */
  linear(address: PhysicalAddress): VirtualAddress;
  /**
   * The firmware calls that make [address, address + length) of the linear map consist of leaves wholly inside or outside
   * of it (splitting 2 MiB leaves), to be made in order before the range is given away. Empty when it already is so.
   */
  splitLinear(address: PhysicalAddress, length: number): readonly SbiCall[];
  /**
   * Bytes of the caller's memory as its own loads would find them, in pieces, never to be written; no pages are made present: for
   * reading much of it once. Throws `MemoryFault` where it could not read.
   */
  readCaller(caller: DeviceCaller, address: VirtualAddress, length: number): readonly Uint8Array[];
  wake(queue: string): void;
  /** A line or piece of text for the console; `source` goes into the event unchanged. */
  print(text: string, source?: unknown): void;
  /** Any other event for the outbox. */
  emit(event: object): void;
  /** Ticks that the kernel's step has cost so far: an event has the tick at which that step began. */
  spent(): number;
  /**
   * Files of the root file system, for drivers that keep data in one: at most `length` bytes from `offset` on, fewer at the end;
   * a write grows the file, and makes it when it is not there. Undefined or false when it can't be.
   */
  readFile(path: string, offset: number, length: number): Uint8Array | undefined;
  writeFile(path: string, offset: number, bytes: Uint8Array): boolean;
}

export interface PhysicalRange {
  readonly address: PhysicalAddress;
  /** In bytes, whole pages. */
  readonly length: number;
}
export interface AllocatedBlock {
  readonly address: PhysicalAddress;
  /** Ascending, disjoint; what lies between them is zero. */
  readonly stale: readonly PhysicalRange[];
}

export interface CharacterDevice {
  /** Path of the node, `/dev/…`. */
  readonly path: string;
  readonly mode: number;
  /** The kernel module that brings the driver elsewhere. It is built in here: loading it changes nothing. */
  readonly module?: string;
  /** Minor numbers (of misc devices) that programs give it with mknod, beside its own. */
  readonly minors?: readonly number[];
  /** Steps run once, in order, when the kernel boots: before the first process. A negative result is a boot failure. */
  boot(kernel: Kernel, state: unknown, input: DeviceInput): DeviceStep;
  /** The plain data of a new open file. */
  open(kernel: Kernel, caller: DeviceCaller): unknown;
  /** `file` is the open file's data; `setFile` replaces it. `state` is undefined in the first step of a call. */
  ioctl(
    kernel: Kernel,
    request: { readonly command: number; readonly argument: VirtualAddress },
    file: { readonly data: unknown; set(data: unknown): void },
    state: unknown,
    input: DeviceInput,
  ): DeviceStep;
  /** The pages an mmap of this open file shows, in order, or a negative errno. */
  mmap(kernel: Kernel, data: unknown, length: number): readonly PhysicalAddress[] | number;
  /**
   * Address spaces show what an mmap with this `data` gave in `by` more areas than before (negative: fewer): by mmap, munmap,
   * fork, exec and exit. Memory must not be freed while an area shows it.
   */
  mapped?(kernel: Kernel, data: unknown, by: number): void;
  /** The last descriptor of an open file was closed. */
  release(kernel: Kernel, data: unknown): void;
  /** A process is gone: free what it owned, in steps. */
  processExited(kernel: Kernel, pid: number, state: unknown, input: DeviceInput): DeviceStep;
  /** A command from outside the machine (a button in a view), executed as the owning process would. */
  command(kernel: Kernel, command: unknown, state: unknown, input: DeviceInput): DeviceStep;
  snapshot(): unknown;
  restore(root: unknown): void;
}

/**
 * How this kernel changes page tables: by asking the firmware, which checks. Given by whoever composes the system.
 * Entries are 16 bytes each at `list` (address of the entry, then its new value, both 64 bits), `count` of them.
 */
export interface PageTableFirmware {
  /** Calls made once at boot, before paging is turned on by writing satp, for the table area the kernel chose. */
  setup(area: PageTableArea): readonly SbiCall[];
  write(list: PhysicalAddress, count: number): SbiCall;
  /** Replaces the 2 MiB leaf at `entry` by a pointer to `table`, filled with the 512 4-KiB leaves that show the same. */
  split(entry: PhysicalAddress, table: PhysicalAddress): SbiCall;
}

/** Where all page tables of the kernel lie: root tables, then second-level tables, then leaf tables. */
export interface PageTableArea {
  /** Start and size in bytes; a power of two, naturally aligned, so that one NAPOT PMP entry covers it. */
  readonly base: PhysicalAddress;
  readonly size: number;
  readonly rootPages: number;
  readonly middlePages: number;
  /** A block for the firmware's page-ownership bitmap: 4 bytes per page of RAM, a power of two, naturally aligned. */
  readonly bitmapBase: PhysicalAddress;
  readonly bitmapSize: number;
}
