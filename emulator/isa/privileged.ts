// The trapping and privileged instructions (unprivileged manual, "Environment Call and Breakpoints"; privileged manual,
// "Machine-Level ISA" and "Supervisor-Level ISA").
import { Op } from './op';
import type { Row } from './row';

/** The rows, in the order of the manual's listing. */
// prettier-ignore
export const PRIVILEGED: readonly Row[] = [
  { op: Op.ECALL, mnemonic: 'ecall', encoding: '0000000 00000 00000 000 00000 1110011', operands: '',
    semantics: 'trap(ECALL_FROM_U + privilege)' },
  { op: Op.EBREAK, mnemonic: 'ebreak', encoding: '0000000 00001 00000 000 00000 1110011', operands: '',
    semantics: 'trap(BREAKPOINT, pc)' },
  { op: Op.SRET, mnemonic: 'sret', encoding: '0001000 00010 00000 000 00000 1110011', operands: '',
    semantics:
      'if (privilege <u SUPERVISOR || (privilege == SUPERVISOR && (mstatus & TSR) != 0)) { illegal() } returnFromTrap(SUPERVISOR)' },
  { op: Op.MRET, mnemonic: 'mret', encoding: '0011000 00010 00000 000 00000 1110011', operands: '',
    semantics: 'if (privilege <u MACHINE) { illegal() } returnFromTrap(MACHINE)' },
  { op: Op.WFI, mnemonic: 'wfi', encoding: '0001000 00101 00000 000 00000 1110011', operands: '',
    semantics: 'if (privilege == USER || (privilege == SUPERVISOR && (mstatus & TW) != 0)) { illegal() } wait()' },
  { op: Op.SFENCE_VMA, mnemonic: 'sfence.vma', encoding: '0001001 rs2 rs1 000 00000 1110011', operands: 'rs1,rs2',
    semantics:
      'if (privilege == USER || (privilege == SUPERVISOR && (mstatus & TVM) != 0)) { illegal() } fenceTranslations()' },
];
