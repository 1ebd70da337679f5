/**
 * Ecalls from S-mode: the standard SBI as far as one hart with a timer needs it, and the host's side of Penglai (extension 0x100100).
 * Source: RISC-V SBI specification, chapters Base, Timer, IPI, RFENCE, System Reset, legacy; Penglai-TVM's host interface.
 */
import { Interrupt } from '../emulator/hart/types';
import { Csr, Sbi, SbiExtension } from './abi';
import { destroy, destroyShadow, resume, run, schrodingerInit, stop } from './control';
import type { Core } from './core';
import { create } from './create';
import { runShadow } from './fork';
import { memoryExtend, memoryReclaim } from './own-memory';
import { releaseTransferred } from './relays';
import { mapPte, setPte } from './page-tables';
import { attest } from './report';
import { separate, smInit } from './table-area';

const SBI_SUCCESS = 0;
const SBI_ERR_NOT_SUPPORTED = -2;
const SBI_ERR_INVALID_PARAM = -3;
/** SBI 0.2, as the firmware the monitor is made for. */
const SPEC_VERSION = 2;

/** Deadlines from here on are no deadlines. */
const NEVER = 2n ** 53n;
const ENABLE_TIMER = 1n << BigInt(Interrupt.MachineTimer);

export function sbiCall(m: Core): void {
  const { hart } = m;
  const extension = hart.getX(17);
  const fid = hart.getX(16);
  switch (extension) {
    case SbiExtension.PENGLAI:
      return penglai(m, fid);
    case SbiExtension.BASE:
      return base(m, fid);
    case SbiExtension.TIME:
    case SbiExtension.LEGACY_SET_TIMER:
      if (extension === SbiExtension.TIME && fid !== 0) return m.finishSbi(SBI_ERR_NOT_SUPPORTED, 0);
      setTimer(m);
      return m.finishSbi(SBI_SUCCESS, 0);
    case SbiExtension.IPI:
      // hart_mask, hart_mask_base: this hart is the only one.
      hart.setPending(Interrupt.SupervisorSoftware, true);
      return m.finishSbi(SBI_SUCCESS, 0);
    case SbiExtension.RFENCE:
      hart.fenceVma();
      return m.finishSbi(fid <= 2 ? SBI_SUCCESS : SBI_ERR_NOT_SUPPORTED, 0);
    case SbiExtension.SRST:
      if (hart.getX(10) > 2 || fid !== 0) return m.finishSbi(SBI_ERR_INVALID_PARAM, 0);
      m.options.halt();
      return m.finishSbi(SBI_SUCCESS, 0);
    case SbiExtension.LEGACY_SHUTDOWN:
      m.options.halt();
      return m.finishSbi(SBI_SUCCESS, 0);
    default:
      return m.finishSbi(SBI_ERR_NOT_SUPPORTED, 0);
  }
}

function base(m: Core, fid: number): void {
  const probe = m.hart.getX(10);
  const known = Object.values(SbiExtension) as number[];
  // get_spec_version, impl_id (none assigned: 0xff), impl_version, probe_extension, mvendorid, marchid, mimpid.
  const answers = [SPEC_VERSION, 0xff, 1, known.includes(probe) ? 1 : 0, 0, 0, 0];
  const value = answers[fid];
  m.finishSbi(value === undefined ? SBI_ERR_NOT_SUPPORTED : SBI_SUCCESS, value ?? 0);
}

/** The next timer interrupt of S-mode; also ends a pending one. */
function setTimer(m: Core): void {
  const { hart } = m;
  const at = hart.getX64(10) * BigInt(m.options.ticksPerTime);
  m.options.setTimer(hart, at < NEVER ? Number(at) : Infinity);
  hart.setPending(Interrupt.SupervisorTimer, false);
  hart.writeCsr(Csr.mie, hart.readCsr(Csr.mie) | ENABLE_TIMER);
}

/** ATTEST's nonce: a2, its upper half also in a3 for callers that pass it in halves. */
const nonceOf = (m: Core): bigint => BigInt.asUintN(64, m.hart.getX64(12) | (m.hart.getX64(13) << 32n));

