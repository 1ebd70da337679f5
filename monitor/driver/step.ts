/** The plain data a step of the driver leaves for the next one, by what is to be done. */
import type {
  DeviceCaller,
  DeviceInput,
  DeviceStep,
  Kernel,
  PhysicalRange,
  SbiCall,
} from '../../emulator/linux/device';
import type { ImageDigest } from '../../emulator/linux/image-hash';
import { pa } from '../../emulator/units';
import type { Driver } from './core';
import type { ElfPlan } from './elf';
import type { Image } from './image';
import type { Block, EnclaveRecord, Table } from './state';

/** Fields of penglai_enclave_user_param the driver reads. */
export interface UserParams {
  readonly eid: number;
  readonly name: string;
  readonly type: number;
  readonly elf: number;
  readonly elfSize: number;
  readonly stackSize: number;
  readonly shmid: number;
  readonly isShadow: number;
  readonly shmOffset: number;
  readonly shmSize: number;
  readonly relayId: number;
  readonly rerunReason: number;
  readonly relayOffset: number;
  readonly relaySize: number;
}

/** The ioctl a step belongs to: where its argument is, and the bytes that go back there at the end. */
export interface Request {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** A CREATE that has its memory. */
export interface Creation {
  readonly request: Request;
  readonly param: UserParams;
  readonly image: Image;
  readonly hash: string;
  readonly plan: ElfPlan;
  readonly pool: Block;
  readonly shared: Block;
}

/** Inside RUN; `eid` and `serial` name the enclave, which may vanish meanwhile. */
export interface Running {
  readonly request: Request;
  readonly eid: number;
  readonly serial: number;
  readonly instance: boolean;
  /** The monitor took it: an error from now on is the enclave's end. */
  readonly started: boolean;
  /** RUN again with the pages the enclave had returned; until the monitor has let it go on. */
  readonly returned?: { readonly pa: number; readonly size: number } | undefined;
  /** Whose it was before, for when the monitor refuses it. */
  readonly before?: Pick<EnclaveRecord, 'pid' | 'space'>;
}

/** STOP, RESUME, DESTROY or ATTEST of an enclave; no request: a command from outside. */
export interface Asking {
  readonly what: 'stop' | 'resume' | 'destroy' | 'attest';
  readonly eid: number;
  readonly serial: number;
  readonly request: Request | undefined;
  readonly tries: number;
}

export type Step =
  /** Old content of new memory is zeroed, a piece per step. */
  | { readonly at: 'zero'; readonly ranges: readonly PhysicalRange[]; readonly then: Step }
  /** SHMGET, SCHRODINGER_GET: the memory is there. */
  | {
      readonly at: 'region';
      readonly request: Request;
      readonly table: 'shm' | 'relay';
      readonly size: number;
      readonly block: Block;
    }
  /** Regions are freed one by one where nothing holds them; `asked`: the monitor gave back what waited to be taken. */
  | {
      readonly at: 'freed';
      readonly regions: readonly { readonly table: Table; readonly id: number }[];
      readonly asked?: boolean;
      readonly then: Step;
    }
  | { readonly at: 'calls'; readonly calls: readonly SbiCall[]; readonly then: Step }
  /** Everything that a process left behind has been reclaimed. */
  | { readonly at: 'left' }
  | { readonly at: 'finish'; readonly request: Request; readonly value: number }
  /** CREATE: the argument is copied; what follows may meet pages that are not there yet, and must not copy it again. */
  | { readonly at: 'begin'; readonly request: Request; readonly param: UserParams }
  /** CREATE: the image is read, its pages are filled, its tables are written, the monitor is asked. */
  | {
      readonly at: 'read';
      readonly request: Request;
      readonly param: UserParams;
      /** What has been read. */
      readonly image: Image;
      readonly digest: ImageDigest;
    }
  | {
      readonly at: 'plan';
      readonly request: Request;
      readonly param: UserParams;
      readonly image: Image;
      readonly hash: string;
    }
  /** `done` bytes of the piece number `index` are in place. */
  | { readonly at: 'fill'; readonly creation: Creation; readonly index: number; readonly done: number }
  /** `index` leaf tables are written. */
  | { readonly at: 'tables'; readonly creation: Creation; readonly index: number }
  | { readonly at: 'create'; readonly creation: Creation; readonly eid: number }
  | { readonly at: 'created'; readonly creation: Creation; readonly eid: number }
  | { readonly at: 'not-created'; readonly creation: Creation; readonly eid: number }
  /** The monitor was given memory of its own, for what is to be done then; or has none to give back. */
  | { readonly at: 'extended'; readonly block: Block; readonly then: Step; readonly failed: Step }
  | { readonly at: 'taken-back' }
  /** RUN: the call is made; its result is looked at; the host gives way, or waits for a stopped enclave. */
  | { readonly at: 'run'; readonly running: Running; readonly call: SbiCall }
  | { readonly at: 'ran'; readonly running: Running; readonly call?: SbiCall | undefined }
  /** There is no memory for what the monitor or the enclave needs. */
  | { readonly at: 'no-memory'; readonly running: Running }
  | { readonly at: 'waited'; readonly running: Running }
  | { readonly at: 'killed'; readonly running: Running; readonly value: number }
  | { readonly at: 'grant'; readonly running: Running; readonly ocall: number; readonly block: Block }
  | { readonly at: 'granted'; readonly running: Running; readonly ocall: number; readonly block: Block }
  /** STOP, RESUME, DESTROY, ATTEST: the monitor has been asked. */
  | ({ readonly at: 'asked' } & Asking)
  | ({ readonly at: 'ask-again' } & Asking)
  /** A process is gone: its enclaves are destroyed one by one, `asked` is the last one; `skip` are serials that could not be. */
  | {
      readonly at: 'reclaim';
      readonly pid: number;
      readonly asked: { readonly eid: number; readonly serial: number } | undefined;
      readonly skip: readonly number[];
    };

/** What every handler of a step gets. */
export interface Turn {
  readonly driver: Driver;
  readonly kernel: Kernel;
  readonly caller: DeviceCaller;
  readonly input: DeviceInput;
}

/** Bytes zeroed in one step: about 0.1 ms. */
const ZERO_PER_STEP = 256 * 1024;

/** The step that zeroes ranges before `then`. */
export const zero = (ranges: readonly PhysicalRange[], then: Step): Step =>
  ranges.length === 0 ? then : { at: 'zero', ranges, then };

export function zeroPiece({ kernel }: Turn, { ranges, then }: Step & { at: 'zero' }): DeviceStep {
  const [first, ...rest] = ranges;
  const length = Math.min(first!.length, ZERO_PER_STEP);
  kernel.port.fill(kernel.linear(first!.address), length, 0);
  const left = { address: pa(first!.address + length), length: first!.length - length };
  return goOn(length >> 4, zero(left.length > 0 ? [left, ...rest] : rest, then));
}

export const finish = (request: Request, value: number): Step => ({ at: 'finish', request, value });

/** Asks the firmware; the next step finds the result in `input.sbi`. */
export const ask = (call: SbiCall, state: Step): DeviceStep => ({ do: 'sbi', call, state });
/** On with another step, after this one's cost. */
export const goOn = (ticks: number, state: Step): DeviceStep => ({ do: 'work', ticks, state });
