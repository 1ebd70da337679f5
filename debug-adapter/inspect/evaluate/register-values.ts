/** Registers as values: `$pc`, `$sp` and `$ra` as the pointers they are, the others as numbers. */
import { pointerTo, VOID, type FunctionType, type Type } from '../../symbols/dwarf/info/model';
import type { FrameScope } from '../variables/frame';
import { toBytes, unavailablePlace, valuePlace, type Place } from '../variables/place';
import { Value } from '../variables/value';
import { errors } from './errors';
import { DOUBLE, FLOAT, LONG } from './numbers';
import { isFloatRegister, registerNumber } from './registers';

const CODE: FunctionType = { kind: 'function', returns: VOID, parameters: [], variadic: false, prototyped: true };
const REGISTER_BYTES = 8;
/** Above a 32-bit float in its register there are only ones ("F" extension, NaN boxing). */
const BOXED = 0xffffffffn;
const [RA, SP, GP, TP, FP] = [1, 2, 3, 4, 8];

/** The value of a register by its name without `$`. */
export function registerValue(scope: FrameScope, name: string, column: number): Value {
  if (name === 'pc') {
    const { frame } = scope;
    const pc = frame.programCounter ?? BigInt(frame.pc) + (frame.loadBias ?? 0n);
    return new Value('$pc', pointerTo(CODE, REGISTER_BYTES), valuePlace(toBytes(pc, REGISTER_BYTES)), scope.context);
  }
  const register = registerNumber(name);
  if (register === undefined) throw errors.unknownRegister(`$${name}`, column);
  const bits = scope.frame.readRegister(register);
  const place: Place =
    bits === undefined
      ? unavailablePlace('this frame does not know the register')
      : { location: { kind: 'register', register }, offset: 0 };
  return new Value(`$${name}`, typeOf(register, name, bits), place, scope.context);
}

function typeOf(register: number, name: string, bits: bigint | undefined): Type {
  if (isFloatRegister(register)) return bits !== undefined && bits >> 32n === BOXED ? FLOAT : DOUBLE;
  if (register === RA) return pointerTo(CODE, REGISTER_BYTES);
  const isPointer = register === SP || register === GP || register === TP || (register === FP && name === 'fp');
  return isPointer ? pointerTo(VOID, REGISTER_BYTES) : LONG;
}
