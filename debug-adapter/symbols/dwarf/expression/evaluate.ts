/**
 * The stack machine of DWARF expressions (DWARF 5, sections 2.5 and 2.6). It asks and does not reach: memory, registers,
 * frame base and CFA come from its caller, so it serves a running hart, a past state and a test alike. It always ends
 * and always answers with a location; what cannot be known is an `unavailable` one with the reason.
 */
import { ByteReader, SymbolError } from '../../bytes';
import { arithmetic, compare } from './arithmetic';
import type { EvaluationContext, ExpressionUnit } from './context';
import { OPTIMISED_OUT, unavailable, type Location, type Piece, type SimpleLocation } from './location';
import { Op } from './opcodes';
import { fromBytes, GENERIC, toBytes, type Operand, type OperandType } from './operand';

export type { EvaluationContext, ExpressionUnit } from './context';

/** Operations executed at most; loops are possible. */
export const MAX_STEPS = 10_000;
/** Values on the stack at most. */
export const MAX_STACK = 1_024;
/** DW_OP_call and DW_OP_entry_value nest at most this deep. */
export const MAX_CALLS = 16;
/** Bits of a value that is put together from pieces. */
const MAX_PIECE_BITS = 8 * 65_536;

/** Evaluates a location expression. `initial` are the values pushed before it starts. */
export function evaluate(
  expression: Uint8Array,
  context: EvaluationContext,
  unit: ExpressionUnit,
  initial: readonly bigint[] = [],
): Location {
  const machine = new Machine(context, unit);
  try {
    for (const value of initial) machine.push({ type: GENERIC, value });
    machine.run(expression, 0);
    return machine.result();
  } catch (error) {
    if (error instanceof Unavailable) return unavailable(error.message);
    if (error instanceof SymbolError) return unavailable(`its location is malformed: ${error.message}`);
    throw error;
  }
}

/** Ends an evaluation; caught in `evaluate`, never seen outside. */
class Unavailable extends Error {}

const give = (reason: string): never => {
  throw new Unavailable(reason);
};

const hex = (value: bigint): string => `0x${value.toString(16)}`;

class Machine {
  private readonly stack: Operand[] = [];
  private readonly pieces: Piece[] = [];
  /** A location that is no address on the stack: a register, a value. */
  private simple: SimpleLocation | undefined;
  private steps = 0;
  private bits = 0;

  constructor(
    private readonly context: EvaluationContext,
    private readonly unit: ExpressionUnit,
  ) {}

  push(operand: Operand): void {
    if (this.stack.length >= MAX_STACK) give(`its location needs a stack of more than ${MAX_STACK} values`);
    this.stack.push(operand);
  }

  result(): Location {
    if (this.pieces.length > 0) return { kind: 'pieces', pieces: this.pieces };
    return this.takeLocation() ?? unavailable(OPTIMISED_OUT);
  }

  run(expression: Uint8Array, depth: number): void {
    const reader = new ByteReader('expression', expression);
    while (reader.remaining > 0) {
      if (++this.steps > MAX_STEPS) give(`its location takes more than ${MAX_STEPS} steps`);
      this.step(reader, depth);
    }
  }

  private step(reader: ByteReader, depth: number): void {
    const at = reader.offset;
    const op = reader.u8();
    const done =
      this.pushConstant(op, reader) ||
      this.useRegister(op, reader) ||
      this.useStack(op, reader) ||
      this.compute(op, reader) ||
      this.readTarget(op, reader, depth) ||
      this.describe(op, reader) ||
      this.useTypes(op, reader);
    if (!done) reader.fail(`unknown operation 0x${op.toString(16)}`, at);
  }

  private pop(): Operand {
    return this.stack.pop() ?? give('its location is malformed: it takes from an empty stack');
  }

  private popAddress(): bigint {
    return BigInt.asUintN(8 * this.unit.addressSize, this.pop().value);
  }

  private pushGeneric(value: bigint): true {
    this.push({ type: GENERIC, value: BigInt.asUintN(8 * this.unit.addressSize, value) });
    return true;
  }

  private pushConstant(op: number, reader: ByteReader): boolean {
    if (op >= Op.lit0 && op <= Op.lit31) return this.pushGeneric(BigInt(op - Op.lit0));
    switch (op) {
      case Op.addr: {
        const { addressSize } = this.unit;
        const address = addressSize === 8 ? reader.u64() : BigInt(addressSize === 4 ? reader.u32() : reader.u16());
        return this.pushGeneric(address + (this.context.loadBias ?? 0n));
      }
      case Op.const1u:
        return this.pushGeneric(BigInt(reader.u8()));
      case Op.const1s:
        return this.pushGeneric(BigInt(reader.i8()));
      case Op.const2u:
        return this.pushGeneric(BigInt(reader.u16()));
      case Op.const2s:
        return this.pushGeneric(BigInt.asIntN(16, BigInt(reader.u16())));
      case Op.const4u:
        return this.pushGeneric(BigInt(reader.u32()));
      case Op.const4s:
        return this.pushGeneric(BigInt(reader.i32()));
      case Op.const8u:
      case Op.const8s:
        return this.pushGeneric(reader.u64());
      case Op.constu:
        return this.pushGeneric(reader.uleb());
      case Op.consts:
        return this.pushGeneric(reader.sleb());
      case Op.addrx:
      case Op.GNU_addr_index:
        return this.pushGeneric(this.indexed(reader) + (this.context.loadBias ?? 0n));
      case Op.constx:
      case Op.GNU_const_index:
        return this.pushGeneric(this.indexed(reader));
      default:
        return false;
    }
  }

