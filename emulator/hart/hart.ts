/**
 * One hart: its registers, CSRs, privilege, traps and translations. All of its state is words of the machine's memory
 * (machine/layout.ts); what this object holds besides follows from them and is made anew by `refresh`.
 * Privileged specification, "Trap Entry", "xRET", "WFI". Executes nothing: that is the engine's.
 */
import { va, space, type Space, type VirtualAddress } from '../units';
import type { Clock } from '../machine/clock';
import { CONTEXT_WORDS, hartOffset, HartWord } from '../machine/layout';
import type { PhysicalMemory } from '../machine/memory';
import { CsrFile } from './csr';
import { Status } from './csr-numbers';
import { Mmu } from './mmu';
import { Pmp } from './pmp';
import { highWord, lowWord, pairToBigInt, pairToNumber } from './registers';
import { Translations } from './translations';
import { Cause, Interrupt, Privilege, type Hart as HartInterface, type SavedRegisters } from './types';

/** Interrupts from the most to the least urgent (privileged specification, "Machine Interrupt Registers"). */
const URGENCY = [
  Interrupt.MachineExternal,
  Interrupt.MachineSoftware,
  Interrupt.MachineTimer,
  Interrupt.SupervisorExternal,
  Interrupt.SupervisorSoftware,
  Interrupt.SupervisorTimer,
];

/** Instruction words that a personality's calls stand for, for mtval. */
const SFENCE_VMA = 0x12000073;
const CSRRW_X0_A0 = (10 << 15) | (1 << 12) | 0x73;

const INTERRUPT_HIGH = 1 << 31;

export class Hart implements HartInterface {
  /** The hart's words in the memory; fetched anew after growth. */
  words!: Int32Array;
  private floats!: Float64Array;
  readonly pmp: Pmp;
  readonly mmu: Mmu;
  readonly csr: CsrFile;
  readonly translations: Translations;

  constructor(
    readonly id: number,
    private readonly memory: PhysicalMemory,
    private readonly clock: Clock,
    /** Drops the cached translations of every hart. */
    private readonly flushTranslations: () => void,
  ) {
    this.refresh();
    const words = (): Int32Array => this.words;
    this.pmp = new Pmp(words);
    this.mmu = new Mmu(memory, this.pmp, words);
    this.csr = new CsrFile(
      id,
      words,
      clock,
      this.pmp,
      () => this.timerDue(),
      (what) => {
        if (what === 'pmp') this.flushTranslations();
      },
    );
    this.translations = new Translations(memory, id);
    this.reset();
  }

  /** Fetches the views anew: the memory grew. */
  refresh(): void {
    const offset = hartOffset(this.id);
    this.words = new Int32Array(this.memory.buffer, offset, HartWord.STATE_WORDS);
    this.floats = new Float64Array(this.memory.buffer, offset, HartWord.STATE_WORDS / 2);
  }

  /** State at power-on: M-mode, Bare, no PMP entry, FS off. */
  private reset(): void {
    this.words.fill(0);
    this.words[HartWord.PRIVILEGE] = Privilege.Machine;
    this.floats[HartWord.RESERVATION / 2] = -1;
    this.timer = Infinity;
    this.words[HartWord.MTIMECMP] = -1;
    this.words[HartWord.MTIMECMP + 1] = -1;
    this.pmp.update();
  }

  /** What is held outside the words follows them again: after a restore. */
  stateReplaced(): void {
    this.pmp.update();
    this.translations.flush();
  }

  get privilege(): Privilege {
    return this.words[HartWord.PRIVILEGE]!;
  }
  set privilege(value: Privilege) {
    this.words[HartWord.PRIVILEGE] = value;
  }
  get sleeping(): boolean {
    return this.words[HartWord.SLEEPING] !== 0;
  }
  set sleeping(value: boolean) {
    this.words[HartWord.SLEEPING] = value ? 1 : 0;
  }
  /** Deadline of mtimecmp in ticks. */
  get timer(): number {
    return this.floats[HartWord.TIMER / 2]!;
  }
  set timer(value: number) {
    this.floats[HartWord.TIMER / 2] = value;
  }
  get reservation(): number {
    return this.floats[HartWord.RESERVATION / 2]!;
  }
  set reservation(address: number) {
    this.floats[HartWord.RESERVATION / 2] = address;
  }

  /** The hart's turn ended. */
  leave(now: number): void {
    this.reservation = -1;
    this.floats[HartWord.LEFT_AT / 2] = now;
  }
  /** The hart's turn begins. */
  join(now: number): void {
    this.csr.skipInstructions(now - this.floats[HartWord.LEFT_AT / 2]!);
  }

  get mxr(): boolean {
    return (this.words[HartWord.MSTATUS]! & Status.MXR) !== 0;
  }

  private timerDue(): boolean {
    return this.clock.tick >= this.timer;
  }

