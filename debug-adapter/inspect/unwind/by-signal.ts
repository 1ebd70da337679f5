/**
 * The frame that Linux leaves on the stack when it delivers a signal: `struct rt_sigframe` of arch/riscv, found by the two
 * instructions that a handler returns to. The interrupted registers are all in it.
 */
import { F0, RegisterSet, SP } from './registers';
import { readWord, type Caller, type MemoryReader } from './types';

/** `li a7, 139` (rt_sigreturn) and `ecall`. */
const TRAMPOLINE = [0x93, 0x08, 0xb0, 0x08, 0x73, 0x00, 0x00, 0x00];
/** siginfo (128 bytes), then ucontext up to its mcontext: flags, link, stack, a mask padded to 1024 bits, alignment to 16. */
const MCONTEXT = 128n + 176n;
const FLOATS = 32n * 8n;

/** Does the code that returns from a signal handler begin at this address? */
export function isSignalTrampoline(pc: bigint, memory: MemoryReader): boolean {
  const code = memory.readMemory(pc, TRAMPOLINE.length);
  return code !== undefined && TRAMPOLINE.every((byte, i) => code[i] === byte);
}

/** What was interrupted, from the frame at the stack pointer; undefined when it cannot be read. */
export function callerBySignal(registers: RegisterSet, memory: MemoryReader): Caller | undefined {
  const sp = registers.get(SP);
  if (sp === undefined) return undefined;
  const mcontext = sp + MCONTEXT;
  const pc = readWord(memory, mcontext);
  if (pc === undefined) return undefined;
  const caller = new RegisterSet(pc);
  const take = (register: number, address: bigint): void => {
    const value = readWord(memory, address);
    if (value !== undefined) caller.set(register, value, { memory: address });
  };
  for (let x = 1; x < 32; x++) take(x, mcontext + BigInt(8 * x));
  for (let f = 0; f < 32; f++) take(F0 + f, mcontext + FLOATS + BigInt(8 * f));
  return { cfa: sp, registers: caller, foundBy: 'signal', exact: true };
}