  private indexed(reader: ByteReader): bigint {
    const index = reader.ulebNumber();
    return this.unit.addressAt?.(index) ?? give('its unit has no address table');
  }

  private useRegister(op: number, reader: ByteReader): boolean {
    if (op >= Op.reg0 && op <= Op.reg31) return this.setSimple({ kind: 'register', register: op - Op.reg0 });
    if (op >= Op.breg0 && op <= Op.breg31) return this.pushGeneric(this.register(op - Op.breg0) + reader.sleb());
    switch (op) {
      case Op.regx:
        return this.setSimple({ kind: 'register', register: reader.ulebNumber() });
      case Op.bregx: {
        const register = reader.ulebNumber();
        return this.pushGeneric(this.register(register) + reader.sleb());
      }
      case Op.fbreg: {
        const offset = reader.sleb();
        const base = this.context.frameBase?.();
        return this.pushGeneric((base ?? give('cannot read it: the frame base of its function is not known')) + offset);
      }
      case Op.call_frame_cfa:
        return this.pushGeneric(
          this.context.cfa?.() ?? give('cannot read it: the canonical frame address is not known'),
        );
      default:
        return false;
    }
  }

  private register(register: number): bigint {
    return this.context.readRegister(register) ?? give(`cannot read register ${register} in this frame`);
  }

  private useStack(op: number, reader: ByteReader): boolean {
    switch (op) {
      case Op.dup:
        this.pick(0);
        return true;
      case Op.drop:
        this.pop();
        return true;
      case Op.over:
        this.pick(1);
        return true;
      case Op.pick:
        this.pick(reader.u8());
        return true;
      case Op.swap:
      case Op.rot: {
        // rot: the top becomes the third entry.
        const moved = Array.from({ length: op === Op.swap ? 2 : 3 }, () => this.pop());
        this.push(moved[0]!);
        for (const operand of moved.slice(1).reverse()) this.push(operand);
        return true;
      }
      case Op.nop:
        return true;
      default:
        return false;
    }
  }

  private pick(index: number): void {
    const operand = this.stack[this.stack.length - 1 - index];
    this.push(operand ?? give('its location is malformed: it takes from an empty stack'));
  }

  private compute(op: number, reader: ByteReader): boolean {
    const bits = 8 * this.unit.addressSize;
    switch (op) {
      case Op.plus_uconst: {
        const operand = this.pop();
        this.push({
          type: operand.type,
          value: arithmetic(Op.plus, operand, { type: operand.type, value: reader.uleb() }, bits)!.value,
        });
        return true;
      }
      case Op.abs:
      case Op.neg:
      case Op.not: {
        const operand = this.pop();
        this.push(arithmetic(op, operand, operand, bits)!);
        return true;
      }
      case Op.skip:
        this.jump(reader, BigInt.asIntN(16, BigInt(reader.u16())));
        return true;
      case Op.bra: {
        const distance = BigInt.asIntN(16, BigInt(reader.u16()));
        if (this.pop().value !== 0n) this.jump(reader, distance);
        return true;
      }
      default:
        return this.binary(op, bits);
    }
  }

  private jump(reader: ByteReader, distance: bigint): void {
    reader.seek(reader.offset + Number(distance));
  }

  private binary(op: number, bits: number): boolean {
    const isArithmetic = op >= Op.and && op <= Op.xor;
    if (!isArithmetic && !(op >= Op.eq && op <= Op.ne)) return false;
    const right = this.pop();
    const left = this.pop();
    if (!isArithmetic) return this.pushGeneric(compare(op, left, right, bits) ? 1n : 0n);
    this.push(arithmetic(op, left, right, bits) ?? give('its location divides by zero'));
    return true;
  }

