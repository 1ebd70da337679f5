# Entry of a workload, in both worlds: a Linux process starts with a stack, a hart after reset has zeros in its registers.
# Bare metal is the first hart in M-mode with floating point on (mstatus.FS, privileged specification 3.1.6.6).
  .section .text.start, "ax"
  .globl _start
_start:
  .option push
  .option norelax
  la gp, __global_pointer$
  .option pop
  beqz sp, bare
  mv a0, sp
  andi sp, sp, -16
  call linux_main
bare:
  csrr t0, mhartid
  bnez t0, park
  la sp, bare_stack_end
  li t0, 0x6000
  csrs mstatus, t0
  call bare_main
park:
  wfi
  j park

  .bss
  .align 4
  .zero 65536
bare_stack_end:
