/**
 * From the typed trees of the row language (isa/language/ir.ts) to WebAssembly code. What a tree computes is emitted here, once for
 * everybody; what it reads and changes of the machine (registers, memory, exits, the host) is a `Target`'s: the interpreter's loop, a
 * row's own function and a library function each have one, and a translator of whole regions brings another.
 */
import type {
  Expression,
  FloatCsr,
  FunctionDefinition,
  HostName,
  Library,
  RegisterFile,
  Source,
  StateName,
  Statement,
  Type,
  BinaryName,
} from '../../isa/language/ir';
import type { Code, ValueType } from './code';

/** Emits code that leaves a value on the stack. */
export type Push = () => void;

export interface Target {
  register(file: RegisterFile, field: Source): void;
  setRegister(file: RegisterFile, value: Push): void;
  number(field: Source | 'rd'): void;
  immediate(): void;
  pc(): void;
  length(): void;
  rounding(): void;
  state(name: StateName): void;
  load(bits: number, address: Push): void;
  store(bits: number, address: Push, value: Push): void;
  jump(target: Push, relative: boolean): void;
  trap(cause: Push, value: Push | undefined): void;
  illegal(): void;
  /** `constant`: the flags, where they are known. */
  raise(flags: Push, constant: number | undefined): void;
  /** Leaves the host's answer on the stack if `answers`. */
  host(name: HostName, args: readonly Push[], answers: boolean): void;
  /** Is this function to be put in place of its calls? */
  inlines(definition: FunctionDefinition): boolean;
  call(definition: FunctionDefinition, args: readonly Push[]): void;
  /** Index of the WebAssembly global of a global of the library. */
  global(name: string): number;

  // What only templates ask for.
  /** Leaves an f64 on the stack. */
  floatRegister?(field: Source): void;
  setFloatRegister?(value: Push): void;
  /** An access of 64 bits whose value is an f64. */
  loadFloat?(address: Push): void;
  storeFloat?(address: Push, value: Push): void;
  setFloatCsr?(field: FloatCsr, value: Push): void;
}

/** What the emitter needs of a library. */
export interface Definitions {
  readonly functions: Pick<Library['functions'], 'get'>;
}

export const valueType = (type: Type): ValueType => (type === 'bool' ? 'i32' : type);

/** Where a name's value is: in a local, or it is a constant. */
type Place = number | (Expression & { readonly kind: 'constant' });

interface Frame {
  readonly places: Map<string, Place>;
  /** What to give back at the end of the frame. */
  readonly locals: [ValueType, number][];
  /** Label of the block that an inlined function's return leaves; undefined in a function of its own. */
  readonly returnLabel: string | undefined;
}

const INTEGER_OPERATORS: Partial<Record<BinaryName, string>> = {
  '+': 'add', '-': 'sub', '*': 'mul', '/s': 'div_s', '/u': 'div_u', '%s': 'rem_s', '%u': 'rem_u', '&': 'and', '|': 'or', '^': 'xor',
  '<<': 'shl', '>>s': 'shr_s', '>>u': 'shr_u', rotl: 'rotl', rotr: 'rotr',
  '==': 'eq', '!=': 'ne', '<s': 'lt_s', '<u': 'lt_u', '<=s': 'le_s', '<=u': 'le_u',
}; // prettier-ignore
const FLOAT_OPERATORS: Partial<Record<BinaryName, string>> = {
  '+': 'add', '-': 'sub', '*': 'mul', '/': 'div', '==': 'eq', '!=': 'ne', '<': 'lt', '<=': 'le',
}; // prettier-ignore

const isFloat = (type: ValueType): boolean => type === 'f32' || type === 'f64';

export class Emitter {
  private frame: Frame = { places: new Map(), locals: [], returnLabel: undefined };
  private inlined = 0;

  constructor(
    private readonly code: Code,
    private readonly target: Target,
    private readonly library: Definitions,
  ) {}

  /** A name's value is in a local: a parameter. */
  bind(name: string, local: number): void {
    this.frame.places.set(name, local);
  }

  /** The body of a row; its locals are given back. */
  row(body: readonly Statement[]): void {
    this.statements(body);
    this.leave(this.frame);
    this.frame = { places: new Map(), locals: [], returnLabel: undefined };
  }

  /** The body of a function of its own, whose parameters are bound. */
  function({ body, result }: FunctionDefinition): void {
    this.statements(body);
    // Every path has returned.
    if (result !== undefined) this.code.unreachable();
  }

  private leave(frame: Frame): void {
    for (const [type, local] of frame.locals) this.code.release(type, local);
  }

  private newLocal(type: ValueType): number {
    const local = this.code.local(type);
    this.frame.locals.push([type, local]);
    return local;
  }

  private place(name: string): Place {
    const place = this.frame.places.get(name);
    if (place === undefined) throw new Error(`the row language's ${name} has no value`);
    return place;
  }

  statements(list: readonly Statement[]): void {
    for (const statement of list) this.statement(statement);
  }

