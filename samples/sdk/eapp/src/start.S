/*
 * Where the monitor enters an enclave. Stores the registers it set (for EAPP_RESERVE_REG) and jumps to main().
 *
 * The SDK's contract for the frame: 256 bytes below the stack top, register xi at 8*i, x0 and x2 not written. Storing here rather
 * than in main() keeps main()'s own frame the compiler's: right with and without a frame pointer.
 * It is a jump, not a call: ra stays 0 and main() is the outermost frame. t0 is the scratch register.
 * Built without line information, so that stepping into a server reaches its main().
 */
        .cfi_sections .debug_frame
        .section .text._entry, "ax", @progbits
        .globl  _start
        .type   _start, @function
_start:
        .cfi_startproc
        .cfi_undefined ra
        addi    sp, sp, -256
        .cfi_def_cfa_offset 256
        sd      x1, 1*8(sp)
        sd      x3, 3*8(sp)
        sd      x4, 4*8(sp)
        sd      x5, 5*8(sp)
        sd      x6, 6*8(sp)
        sd      x7, 7*8(sp)
        sd      x8, 8*8(sp)
        sd      x9, 9*8(sp)
        sd      x10, 10*8(sp)
        sd      x11, 11*8(sp)
        sd      x12, 12*8(sp)
        sd      x13, 13*8(sp)
        sd      x14, 14*8(sp)
        sd      x15, 15*8(sp)
        sd      x16, 16*8(sp)
        sd      x17, 17*8(sp)
        sd      x18, 18*8(sp)
        sd      x19, 19*8(sp)
        sd      x20, 20*8(sp)
        sd      x21, 21*8(sp)
        sd      x22, 22*8(sp)
        sd      x23, 23*8(sp)
        sd      x24, 24*8(sp)
        sd      x25, 25*8(sp)
        sd      x26, 26*8(sp)
        sd      x27, 27*8(sp)
        sd      x28, 28*8(sp)
        sd      x29, 29*8(sp)
        sd      x30, 30*8(sp)
        sd      x31, 31*8(sp)
        lla     t0, __eapp_entry_registers
        sd      sp, 0(t0)
        tail    main
        .cfi_endproc
        .size   _start, . - _start

        .section .bss
        .balign 8
        .globl  __eapp_entry_registers
        .type   __eapp_entry_registers, @object
        .size   __eapp_entry_registers, 8
__eapp_entry_registers:
        .zero   8

        .section .note.GNU-stack, "", @progbits