  private pair(at: number): number {
    return pairToNumber(this.words[at]!, this.words[at + 1]!);
  }
  private setPair(at: number, value: number): void {
    this.words[at] = lowWord(value);
    this.words[at + 1] = highWord(value);
  }
  private setPair64(at: number, value: bigint): void {
    this.words[at] = Number(BigInt.asIntN(32, value));
    this.words[at + 1] = Number(BigInt.asIntN(32, value >> 32n));
  }

  get pc(): VirtualAddress {
    return va(this.pair(HartWord.PC));
  }
  set pc(value: VirtualAddress) {
    this.setPair(HartWord.PC, value);
  }
  getX(index: number): number {
    return this.pair(HartWord.X + 2 * index);
  }
  setX(index: number, value: number): void {
    if (index !== 0) this.setPair(HartWord.X + 2 * index, value);
  }
  getX64(index: number): bigint {
    return pairToBigInt(this.words[2 * index]!, this.words[2 * index + 1]!);
  }
  setX64(index: number, value: bigint): void {
    if (index !== 0) this.setPair64(HartWord.X + 2 * index, value);
  }
  getF64(index: number): bigint {
    const at = HartWord.F + 2 * index;
    return pairToBigInt(this.words[at]!, this.words[at + 1]!);
  }
  setF64(index: number, value: bigint): void {
    this.setPair64(HartWord.F + 2 * index, value);
  }

  saveRegisters(): SavedRegisters {
    return { words: this.words.slice(0, CONTEXT_WORDS) };
  }
  loadRegisters(saved: SavedRegisters): void {
    this.words.set(saved.words);
    this.words[0] = 0;
    this.words[1] = 0;
  }