  private readonly push =
    (expression: Expression): Push =>
    () =>
      this.expression(expression);

  private statement(statement: Statement): void {
    const { code, target, push } = this;
    switch (statement.kind) {
      case 'let': {
        this.expression(statement.value);
        const local = this.newLocal(valueType(statement.type));
        this.frame.places.set(statement.name, local);
        return code.set(local);
      }
      case 'assign':
        this.expression(statement.value);
        if (statement.scope === 'global') return code.setGlobal(target.global(statement.name));
        return code.set(this.place(statement.name) as number);
      case 'setRegister':
        return target.setRegister(statement.file, push(statement.value));
      case 'if':
        this.expression(statement.condition);
        code.if();
        this.statements(statement.then);
        if (statement.otherwise.length > 0) {
          code.else();
          this.statements(statement.otherwise);
        }
        return code.end();
      case 'while':
        return this.loop(statement.condition, statement.body);
      case 'return':
        if (statement.value) this.expression(statement.value);
        if (this.frame.returnLabel === undefined) return code.return();
        return code.br(this.frame.returnLabel);
      case 'store':
        return target.store(statement.bits, push(statement.address), push(statement.value));
      case 'jump':
        return target.jump(push(statement.target), statement.relative);
      case 'trap':
        return target.trap(push(statement.cause), statement.value && push(statement.value));
      case 'illegal':
        return target.illegal();
      case 'raise': {
        const { flags } = statement;
        return target.raise(push(flags), flags.kind === 'constant' ? Number(flags.value) : undefined);
      }
      case 'host':
        return target.host(statement.name, statement.args.map(push), false);
      case 'setFloatRegister':
        return target.setFloatRegister!(push(statement.value));
      case 'storeFloat':
        return target.storeFloat!(push(statement.address), push(statement.value));
      case 'setFloatCsr':
        return target.setFloatCsr!(statement.field, push(statement.value));
      case 'call':
        this.call(statement.name, statement.args);
        if (this.library.functions.get(statement.name)!.result !== undefined) code.drop();
    }
  }

  private loop(condition: Expression, body: readonly Statement[]): void {
    const { code } = this;
    code.block('while end');
    code.loop('while');
    this.expression(condition);
    code.op('i32.eqz');
    code.brIf('while end');
    this.statements(body);
    code.br('while');
    code.end();
    code.end();
  }

  /** Leaves the value on the stack. */
  expression(expression: Expression): void {
    const { code, target, push } = this;
    switch (expression.kind) {
      case 'constant':
        return expression.type === 'i64'
          ? code.i64(expression.value)
          : code.i32(Number(BigInt.asIntN(32, expression.value)));
      case 'local': {
        const place = this.place(expression.name);
        return typeof place === 'number' ? code.get(place) : this.expression(place);
      }
      case 'global':
        return code.getGlobal(target.global(expression.name));
      case 'register':
        return target.register(expression.file, expression.field);
      case 'number':
        return target.number(expression.field);
      case 'immediate':
        return target.immediate();
      case 'pc':
        return target.pc();
      case 'length':
        return target.length();
      case 'rounding':
        return target.rounding();
      case 'state':
        return target.state(expression.name);
      case 'unary':
        return this.unary(expression);
      case 'binary':
        return this.binary(expression);
      case 'choice':
        this.expression(expression.condition);
        if (expression.likely) code.hint(true);
        return this.either(valueType(expression.type), push(expression.then), push(expression.otherwise));
      case 'call':
        return this.call(expression.name, expression.args);
      case 'load':
        return target.load(expression.bits, push(expression.address));
      case 'host':
        return target.host(expression.name, expression.args.map(push), true);
      case 'float':
        return expression.type === 'f64' ? code.f64(expression.bits) : code.f32(expression.bits);
      case 'floatRegister':
        return target.floatRegister!(expression.field);
      case 'loadFloat':
        return target.loadFloat!(push(expression.address));
      case 'intrinsic':
        return this.intrinsic(expression);
      case 'block':
        return this.block(expression);
    }
  }

  /** `fused` in lane 0 of vectors; only for hosts that were found to round once (fused.ts). */
  private intrinsic({ type, name, args }: Expression & { kind: 'intrinsic' }): void {
    const { code } = this;
    if (name === 'copysign') {
      args.forEach((arg) => this.expression(arg));
      return this.code.op(`${type}.copysign`);
    }
    if (name === 'single' || name === 'boxed') {
      this.expression(args[0]!);
      // In the registers of vectors, without a way through those of integers.
      return name === 'single' ? code.lowSingle() : code.boxSingle();
    }
    const shape = type === 'f64' ? 'f64x2' : 'f32x4';
    for (const arg of args) {
      this.expression(arg);
      this.code.vector(`${shape}.splat`);
    }
    this.code.vector(`${shape}.relaxed_madd`);
    this.code.vector(`${shape}.extract_lane`, 0);
  }