  private readTarget(op: number, reader: ByteReader, depth: number): boolean {
    switch (op) {
      case Op.deref:
        return this.load(this.unit.addressSize, GENERIC);
      case Op.deref_size:
        return this.load(reader.u8(), GENERIC);
      case Op.push_object_address:
        return this.pushGeneric(this.context.objectAddress ?? give('the object it belongs to is not known'));
      case Op.form_tls_address:
      case Op.GNU_push_tls_address:
        return give('it is a thread-local variable, which this debugger cannot locate');
      case Op.call2:
        return this.call(reader.u16(), false, depth);
      case Op.call4:
        return this.call(reader.u32(), false, depth);
      case Op.call_ref:
        return this.call(this.unit.offsetSize === 8 ? reader.u64Number() : reader.u32(), true, depth);
      case Op.entry_value:
      case Op.GNU_entry_value: {
        const inner = reader.raw(reader.ulebNumber());
        return this.pushGeneric(this.context.entryValue?.(inner) ?? give(OPTIMISED_OUT));
      }
      case Op.GNU_parameter_ref:
        return give(OPTIMISED_OUT);
      default:
        return false;
    }
  }

  private load(size: number, type: OperandType): true {
    if (size < 1 || size > 16) give(`its location is malformed: it reads ${size} bytes at once`);
    const address = this.popAddress();
    const bytes = this.context.readMemory(address, size) ?? give(`cannot read memory at ${hex(address)}`);
    this.push(fromBytes(type, bytes));
    return true;
  }

  private call(offset: number, inSection: boolean, depth: number): true {
    if (depth >= MAX_CALLS) give(`its location calls others more than ${MAX_CALLS} deep`);
    const expression = this.unit.expressionAt?.(offset, inSection);
    if (expression) this.run(expression, depth + 1);
    return true;
  }

  private describe(op: number, reader: ByteReader): boolean {
    switch (op) {
      case Op.stack_value:
        return this.setSimple({ kind: 'value', bytes: toBytes(this.pop(), this.unit.addressSize) });
      case Op.implicit_value:
        return this.setSimple({ kind: 'value', bytes: reader.raw(reader.ulebNumber()) });
      case Op.implicit_pointer:
      case Op.GNU_implicit_pointer:
        reader.raw(this.unit.offsetSize);
        reader.sleb();
        return this.setSimple(unavailable('optimised out: it points to an object that is not in memory'));
      case Op.piece:
        return this.endPiece(8 * reader.ulebNumber(), 0);
      case Op.bit_piece: {
        const size = reader.ulebNumber();
        return this.endPiece(size, reader.ulebNumber());
      }
      default:
        return false;
    }
  }

  private setSimple(location: SimpleLocation): true {
    this.simple = location;
    return true;
  }

  /** The location described so far: the last register or value, else the address on the stack. */
  private takeLocation(): SimpleLocation | undefined {
    const { simple } = this;
    this.simple = undefined;
    if (simple) return simple;
    return this.stack.length > 0 ? { kind: 'memory', address: this.popAddress() } : undefined;
  }

  private endPiece(bitSize: number, bitOffset: number): true {
    this.bits += bitSize;
    if (this.bits > MAX_PIECE_BITS) give(`its location has pieces of more than ${MAX_PIECE_BITS / 8} bytes`);
    this.pieces.push({ location: this.takeLocation() ?? unavailable(OPTIMISED_OUT), bitOffset, bitSize });
    return true;
  }

  private useTypes(op: number, reader: ByteReader): boolean {
    switch (op) {
      case Op.const_type:
      case Op.GNU_const_type: {
        const type = this.baseType(reader);
        this.push(fromBytes(type, reader.raw(reader.u8())));
        return true;
      }
      case Op.regval_type:
      case Op.GNU_regval_type: {
        const register = reader.ulebNumber();
        const type = this.baseType(reader);
        this.push(fromBytes(type, toBytes({ type: GENERIC, value: this.register(register) }, 8)));
        return true;
      }
      case Op.deref_type:
      case Op.GNU_deref_type: {
        const size = reader.u8();
        return this.load(size, this.baseType(reader));
      }
      case Op.convert:
      case Op.GNU_convert:
      case Op.reinterpret:
      case Op.GNU_reinterpret: {
        const type = this.baseType(reader);
        const operand = this.pop();
        const same = op === Op.reinterpret || op === Op.GNU_reinterpret;
        this.push(same ? fromBytes(type, toBytes(operand, this.unit.addressSize)) : this.convert(operand, type));
        return true;
      }
      default:
        return false;
    }
  }

  private convert(operand: Operand, type: OperandType): Operand {
    if (operand.type.isFloat || type.isFloat) give('its location computes with floating point numbers');
    const size = type.size || this.unit.addressSize;
    const value = type.signed ? BigInt.asIntN(8 * size, operand.value) : BigInt.asUintN(8 * size, operand.value);
    return { type, value };
  }

  /** Offset 0 stands for the generic type. */
  private baseType(reader: ByteReader): OperandType {
    const offset = reader.ulebNumber();
    return offset === 0
      ? GENERIC
      : (this.unit.baseTypeAt?.(offset) ?? give('its location names a type that is not there'));
  }
}
