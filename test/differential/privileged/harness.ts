/**
 * The part that all programs of a batch share, in M-mode without translation: start-up, the trap handler, the end.
 *
 * The handler logs every trap and goes on behind the instruction (instructions stand in slots of 4 bytes); after a failed fetch it goes
 * on at x30. It ends the step on an environment call with MAGIC in x17 and where going on would lead nowhere.
 * A handler of S-mode can rely on nothing but that it is fetched: it is `ebreak`, which is never delegated, so that M-mode
 * logs and mends on its behalf, then `sret`.
 *
 * Known difference, excluded here: QEMU 7.2 sets xtval to 0 on ebreak, this machine to the address of the ebreak. The privileged manual
 * allows both ("Machine Trap Value Register"). The handler logs 0 and clears mtval.
 * With one hart QEMU makes an AMO of a load and a store, so that its faults are a load's; so it gets a second one, which is parked.
 */
import { assemble } from '../../unit/assembler';
import { LOG_RECORD, MAGIC, RAM, SAVE, Saved } from './layout';

/** Bytes of ebreaks at the start of the S-mode handler, one for every vector; sret stands behind them. */
export const VECTOR_BYTES = 64;

const all = (from: number, to: number, line: (n: number) => string): string =>
  Array.from({ length: to - from + 1 }, (_, i) => line(from + i)).join('\n');

const LOG_TRAP = `
  csrr x4,mcause
  csrr x5,mepc
  li x8,3
  bne x4,x8,other
  csrw mtval,zero
other:
  csrr x6,mtval
  csrr x7,mstatus
  ld x2,${Saved.LOG}(x31)
  ld x3,${Saved.LOG_END}(x31)
  bgeu x2,x3,overflow
  addi x3,x2,${LOG_RECORD / 2}
  addi x3,x3,${LOG_RECORD / 2}
  sd x3,${Saved.LOG}(x31)
  sd x4,0(x2)
  sd x5,8(x2)
  sd x6,16(x2)
  sd x7,24(x2)
  csrr x8,mip
  sd x8,32(x2)`;

/** Is the trap a fetch's, or an environment call with MAGIC? x4 is the cause; x8, x9 and x17 are used. */
const SORT = (fetch: string, call: string): string => `
  li x8,1
  beq x4,x8,${fetch}
  li x8,12
  beq x4,x8,${fetch}
  addi x8,x4,-8
  li x9,4
  bgeu x8,x9,${call}other
  ld x9,${8 * 17}(x31)
  li x8,${MAGIC}
  beq x9,x8,endstep
${call}other:`;

const MACHINE_TRAP = `
  li x9,1
  bge x4,zero,exception
  sll x9,x9,x4
  csrrc zero,mie,x9
  j resume
exception:
  ld x10,${Saved.HANDLER}(x31)
  sub x11,x5,x10
  li x8,3
  bne x4,x8,nohandler
  li x8,${VECTOR_BYTES}
  bltu x11,x8,supervisor
nohandler:
  li x8,${VECTOR_BYTES}
  beq x11,x8,endstep
  ${SORT('fetch', 'm')}
  andi x5,x5,-4
  addi x5,x5,4
  csrw mepc,x5
  j resume
fetch:
  ld x8,${8 * 30}(x31)
  beq x5,x8,endstep
  csrw mepc,x8
  j resume`;

const SUPERVISOR_TRAP = `
supervisor:
  csrr x4,scause
  csrr x5,sepc
  csrr x6,stval
  csrr x7,sstatus
  sd x4,64(x2)
  sd x5,72(x2)
  sd x6,80(x2)
  sd x7,88(x2)
  addi x8,x10,${VECTOR_BYTES}
  csrw mepc,x8
  beq x5,x8,endstep
  bge x4,zero,sexception
  li x9,1
  sll x9,x9,x4
  csrrc zero,mie,x9
  j resume
sexception:
  ${SORT('sfetch', 's')}
  andi x5,x5,-4
  addi x5,x5,4
  csrw sepc,x5
  j resume
sfetch:
  ld x8,${8 * 30}(x31)
  beq x5,x8,endstep
  csrw sepc,x8`;

const source = (first: number): string => `
  csrr x30,mhartid
  beqz x30,awake
asleep:
  wfi
  j asleep
awake:
  li x31,${SAVE}
  csrw mscratch,x31
  la x30,handler
  csrw mtvec,x30
  li x30,0x2004000
  li x29,-1
  sd x29,0(x30)
  li x30,${first}
  jalr zero,0(x30)
finish:
  li x10,0x100000
  li x11,0x5555
  sw x11,0(x10)
spin:
  j spin
.align 2
handler:
  csrrw x31,mscratch,x31
  csrrc zero,mstatus,x31
  ${all(1, 30, (n) => `sd x${n},${8 * n}(x31)`)}
  csrrw x1,mscratch,x31
  sd x1,${8 * 31}(x31)
  ${LOG_TRAP}
  ${MACHINE_TRAP}
  ${SUPERVISOR_TRAP}
resume:
  ${all(1, 30, (n) => `ld x${n},${8 * n}(x31)`)}
  ld x31,${8 * 31}(x31)
  mret
overflow:
  ld x1,${Saved.EPILOGUE}(x31)
  sd x1,${Saved.NEXT}(x31)
endstep:
  ${all(1, 30, (n) => `ld x${n},${8 * n}(x31)`)}
  ld x30,${Saved.NEXT}(x31)
  jalr zero,0(x30)
`;

export interface Harness {
  readonly bytes: Uint8Array;
  /** Where the last program jumps to. */
  readonly finish: number;
}

/** @param first where the first program begins */
export function harness(first: number): Harness {
  const { bytes, labels } = assemble(RAM, source(first));
  return { bytes, finish: labels.get('finish')! };
}