  /** A body whose returns leave a value on the stack. Its names are the frame's: those of a template are all different. */
  private block({ type, body }: Expression & { kind: 'block' }): void {
    const { code, frame } = this;
    const label = `inline ${this.inlined++}`;
    this.frame = { ...frame, returnLabel: label };
    code.block(label, valueType(type));
    this.statements(body);
    code.unreachable();
    code.end();
    this.frame = frame;
  }

  /** By the condition on the stack. */
  private either(type: ValueType, then: Push, otherwise: Push): void {
    this.code.if(type);
    then();
    this.code.else();
    otherwise();
    this.code.end();
  }

  private unary({ type, name, operand }: Expression & { kind: 'unary' }): void {
    const { code } = this;
    const to = valueType(type);
    const from = valueType(operand.type);
    if (name === '-' && !isFloat(to)) {
      this.constant(to, 0n);
      this.expression(operand);
      return code.op(`${to}.sub`);
    }
    this.expression(operand);
    switch (name) {
      case '-':
        return code.op(`${to}.neg`);
      case '~':
        this.constant(to, -1n);
        return code.op(`${to}.xor`);
      case '!':
        return code.op('i32.eqz');
      case 'clz':
      case 'ctz':
      case 'popcnt':
      case 'sqrt':
      case 'abs':
        return code.op(`${to}.${name}`);
      case 'sext8':
      case 'sext16':
      case 'sext32':
        return to === 'i32' && name === 'sext32' ? undefined : code.op(`${to}.extend${name.slice(4)}_s`);
      case 'zext8':
      case 'zext16':
      case 'zext32':
        if (to === 'i32' && name === 'zext32') return;
        this.constant(to, (1n << BigInt(name.slice(4))) - 1n);
        return code.op(`${to}.and`);
      case 'low32':
        return code.op('i32.wrap_i64');
      case 'sext64':
        return code.op('i64.extend_i32_s');
      case 'zext64':
        return code.op('i64.extend_i32_u');
      case 'bit':
        return;
      case 'asF32':
      case 'asI32':
      case 'asF64':
      case 'asI64':
        return from === to ? undefined : code.op(`${to}.reinterpret_${from}`);
      case 'promote':
        return code.op('f64.promote_f32');
      case 'demote':
        return code.op('f32.demote_f64');
      case 'signedToF64':
        return code.op('f64.convert_i32_s');
      case 'unsignedToF64':
        return code.op('f64.convert_i32_u');
      case 'truncateToI32':
        return code.truncate();
    }
  }

  private constant(type: ValueType, value: bigint): void {
    if (type === 'i64') this.code.i64(value);
    else this.code.i32(Number(BigInt.asIntN(32, value)));
  }

  private binary({ name, left, right }: Expression & { kind: 'binary' }): void {
    const { code } = this;
    this.expression(left);
    if (name === '&&' || name === '||') {
      const decided = (): void => code.i32(name === '||' ? 1 : 0);
      const rest = (): void => this.expression(right);
      return name === '&&' ? this.either('i32', rest, decided) : this.either('i32', decided, rest);
    }
    const type = valueType(left.type);
    if (type === 'i64' && (name === '==' || name === '!=') && right.kind === 'constant' && right.value === 0n) {
      code.op('i64.eqz');
      if (name === '!=') code.op('i32.eqz');
      return;
    }
    this.expression(right);
    const operator = (isFloat(type) ? FLOAT_OPERATORS : INTEGER_OPERATORS)[name];
    if (operator === undefined) throw new Error(`the row language has no ${name} of ${type}`);
    code.op(`${type}.${operator}`);
  }

  private call(name: string, args: readonly Expression[]): void {
    const definition = this.library.functions.get(name)!;
    if (this.target.inlines(definition)) this.inline(definition, args);
    else this.target.call(definition, args.map(this.push));
  }

  /** The body of a function in place of a call. */
  private inline({ parameters, body, result }: FunctionDefinition, args: readonly Expression[]): void {
    const { code } = this;
    const outer = this.frame;
    const last = body.at(-1);
    // Where the only return is the last thing, no block is needed to leave.
    const plain = body.slice(0, -1).every(({ kind }) => kind === 'let') && last?.kind === 'return';
    const inner: Frame = {
      places: new Map(),
      locals: [],
      returnLabel: plain ? undefined : `inline ${this.inlined++}`,
    };
    parameters.forEach(({ name, type }, i) => {
      const arg = args[i]!;
      if (arg.kind === 'constant') return void inner.places.set(name, arg);
      if (arg.kind === 'local') return void inner.places.set(name, this.place(arg.name));
      this.expression(arg);
      const local = code.local(valueType(type));
      inner.locals.push([valueType(type), local]);
      inner.places.set(name, local);
      code.set(local);
    });
    this.frame = inner;
    if (plain && last?.kind === 'return') {
      this.statements(body.slice(0, -1));
      if (last.value) this.expression(last.value);
    } else {
      code.block(inner.returnLabel!, result && valueType(result));
      this.statements(body);
      if (result !== undefined) code.unreachable();
      code.end();
    }
    this.frame = outer;
    this.leave(inner);
  }
}
