/** What the monitor and its driver tell the outside, through the machine's outbox. */
import type { Space } from '../emulator/units';
import type { HazardEvent } from './hazards';
import type { TraceEvent } from './trace/events';
import type { EnclaveState, EnclaveType, Instance } from './types';

export type EnclaveEvent =
  /** The driver created an enclave (or shadow template, or server), or a RUN of a template forked an instance. */
  | {
      readonly kind: 'enclave-created';
      readonly instance: Instance;
      readonly type: EnclaveType;
      readonly name: string;
      /** Number the host process sees. */
      readonly eid: number;
      /** The monitor's number of it, of a template among templates. */
      readonly monitorEid: number;
      /** Root page table; undefined for a template that has none of its own. */
      readonly space: Space | undefined;
      /** SHA-256 of the bytes the driver read, lower-case hex. */
      readonly imageHash: string;
      readonly pid: number;
      /** The template an instance was forked from. */
      readonly template?: Instance;
    }
  | { readonly kind: 'enclave-state'; readonly instance: Instance; readonly state: EnclaveState }
  /** Gone: exited, destroyed, killed by a fault, or its owner is gone. */
  | {
      readonly kind: 'enclave-gone';
      readonly instance: Instance;
      readonly why: 'exit' | 'destroy' | 'fault' | 'owner-exited';
      readonly returnValue?: bigint;
    }
  /** Control passed from one world to another. `from`/`to` are undefined for the host. */
  | {
      readonly kind: 'transition';
      readonly name: Transition;
      readonly from: Instance | undefined;
      readonly to: Instance | undefined;
      readonly tid: number;
    }
  /** A fault inside an enclave, told before the enclave is destroyed and while its registers are still on the hart. */
  | {
      readonly kind: 'enclave-fault';
      readonly instance: Instance;
      readonly cause: number;
      readonly address: number;
      readonly what: string;
    }
  /** A report was made. */
  | {
      readonly kind: 'report';
      /** The enclave or template it is about. */
      readonly instance: Instance;
      readonly name: string;
      /** Who asked: the host, another enclave for this server, or the enclave about itself as it is now. */
      readonly askedBy: 'host' | 'enclave' | 'itself';
      /** report_t. */
      readonly bytes: Uint8Array;
    }
  /** A program did what goes wrong on a device: see hazards.ts. */
  | HazardEvent
  /** Every call that reaches monitor and driver, when the launch asks for the trace. */
  | TraceEvent
  /** A diagnostic the real monitor or driver would log. */
  | { readonly kind: 'monitor-log'; readonly text: string };

/** `run`, `resume` and `exit` cross between host and enclave; `call_enclave` and `SERVER_RETURN` between enclaves. */
export type Transition = 'run' | 'resume' | 'ocall' | 'timer' | 'exit' | 'call_enclave' | 'SERVER_RETURN';
