/**
 * A handler of exceptions in guest code, for M-mode or S-mode: remembers what it saw and goes on behind the instruction. System calls:
 * write does nothing, exit ends the machine. Interrupts (M-mode) are counted: a timer's comes again after an interval, software's ends.
 */
import { assemble } from '../../unit/assembler';

/** Offsets in the area that mscratch or sscratch points to. */
export const Save = { SEEN: 32, COUNT: 40, INTERVAL: 48, BYTES: 64 } as const;

const MSIP = 0x2000000;
const MTIMECMP = 0x2004000;
const FINISHER = 0x100000;
/** What ends the machine when it is written to the finisher. */
const PASS = 0x5555;

const INTERRUPT = `
    interrupt: csrrs t4,mhartid,zero
    slli t5,t5,1
    addi t3,zero,6
    beq t5,t3,software
    lui t5,${MTIMECMP >> 12}
    sh3add t4,t4,t5
    ld t3,${Save.INTERVAL}(t6)
    ld t5,0(t4)
    add t5,t5,t3
    sd t5,0(t4)
    j out
    software: lui t5,${MSIP >> 12}
    sh2add t4,t4,t5
    sw zero,0(t4)
    j out`;

const EXIT = `
    exit: lui t4,${FINISHER >> 12}
    lui t5,5
    addi t5,t5,${PASS & 0xfff}
    sw t5,0(t4)
    stay: j stay`;

/** `mode`: the level that the handler runs at. */
export function handler(origin: number, mode: 'm' | 's'): Uint8Array {
  const m = mode === 'm';
  // With MPRV the load sees what the interrupted code saw; S-mode has SUM set.
  const [borrow, giveBack] = m ? ['lui t3,32\ncsrrs zero,mstatus,t3', 'lui t3,32\ncsrrc zero,mstatus,t3'] : ['', ''];
  return assemble(
    origin,
    `
    csrrw t6,${mode}scratch,t6
    sd t5,0(t6)
    sd t4,8(t6)
    sd t3,16(t6)
    ld t4,${Save.COUNT}(t6)
    addi t4,t4,1
    sd t4,${Save.COUNT}(t6)
    csrrs t5,${mode}cause,zero
    ${m ? 'blt t5,zero,interrupt' : ''}
    ld t4,${Save.SEEN}(t6)
    slli t3,t4,5
    add t4,t4,t3
    add t4,t4,t5
    csrrs t3,${mode}tval,zero
    xor t4,t4,t3
    csrrs t3,${mode}epc,zero
    add t4,t4,t3
    sd t4,${Save.SEEN}(t6)
    addi t4,zero,8
    beq t5,t4,call
    addi t4,zero,9
    beq t5,t4,call
    addi t4,zero,11
    beq t5,t4,call
    csrrs t4,${mode}epc,zero
    ${borrow}
    lhu t5,0(t4)
    ${giveBack}
    andi t5,t5,3
    addi t3,zero,3
    bne t5,t3,short
    addi t4,t4,2
    short: addi t4,t4,2
    csrrw zero,${mode}epc,t4
    out: ld t3,16(t6)
    ld t4,8(t6)
    ld t5,0(t6)
    csrrw t6,${mode}scratch,t6
    ${mode}ret
    call: addi t4,zero,93
    ${m ? 'beq a7,t4,exit' : ''}
    csrrs t4,${mode}epc,zero
    addi t4,t4,4
    csrrw zero,${mode}epc,t4
    j out
    ${m ? INTERRUPT + EXIT : ''}`,
  ).bytes;
}
