/**
 * Which hazard a fault inside an enclave is: from the cause, the address or instruction, and where the enclave's memory lies. Only
 * words depend on it: every fault ends the enclave. (Privileged specification, mcause and mtval; the SDK's link layout.)
 */
import { csrName } from '../emulator/isa/csr';
import { disassemble } from '../emulator/isa/disassemble';
import { Cause } from '../emulator/hart/types';
import { PAGE_SIZE } from '../emulator/units';
import { Csr, EnclaveVa } from './abi';
import type { Core } from './core';
import { readVirtual, translate } from './enclave-tables';
import { hex, type HazardArguments, type HazardCode } from './hazards';
import { hazardArguments } from './permission';
import { headOf } from './lifecycle';
import type { Enclave } from './state';

type Found = readonly [HazardCode, HazardArguments];

/** The fault of the enclave on the hart, before it is killed; and, when it is a server, what becomes of its caller. */
export function raiseFault(m: Core, cause: number, value: number): void {
  const enclave = m.enclave(m.state.running)!;
  m.hazard(...classify(m, enclave, cause, value));
  const head = headOf(m, enclave);
  if (head !== enclave) m.hazard('server-fault', hazardArguments(m, head, { server: `"${enclave.name}"` }));
}

function classify(m: Core, enclave: Enclave, cause: number, value: number): Found {
  switch (cause as Cause) {
    case Cause.Breakpoint:
      return ['fault-ebreak', {}];
    case Cause.IllegalInstruction:
      return illegal(m, enclave, value);
    case Cause.InstructionPageFault:
    case Cause.InstructionAccessFault:
      return ['fault-jump', { address: hex(value) }];
    case Cause.LoadPageFault:
    case Cause.LoadAccessFault:
      return memory(m, enclave, 'load', value);
    case Cause.StorePageFault:
    case Cause.StoreAccessFault:
      return memory(m, enclave, 'store', value);
    default:
      return ['fault-other', { what: `cause ${cause}, value ${hex(value)}` }];
  }
}

/** errno lies this far below tp, which is 0, at most. */
const ERRNO_REACH = 2 * PAGE_SIZE;

function memory(m: Core, { root }: Enclave, access: 'load' | 'store', address: number): Found {
  const args = { access, address: hex(address) };
  if (address >= 0 && address < PAGE_SIZE) return ['fault-null', args];
  if (address < 0) return [m.hart.getX(4) === 0 && address >= -ERRNO_REACH ? 'fault-errno' : 'fault-kernel', args];
  if (access === 'store' && translate(m, root, address, 'read') !== undefined) return ['fault-text', args];
  // Nothing else is between the areas of mmap and the stack.
  if (address >= EnclaveVa.MMAP_TOP && address < EnclaveVa.STACK_TOP) return ['fault-stack', args];
  return ['fault-address', args];
}

const WFI = 0x10500073;
const SYSTEM = 0x73;
/** Major opcodes of F and D: LOAD-FP, STORE-FP, the fused ones, OP-FP. */
const FLOAT = new Set([0x07, 0x27, 0x43, 0x47, 0x4b, 0x4f, 0x53]);
/** c.fld, c.fldsp, c.fsd, c.fsdsp: quadrants 0 and 2, funct3 1 and 5. */
const isCompressedFloat = (bits: number): boolean =>
  ((bits & 3) === 0 || (bits & 3) === 2) && (((bits >> 13) & 7) === 1 || ((bits >> 13) & 7) === 5);

function illegal(m: Core, enclave: Enclave, value: number): Found {
  const bits = (value !== 0 ? value : fetched(m, enclave)) >>> 0;
  const { text } = disassemble(bits, m.hart.mepc);
  const instruction = text;
  if (bits === WFI) return ['fault-wfi', {}];
  const compressed = (bits & 3) !== 3;
  if (compressed ? isCompressedFloat(bits) : FLOAT.has(bits & 0x7f)) return ['fault-fp', { instruction }];
  const funct3 = (bits >>> 12) & 7;
  if (compressed || (bits & 0x7f) !== SYSTEM || (funct3 & 3) === 0) return ['fault-illegal', { instruction }];
  const csr = bits >>> 20;
  // fflags, frm, fcsr.
  if (csr >= 1 && csr <= 3) return ['fault-fp', { instruction }];
  const writes = (funct3 & 3) === 1 || ((bits >>> 15) & 31) !== 0;
  if (csr === Csr.satp && !writes) return ['csr-read-satp', { instruction }];
  return ['fault-csr', { instruction, csr: csrName(csr) }];
}

/** What lies at the pc, for harts that do not tell. */
function fetched(m: Core, enclave: Enclave): number {
  const low = readVirtual(m, enclave, m.hart.mepc, 2);
  if (!low) return 0;
  const half = low[0]! + low[1]! * 256;
  const high = (half & 3) === 3 ? readVirtual(m, enclave, m.hart.mepc + 2, 2) : undefined;
  return high ? half + (high[0]! + high[1]! * 256) * 65536 : half;
}