/** The host's calls, by function number. */
const CALLS: Readonly<Record<number, (m: Core, a: readonly number[]) => void>> = {
  [Sbi.SM_INIT]: (m, [a0, a1, a2, a3, a4]) => smInit(m, a0!, a1!, a2!, a3!, a4!),
  [Sbi.PT_AREA_SEPARATION]: (m, [a0, a1]) => separate(m, a0!, a1!),
  [Sbi.SET_PTE]: (m, [a0, a1, a2, a3]) => setPte(m, a0!, a1!, a2!, a3!),
  [Sbi.MAP_PTE]: (m, [a0, a1]) => mapPte(m, a0!, a1!),
  [Sbi.CREATE_ENCLAVE]: (m, [a0]) => create(m, 'NORMAL', a0!),
  [Sbi.CREATE_SERVER_ENCLAVE]: (m, [a0]) => create(m, 'SERVER', a0!),
  [Sbi.CREATE_SHADOW_ENCLAVE]: (m, [a0]) => create(m, 'SHADOW', a0!),
  [Sbi.RUN_ENCLAVE]: (m, [a0, a1]) => run(m, a0!, a1!),
  [Sbi.RUN_SHADOW_ENCLAVE]: (m, [a0, a1]) => runShadow(m, a0!, a1!),
  [Sbi.RESUME_ENCLAVE]: (m, [a0, a1, a2, a3, a4]) => resume(m, a0!, a1!, a2!, a3!, a4!),
  [Sbi.STOP_ENCLAVE]: (m, [a0, a1]) => stop(m, a0!, a1!),
  [Sbi.DESTROY_ENCLAVE]: (m, [a0, a1, a2]) => destroy(m, a0!, a1!, a2!, 'NORMAL'),
  [Sbi.DESTROY_SERVER_ENCLAVE]: (m, [a0, a1, a2]) => destroy(m, a0!, a1!, a2!, 'SERVER'),
  [Sbi.DESTROY_SHADOW_ENCLAVE]: (m, [a0, a1, a2]) => destroyShadow(m, a0!, a1!, a2!),
  [Sbi.ATTEST_ENCLAVE]: (m, [a0, a1]) => attest(m, a0!, a1!, nonceOf(m), false),
  [Sbi.ATTEST_SHADOW_ENCLAVE]: (m, [a0, a1]) => attest(m, a0!, a1!, nonceOf(m), true),
  [Sbi.MEMORY_EXTEND]: (m, [a0, a1]) => memoryExtend(m, a0!, a1!),
  [Sbi.MEMORY_RECLAIM]: (m) => memoryReclaim(m),
  [Sbi.SCHRODINGER_INIT]: (m, [a0, a1]) => schrodingerInit(m, a0!, a1!),
  [Sbi.RELAY_RELEASE]: (m, [a0, a1]) => releaseTransferred(m, a0!, a1!),
  [Sbi.DEBUG_PRINT]: (m) => m.answer(0),
};

/** What a kernel does before its tables are guarded; these look after themselves. */
const SET_UP: ReadonlySet<number> = new Set([Sbi.SM_INIT, Sbi.PT_AREA_SEPARATION, Sbi.SET_PTE, Sbi.MAP_PTE]);

/** Is what becomes private out of the host's sight? Its tables must be the only way to memory, and be in use; TVM keeps it so. */
function guarded(m: Core): boolean {
  if (!m.state.bitmap) return false;
  return m.holds('separatedFirst', m.state.separated) && m.holds('hostPaging', m.hart.space !== undefined);
}

function penglai(m: Core, fid: number): void {
  const call = CALLS[fid];
  if (!call) return m.finishSbi(SBI_ERR_NOT_SUPPORTED, 0);
  if (!SET_UP.has(fid) && !guarded(m)) {
    m.log('the page tables of the host are not guarded yet: SM_INIT, PT_AREA_SEPARATION and satp come first');
    return m.error();
  }
  call(
    m,
    [0, 1, 2, 3, 4, 5].map((i) => m.hart.getX(10 + i)),
  );
}
