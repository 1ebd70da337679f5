/**
 * From a stack frame to values: finds the variables in scope, evaluates their locations with what the frame can read, and
 * says why where there is none. The frame is whatever the unwinder or a test says it is.
 */
import { evaluate, type EvaluationContext, type ExpressionUnit } from '../../symbols/dwarf/expression/evaluate';
import type { Location } from '../../symbols/dwarf/expression/location';
import type { DebugInfo } from '../../symbols/dwarf/info/debug-info';
import { sizeOf, type VariableBound } from '../../symbols/dwarf/info/model';
import type { Variable } from '../../symbols/dwarf/info/scopes';
import {
  memoryPlace,
  readPlace,
  toBigInt,
  toBytes,
  unavailablePlace,
  valuePlace,
  type Place,
  type TargetAccess,
} from './place';
import { Value, type ValueContext } from './value';

/** One frame of a stopped thread. `readRegister` gives the registers as they are in this frame, where they are known. */
export interface FrameAccess extends TargetAccess {
  /** Link-time address to look scopes up at: of an outer frame the call, which lies before the return address. */
  readonly pc: number;
  /** Of an inlined call: its number counted from outside; 0 is the function itself. Without it, the innermost. */
  readonly level?: number;
  /** The run-time address of the next instruction of this frame, for `$pc`. */
  readonly programCounter?: bigint;
  cfa?(): bigint | undefined;
  /** What the program was moved by when it was loaded. */
  readonly loadBias?: bigint;
}

/** What the program knows besides its debug information; `Program` is one. Addresses are link-time addresses. */
export interface ProgramSymbols {
  readonly info: DebugInfo;
  /** `name+offset` for a code address. */
  describeAddress?(address: number): string | undefined;
  /** The address of a symbol, for what is only declared in the debug information. */
  addressOfSymbol?(name: string): number | undefined;
}

export class FrameScope {
  readonly context: ValueContext;
  private readonly evaluation: EvaluationContext;

  constructor(
    readonly program: ProgramSymbols,
    readonly frame: FrameAccess,
  ) {
    const bias = frame.loadBias ?? 0n;
    this.evaluation = {
      readMemory: (address, length) => frame.readMemory(address, length),
      readRegister: (register) => frame.readRegister(register),
      frameBase: () => this.frameBase(),
      cfa: () => frame.cfa?.(),
      loadBias: bias,
    };
    this.context = {
      readMemory: (address, length) => frame.readMemory(address, length),
      readRegister: (register) => frame.readRegister(register),
      symbolAt: (address) => program.describeAddress?.(Number(address - bias)),
      elementCount: (bound) => this.elementCount(bound),
    };
  }

  /** The parameters of the frame's function, in order. */
  parameters(): Value[] {
    return this.variables()
      .filter((v) => v.kind === 'parameter')
      .map((v) => this.value(v));
  }

  /** Locals in scope, innermost block first. One that is hidden by another of its name says so. */
  locals(): Value[] {
    return this.variables()
      .filter((v) => v.kind === 'local')
      .map((v) => this.value(v));
  }

  /** File-scope variables of the unit that the frame is in. */
  globals(): Value[] {
    return this.program.info.globalsAt(this.frame.pc).map((v) => this.value(v));
  }

  variables(): Variable[] {
    return this.program.info.variablesAt(this.frame.pc, this.frame.level);
  }

  /** The variable that a name means here: the innermost local, then a parameter, then a variable at file scope. */
  lookUp(name: string): Value | undefined {
    const matching = this.variables().filter((v) => v.name === name && !v.shadowed);
    const found =
      matching.find((v) => v.kind === 'local') ?? matching[0] ?? this.program.info.globalNamed(name, this.frame.pc);
    return found && this.value(found);
  }

  value(variable: Variable): Value {
    const { name, shadowed } = variable;
    // There is no expression for a hidden variable.
    const options = shadowed ? {} : { evaluateName: name };
    return new Value(
      shadowed ? `${name} (hidden)` : name,
      variable.type,
      this.placeOf(variable),
      this.context,
      options,
    );
  }

  private placeOf(variable: Variable): Place {
    const location = variable.locationAt(this.frame.pc);
    switch (location.kind) {
      case 'expression':
        return { location: this.evaluate(location.expression, location.unit), offset: 0 };
      case 'bytes':
        return valuePlace(location.bytes);
      case 'constant':
        return valuePlace(toBytes(location.value, sizeOf(variable.type) ?? 8));
      case 'none':
        return this.placeOfDeclared(variable, location);
    }
  }

  private placeOfDeclared(variable: Variable, location: { reason: string; detail?: string }): Place {
    if (location.reason === 'malformed') return unavailablePlace(`its location is malformed: ${location.detail ?? ''}`);
    if (location.reason !== 'declared') return unavailablePlace(location.reason);
    const address = this.program.addressOfSymbol?.(variable.name);
    if (address === undefined) return unavailablePlace('it is declared, but this program does not define it');
    return memoryPlace(BigInt(address) + (this.frame.loadBias ?? 0n));
  }

  private evaluate(expression: Uint8Array, unit: ExpressionUnit): Location {
    return evaluate(expression, this.evaluation, unit);
  }

  /** The frame base of the function at the frame's pc: usually the CFA or the frame pointer. */
  private frameBase(): bigint | undefined {
    const fn = this.program.info.functionAt(this.frame.pc);
    const expression = fn?.frameBaseAt(this.frame.pc);
    if (!fn || !expression) return undefined;
    // Without `frameBase`: a frame base that is defined by itself has no value.
    const { frameBase: _, ...context } = this.evaluation;
    const location = evaluate(expression, context, fn.unit);
    if (location.kind === 'memory') return location.address;
    if (location.kind === 'register') return this.frame.readRegister(location.register);
    return location.kind === 'value' ? toBigInt(location.bytes) : undefined;
  }

  private elementCount(bound: VariableBound): number | undefined {
    const unit = this.program.info.functionAt(this.frame.pc)?.unit;
    const expression = bound.expressionAt(this.frame.pc);
    const location = unit && expression && this.evaluate(expression, unit);
    if (!location || location.kind === 'unavailable' || location.kind === 'pieces') return undefined;
    let number: bigint;
    if (location.kind === 'memory' && bound.load === undefined) number = location.address;
    else {
      const size = location.kind === 'value' ? location.bytes.length : (bound.load ?? 8);
      const bytes = readPlace({ location, offset: 0 }, size, this.frame);
      if (!(bytes instanceof Uint8Array)) return undefined;
      number = toBigInt(bytes);
    }
    const count = Number(BigInt.asIntN(64, number)) + bound.plus;
    return Number.isSafeInteger(count) && count >= 0 ? count : undefined;
  }
}