  readCsr(csr: number): bigint {
    if (!this.csr.read(csr)) throw new Error(`CSR 0x${csr.toString(16)} is not implemented`);
    return pairToBigInt(this.csr.low, this.csr.high);
  }
  writeCsr(csr: number, value: bigint): void {
    if (!this.csr.read(csr)) throw new Error(`CSR 0x${csr.toString(16)} is not implemented`);
    this.csr.pendingMask = -1;
    this.csr.write(csr, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  }

  get space(): Space | undefined {
    const root = this.csr.rootPage();
    return root < 0 ? undefined : space(root);
  }
  get scause(): number {
    return this.words[HartWord.SCAUSE]! >>> 0;
  }
  get mcause(): number {
    return this.words[HartWord.MCAUSE]! >>> 0;
  }
  get scauseIsInterrupt(): boolean {
    return this.words[HartWord.SCAUSE + 1]! < 0;
  }
  get mcauseIsInterrupt(): boolean {
    return this.words[HartWord.MCAUSE + 1]! < 0;
  }
  get stval(): number {
    return this.pair(HartWord.STVAL);
  }
  set stval(value: number) {
    this.setPair(HartWord.STVAL, value);
  }
  get mtval(): number {
    return this.pair(HartWord.MTVAL);
  }
  set mtval(value: number) {
    this.setPair(HartWord.MTVAL, value);
  }
  get sepc(): VirtualAddress {
    return va(this.pair(HartWord.SEPC));
  }
  set sepc(value: VirtualAddress) {
    this.setPair(HartWord.SEPC, value);
    this.words[HartWord.SEPC]! &= ~1;
  }
  get mepc(): VirtualAddress {
    return va(this.pair(HartWord.MEPC));
  }
  set mepc(value: VirtualAddress) {
    this.setPair(HartWord.MEPC, value);
    this.words[HartWord.MEPC]! &= ~1;
  }

  setPending(interrupt: Interrupt, on: boolean): void {
    if (on) this.words[HartWord.PENDING]! |= 1 << interrupt;
    else this.words[HartWord.PENDING]! &= ~(1 << interrupt);
  }

  /**
   * Raises or lowers the line of an external interrupt (MEIP or SEIP), as an interrupt controller does. mip shows it; what software
   * writes to mip.SEIP is apart from it.
   */
  setLine(interrupt: Interrupt.MachineExternal | Interrupt.SupervisorExternal, on: boolean): void {
    if (on) this.words[HartWord.LINES]! |= 1 << interrupt;
    else this.words[HartWord.LINES]! &= ~(1 << interrupt);
  }

  /** When the timer will end WFI by itself, in ticks; Infinity when it will not. */
  get wakeTime(): number {
    return this.words[HartWord.MIE]! & (1 << Interrupt.MachineTimer) ? this.timer : Infinity;
  }

  /** Root of the space that instructions are fetched from, -1 when addresses are physical. */
  get fetchSpace(): number {
    return this.privilege === Privilege.Machine ? -1 : this.csr.rootPage();
  }

  /** Is an interrupt pending that is enabled in mie, whatever mstatus says: what ends WFI? */
  get wakes(): boolean {
    return (this.csr.pending() & this.words[HartWord.MIE]!) !== 0;
  }

  /** Takes the most urgent interrupt that is enabled now; false when there is none. */
  takeInterrupt(): boolean {
    const ready = this.csr.pending() & this.words[HartWord.MIE]!;
    if (ready === 0) return false;
    const { privilege } = this;
    const status = this.words[HartWord.MSTATUS]!;
    const delegated = this.words[HartWord.MIDELEG]!;
    const machineOpen = privilege < Privilege.Machine || (status & Status.MIE) !== 0;
    const supervisorOpen =
      privilege < Privilege.Supervisor || (privilege === Privilege.Supervisor && (status & Status.SIE) !== 0);
    // Interrupts to M go before all interrupts to S.
    const enabled = (machineOpen ? ready & ~delegated : 0) || (supervisorOpen ? ready & delegated : 0);
    if (enabled === 0) return false;
    this.trap(
      URGENCY.find((interrupt) => enabled & (1 << interrupt))!,
      true,
      0,
      0,
    );
    return true;
  }

  /** Enters the level that handles the cause; the pc in the words is what xepc gets. */
  trap(cause: Cause | Interrupt, interrupt: boolean, tvalLow: number, tvalHigh: number): void {
    const { words } = this;
    const delegated = words[interrupt ? HartWord.MIDELEG : HartWord.MEDELEG]! & (1 << cause);
    const from = words[HartWord.PRIVILEGE]!;
    const status = words[HartWord.MSTATUS]!;
    const toSupervisor = from <= Privilege.Supervisor && delegated !== 0;
    const base = toSupervisor ? HartWord.STVEC : HartWord.MTVEC;
    const [epc, causeAt, tval] = toSupervisor
      ? [HartWord.SEPC, HartWord.SCAUSE, HartWord.STVAL]
      : [HartWord.MEPC, HartWord.MCAUSE, HartWord.MTVAL];
    words[epc] = words[HartWord.PC]!;
    words[epc + 1] = words[HartWord.PC + 1]!;
    words[causeAt] = cause;
    words[causeAt + 1] = interrupt ? INTERRUPT_HIGH : 0;
    words[tval] = tvalLow;
    words[tval + 1] = tvalHigh;
    if (toSupervisor) {
      let next = status & ~(Status.SPP | Status.SPIE | Status.SIE);
      if (from === Privilege.Supervisor) next |= Status.SPP;
      if (status & Status.SIE) next |= Status.SPIE;
      words[HartWord.MSTATUS] = next;
      words[HartWord.PRIVILEGE] = Privilege.Supervisor;
    } else {
      let next = (status & ~(Status.MPP | Status.MPIE | Status.MIE)) | (from << 11);
      if (status & Status.MIE) next |= Status.MPIE;
      words[HartWord.MSTATUS] = next;
      words[HartWord.PRIVILEGE] = Privilege.Machine;
    }
    const vectored = interrupt && words[base]! & 1 ? 4 * cause : 0;
    const start = words[base]! & ~3;
    const pc = (start + vectored) | 0;
    words[HartWord.PC] = pc;
    words[HartWord.PC + 1] = words[base + 1]! + (pc >>> 0 < start >>> 0 ? 1 : 0);
    this.reservation = -1;
    this.sleeping = false;
  }

  mret(): void {
    const { words } = this;
    const status = words[HartWord.MSTATUS]!;
    const to = (status & Status.MPP) >> 11;
    let next = (status & ~(Status.MPP | Status.MIE)) | Status.MPIE;
    if (status & Status.MPIE) next |= Status.MIE;
    if (to !== Privilege.Machine) next &= ~Status.MPRV;
    this.returnTo(to, next, HartWord.MEPC);
  }

  sret(): void {
    const { words } = this;
    const status = words[HartWord.MSTATUS]!;
    let next = (status & ~(Status.SPP | Status.SIE | Status.MPRV)) | Status.SPIE;
    if (status & Status.SPIE) next |= Status.SIE;
    this.returnTo(status & Status.SPP ? Privilege.Supervisor : Privilege.User, next, HartWord.SEPC);
  }

  private returnTo(privilege: Privilege, status: number, epc: HartWord): void {
    const { words } = this;
    words[HartWord.MSTATUS] = status;
    words[HartWord.PRIVILEGE] = privilege;
    words[HartWord.PC] = words[epc]!;
    words[HartWord.PC + 1] = words[epc + 1]!;
    // A context switch may lie between a load-reserved and its store-conditional.
    this.reservation = -1;
  }

  ecall(): void {
    this.trap(Cause.EcallFromUser + this.privilege, false, 0, 0);
  }
  waitForInterrupt(): void {
    this.sleeping = true;
  }
  fenceVma(): void {
    if (this.privilege === Privilege.Supervisor && this.words[HartWord.MSTATUS]! & Status.TVM)
      return this.trap(Cause.IllegalInstruction, false, SFENCE_VMA, 0);
    this.flushTranslations();
  }
  csrWrite(csr: number, value: bigint): void {
    this.setX64(10, value);
    if (this.csr.permitted(csr, this.privilege, true)) this.writeCsr(csr, value);
    else this.trap(Cause.IllegalInstruction, false, (csr << 20) | CSRRW_X0_A0, 0);
  }
}
