/**
 * The caller by call frame information (DWARF 5, section 6.4.4). Registers without a rule follow the RISC-V calling convention:
 * preserved ones keep their value, the rest is lost. Asks for memory; changes nothing.
 */
import { evaluate, type EvaluationContext } from '../../symbols/dwarf/expression/evaluate';
import type { RegisterRule, UnwindRow } from '../../symbols/dwarf/frame/frame-table';
import { PRESERVED, RA, RegisterSet, SP, type Home } from './registers';
import { failure, hex, NOT_KEPT, outermost, readWord, type Caller, type MemoryReader, type NoCaller } from './types';

const UNIT = { addressSize: 8, offsetSize: 4 };

interface Restored {
  readonly value: bigint;
  readonly home?: Home | undefined;
}

/** Applies the rules of a row to a frame. `exact`: the frame was stopped at its pc and did not call. */
export function callerByCfi(
  row: UnwindRow,
  registers: RegisterSet,
  exact: boolean,
  memory: MemoryReader,
): Caller | NoCaller {
  const cfa = cfaOf(row, registers, memory);
  if (cfa === undefined) return failure('its call frame information needs a value that is not known in this frame');
  const { returnAddressRegister, rules } = row;
  if (rules.get(returnAddressRegister)?.kind === 'undefined') return outermost('outermost frame', cfa);
  const pc = restore(row, returnAddressRegister, cfa, registers, memory)?.value;
  if (pc === undefined) return failure(`its return address cannot be read (frame at ${hex(cfa)})`, cfa);
  const kept = rules.get(returnAddressRegister);
  if (!exact && (!kept || kept.kind === 'sameValue') && pc === registers.pc) return outermost(NOT_KEPT, cfa);
  const caller = new RegisterSet(BigInt.asUintN(64, pc) & ~1n);
  const wanted = new Set([RA, SP, ...PRESERVED, ...rules.keys()]);
  for (const register of wanted) {
    const value = restore(row, register, cfa, registers, memory);
    if (value) caller.set(register, value.value, value.home);
  }
  return { cfa, registers: caller, foundBy: 'cfi', exact: row.signalFrame };
}

function contextOf(registers: RegisterSet, memory: MemoryReader): EvaluationContext {
  return {
    readMemory: (address, length) => memory.readMemory(address, length),
    readRegister: (register) => registers.get(register),
  };
}

/** The address or value that an expression leaves. */
function expressionValue(
  bytes: Uint8Array,
  registers: RegisterSet,
  memory: MemoryReader,
  initial: readonly bigint[],
): bigint | undefined {
  const location = evaluate(bytes, contextOf(registers, memory), UNIT, initial);
  if (location.kind === 'memory') return location.address;
  if (location.kind !== 'value' || location.bytes.length > 8) return undefined;
  return location.bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function cfaOf({ cfa }: UnwindRow, registers: RegisterSet, memory: MemoryReader): bigint | undefined {
  if (!cfa) return undefined;
  if (cfa.kind === 'expression') return expressionValue(cfa.bytes, registers, memory, []);
  const base = registers.get(cfa.register);
  return base === undefined ? undefined : BigInt.asUintN(64, base + BigInt(cfa.offset));
}

function restore(
  row: UnwindRow,
  register: number,
  cfa: bigint,
  registers: RegisterSet,
  memory: MemoryReader,
): Restored | undefined {
  const rule = row.rules.get(register) ?? defaultRule(register, row.returnAddressRegister);
  const saved = (address: bigint): Restored | undefined => {
    const value = readWord(memory, address);
    return value === undefined ? undefined : { value, home: { memory: BigInt.asUintN(64, address) } };
  };
  const computed = (value: bigint | undefined): Restored | undefined => (value === undefined ? undefined : { value });
  const inRegister = (from: number): Restored | undefined => {
    const value = registers.get(from);
    return value === undefined ? undefined : { value, home: registers.homeOf(from) };
  };
  switch (rule.kind) {
    case 'undefined':
      return undefined;
    case 'sameValue':
      return inRegister(register);
    case 'register':
      return inRegister(rule.register);
    case 'offset':
      return saved(cfa + BigInt(rule.offset));
    case 'valOffset':
      return computed(cfa + BigInt(rule.offset));
    case 'expression': {
      const address = expressionValue(rule.bytes, registers, memory, [cfa]);
      return address === undefined ? undefined : saved(address);
    }
    case 'valExpression':
      return computed(expressionValue(rule.bytes, registers, memory, [cfa]));
  }
}

const preserved: ReadonlySet<number> = new Set(PRESERVED);

function defaultRule(register: number, returnAddressRegister: number): RegisterRule {
  if (register === SP) return { kind: 'valOffset', offset: 0 };
  // A function that is called with another link register, as the psABI's millicode is, leaves ra alone.
  const kept = register === returnAddressRegister || register === RA || preserved.has(register);
  return kept ? { kind: 'sameValue' } : { kind: 'undefined' };
}
