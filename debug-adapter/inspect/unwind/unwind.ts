/**
 * One step up the stack: from the registers of a frame to those of its caller. Pure: it asks for memory and images, and serves a
 * running machine, a past state and a test alike. Call frame information comes first; without it the code itself is read.
 * Never guesses silently: every caller says how it was found.
 */
import { SymbolError } from '../../symbols/bytes';
import { callerByCfi } from './by-cfi';
import { callerByEpilogue, type CodeRange } from './by-epilogue';
import { callerByPrologue } from './by-prologue';
import { callerBySignal, isSignalTrampoline } from './by-signal';
import { RA, RegisterSet, SP } from './registers';
import { failure, hex, inFile, outermost, type Caller, type Image, type NoCaller, type UnwindContext } from './types';

export { RegisterSet } from './registers';
export type { Home } from './registers';
export type { Caller, FoundBy, Image, MemoryReader, NoCaller, UnwindContext } from './types';

/**
 * Finds the caller of a frame.
 * @param exact the frame was stopped at its pc (the innermost one, or one that a signal interrupted); otherwise it called
 *   from the instruction before its pc, and that is where its rules are looked up
 */
export function unwindFrame(registers: RegisterSet, exact: boolean, context: UnwindContext): Caller | NoCaller {
  const found = findCaller(registers, exact, context);
  if ('end' in found) return found;
  const { pc } = found.registers;
  if (pc === 0n) return outermost('outermost frame: its return address is 0', found.cfa);
  if (context.imageAt(pc) || isSignalTrampoline(pc, context)) return found;
  return outermost(`its return address ${hex(pc)} is in no loaded program`, found.cfa);
}

/** Where the rules and the source position of a frame are looked up. */
export function lookupPc(registers: RegisterSet, exact: boolean): bigint {
  return exact ? registers.pc : BigInt.asUintN(64, registers.pc - 1n);
}

function findCaller(registers: RegisterSet, exact: boolean, context: UnwindContext): Caller | NoCaller {
  if (isSignalTrampoline(registers.pc, context)) {
    return callerBySignal(registers, context) ?? failure('the frame of the signal cannot be read');
  }
  const pc = lookupPc(registers, exact);
  const image = context.imageAt(pc);
  if (!image) return exact ? byReturnAddress(registers, context) : outermost(`${hex(pc)} is in no loaded program`);
  const row = image.frames.rowFor(inFile(image, pc));
  if (row instanceof SymbolError) return failure(`its call frame information is damaged (${row.message})`);
  return row ? callerByCfi(row, registers, exact, context) : byCode(image, pc, registers, exact, context);
}

/** Without call frame information: the way ahead to the return if it is straight, else the prologue. */
function byCode(
  image: Image,
  pc: bigint,
  registers: RegisterSet,
  exact: boolean,
  context: UnwindContext,
): Caller | NoCaller {
  const range = functionAt(image, pc);
  const ahead = callerByEpilogue(registers, exact, context, range);
  if (ahead) return ahead;
  if (range) return callerByPrologue(range, registers, exact, context);
  if (exact) return byReturnAddress(registers, context);
  return failure('it has neither call frame information nor a symbol');
}

function functionAt(image: Image, pc: bigint): CodeRange | undefined {
  const symbol = image.elf.symbolAt(inFile(image, pc));
  if (!symbol) return undefined;
  const address = (value: number): bigint => BigInt.asUintN(64, BigInt(value) + image.bias);
  return { low: address(symbol.value), high: address(image.elf.endOfSymbol(symbol)) };
}

/** At an address without code, as after a call through a bad pointer: who called is still in ra. */
function byReturnAddress(registers: RegisterSet, context: UnwindContext): Caller | NoCaller {
  const [ra, sp] = [registers.get(RA), registers.get(SP)];
  if (ra === undefined || sp === undefined || !context.imageAt(ra & ~1n))
    return outermost(`${hex(registers.pc)} is in no loaded program, and no caller is known`);
  const caller = new RegisterSet(ra & ~1n);
  for (let register = 1; register < 64; register++) caller.copy(register, registers);
  return { cfa: sp, registers: caller, foundBy: 'ra', exact: false };
}
