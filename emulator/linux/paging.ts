/**
 * Changing the hart's address space: writes of satp, as the instruction, which firmware with mstatus.TVM set traps and checks.
 */
import { Privilege } from '../hart/types';
import { PAGE_SIZE } from '../units';
import { Cost, type Core } from './core';

const CSR_SATP = 0x180;
const SV39 = 8n << 60n;

/** Loads a root table into satp; a fence follows. False when the hart has left S (the firmware checks the write). */
export function loadRoot(core: Core, root: number): boolean {
  core.saveLive();
  core.set({ root, fence: true });
  core.charge(Cost.SWITCH);
  core.hart.csrWrite(CSR_SATP, SV39 | BigInt(root / PAGE_SIZE));
  return core.hart.privilege === Privilege.Supervisor;
}

/** SFENCE.VMA; false when it trapped to the firmware. */
export function fence(core: Core): boolean {
  core.set({ fence: false });
  core.charge(Cost.STEP);
  core.hart.fenceVma();
  return core.hart.privilege === Privilege.Supervisor;
}
