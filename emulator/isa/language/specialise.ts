/**
 * A row's body for a place where more is known than in the text: the rounding mode, what state says, the number of a CSR. Conditions that
 * are decided disappear, small functions stand in place of their calls (as `block`s), large ones stay calls. Floating-point registers
 * become f64, and conversions of bits are pushed to where they meet their inverses: the double operations are left with f64 alone.
 *
 * Names in the result are all different. Registers that a body reads mean what they were before it, until it sets one.
 */
import { binary, choice, constant, isConstant, pure, unary } from './fold';
import { asF32, asF64, blockOf, isUnboxed, withoutUnused } from './forms';
import type { Expression, FunctionDefinition, HostName, Library, Source, StateName, Statement } from './ir';
import { eachStatement, everyExpression } from './walk';

export interface Assumptions {
  /** What `rm` is. */
  readonly rounding: number | undefined;
  /** Numbers of register fields. */
  readonly numbers: Partial<Record<Source | 'rd', number>>;
  /** rs2 is the register that rs1 is. */
  readonly sameSources: boolean;
  /** A register field whose number is not 0. */
  readonly nonzero: Source | undefined;
  readonly state: Partial<Record<StateName, bigint>>;
  /** Functions that stand in place of others. */
  readonly replaced: ReadonlyMap<string, string>;
  /** Bits of fflags that are set, now and for good. */
  readonly raised: bigint;
  /** Meaning of a call of the host; undefined: there is none. */
  host(name: HostName, args: readonly Expression[]): Expression | Statement | 'nothing' | undefined;
}

/** A row's function stands in its place if its body, with what stands in it, has at most this many nodes ... */
const INLINE_NODES = 80;
/** ... and a function that one calls. */
const INNER_NODES = 56;

/** What can't be specialised under the assumptions. */
export class NoMeaning extends Error {}

/** What a name in the text stands for. */
type Names = Map<string, Expression>;

const assignedIn = (body: readonly Statement[]): ReadonlySet<string> => {
  const names = new Set<string>();
  eachStatement(body, (statement) => {
    if (statement.kind === 'assign' && statement.scope === 'local') names.add(statement.name);
  });
  return names;
};

/** Size of a body; Infinity with a loop in it, or where it shares a global with other functions. */
function nodesOf(body: readonly Statement[]): number {
  let nodes = 0;
  const count = (list: readonly Statement[]): void =>
    eachStatement(list, (statement) => {
      const stays = statement.kind === 'while' || (statement.kind === 'assign' && statement.scope === 'global');
      nodes += stays ? Infinity : 1;
    });
  count(body);
  everyExpression(body, (e) => {
    nodes += e.kind === 'global' ? Infinity : 1;
    if (e.kind === 'block') count(e.body);
  });
  return nodes;
}

export class Specialiser {
  private fresh = 0;
  private names: Names = new Map();
  private assigned: ReadonlySet<string> = new Set();
  /** Variables of the result: their value may change between two reads. */
  private readonly variables = new Set<string>();
  /** In the row itself, where registers are set. */
  private inRow = true;
  /** Functions that are being put in place of their calls. */
  private readonly open = new Set<string>();
  /** Calls that were found too large to stand in place, by function and constant arguments. */
  private readonly large = new Set<string>();

  constructor(
    private readonly library: Library,
    private readonly known: Assumptions,
  ) {}

  row(body: readonly Statement[]): Statement[] {
    this.assigned = assignedIn(body);
    return withoutUnused(this.statements(body));
  }

  private statements(list: readonly Statement[]): Statement[] {
    const out: Statement[] = [];
    for (const statement of list) {
      out.push(...this.statement(statement));
      if (out.at(-1)?.kind === 'return') break;
    }
    return out;
  }

  private statement(statement: Statement): readonly Statement[] {
    switch (statement.kind) {
      case 'let':
        return this.define(statement.name, this.expression(statement.value));
      case 'assign': {
        const value = this.expression(statement.value);
        if (statement.scope === 'global') return [{ ...statement, value }];
        const place = this.names.get(statement.name) as Extract<Expression, { kind: 'local' }>;
        return [{ ...statement, name: place.name, value }];
      }
      case 'setRegister': {
        const value = this.expression(statement.value);
        if (statement.file === 'f') return [{ kind: 'setFloatRegister', value: asF64(value) }];
        return [{ ...statement, value }];
      }
      case 'if': {
        const condition = this.expression(statement.condition);
        if (condition.kind === 'constant')
          return this.statements(condition.value ? statement.then : statement.otherwise);
        const then = this.statements(statement.then);
        const otherwise = this.statements(statement.otherwise);
        if (then.length === 0 && otherwise.length === 0 && pure(condition)) return [];
        return [{ kind: 'if', condition, then, otherwise }];
      }
      case 'while': {
        const condition = this.expression(statement.condition);
        return [{ kind: 'while', condition, body: this.statements(statement.body) }];
      }
      case 'return':
        return [{ kind: 'return', value: statement.value && this.expression(statement.value) }];
      case 'store': {
        const address = this.expression(statement.address);
        const value = this.expression(statement.value);
        if (value.kind === 'unary' && value.name === 'asI64')
          return [{ kind: 'storeFloat', address, value: value.operand }];
        return [{ ...statement, address, value }];
      }
      case 'jump':
        return [{ ...statement, target: this.expression(statement.target) }];
      case 'raise': {
        const flags = this.expression(statement.flags);
        const left = flags.kind === 'constant' ? constant('i32', flags.value & ~this.known.raised) : flags;
        return left.kind === 'constant' && left.value === 0n ? [] : [{ kind: 'raise', flags: left }];
      }
      case 'host': {
        const args = statement.args.map((arg) => this.expression(arg));
        const meaning = this.known.host(statement.name, args);
        if (meaning === undefined) throw new NoMeaning(statement.name);
        return meaning === 'nothing' ? [] : [meaning as Statement];
      }
      default:
        throw new NoMeaning(statement.kind);
    }
  }

  /** What cheap value a name can stand for without a local; nothing that may change before it is read. */
  private stands(value: Expression): boolean {
    switch (value.kind) {
      case 'constant':
      case 'float':
      case 'immediate':
      case 'pc':
      case 'length':
      case 'number':
        return true;
      case 'register':
      case 'floatRegister':
        return !this.inRow;
      case 'local':
        return !this.variables.has(value.name);
      case 'unary':
        return /^(as[FI]\d+|low32|[sz]ext64|-|abs)$/.test(value.name) && this.stands(value.operand);
      case 'binary':
        return value.name === '^' && value.right.kind === 'constant' && this.stands(value.left);
      default:
        return false;
    }
  }

  private define(name: string, value: Expression): readonly Statement[] {
    const variable = this.assigned.has(name);
    if (!variable && this.stands(value)) {
      this.names.set(name, value);
      return [];
    }
    const local = `${name}.${this.fresh++}`;
    if (variable) this.variables.add(local);
    // A float under its bits is kept as the float.
    const bits = value.kind === 'unary' && (value.name === 'asI64' || value.name === 'asI32');
    if (!variable && (bits || isUnboxed(value))) {
      const float = value.type === 'i64' ? asF64(value) : asF32(value);
      const back = value.type === 'i64' ? 'asI64' : 'asI32';
      this.names.set(name, unary(value.type, back, { kind: 'local', type: float.type, name: local }));
      return [{ kind: 'let', name: local, type: float.type, value: float }];
    }
    this.names.set(name, { kind: 'local', type: value.type, name: local });
    return [{ kind: 'let', name: local, type: value.type, value }];
  }

  private expression(e: Expression): Expression {
    switch (e.kind) {
      case 'local':
        return this.names.get(e.name)!;
      case 'register':
        if (e.file === 'x') return this.known.numbers[e.field] === 0 ? constant('i64', 0n) : e;
        return unary('i64', 'asI64', { kind: 'floatRegister', type: 'f64', field: this.source(e.field) });
      case 'number': {
        const number = this.known.numbers[e.field];
        return number === undefined ? e : constant('i32', BigInt(number));
      }
      case 'rounding':
        if (this.known.rounding === undefined) throw new NoMeaning('rm');
        return constant('i32', BigInt(this.known.rounding));
      case 'state': {
        const value = this.known.state[e.name];
        return value === undefined ? e : constant(e.type, value);
      }
      case 'unary':
        return this.unary(e);
      case 'binary':
        return this.binary(e);
      case 'choice': {
        const condition = this.expression(e.condition);
        if (condition.kind === 'constant') return this.expression(condition.value ? e.then : e.otherwise);
        return choice(condition, this.expression(e.then), this.expression(e.otherwise));
      }
      case 'call':
        return this.call(
          e,
          e.args.map((arg) => this.expression(arg)),
        );
      case 'intrinsic':
        return { ...e, args: e.args.map((arg) => this.expression(arg)) };
      case 'load':
        return { ...e, address: this.expression(e.address) };
      case 'host': {
        const args = e.args.map((arg) => this.expression(arg));
        const meaning = this.known.host(e.name, args);
        if (meaning === undefined || meaning === 'nothing') throw new NoMeaning(e.name);
        return meaning as Expression;
      }
      default:
        return e;
    }
  }

  private source(field: Source): Source {
    return field === 'rs2' && this.known.sameSources ? 'rs1' : field;
  }

  private unary(e: Extract<Expression, { kind: 'unary' }>): Expression {
    const operand = this.expression(e.operand);
    if (e.name === 'asF64') return asF64(operand);
    if (e.name === 'asF32') return asF32(operand);
    return unary(e.type, e.name, operand);
  }

  private binary(e: Extract<Expression, { kind: 'binary' }>): Expression {
    const left = this.expression(e.left);
    // What is not evaluated need not have a meaning.
    if (left.kind === 'constant' && ((e.name === '&&' && !left.value) || (e.name === '||' && left.value))) return left;
    const right = this.expression(e.right);
    const flags = left.kind === 'state' && left.name === 'fflags' && e.name === '&' && right.kind === 'constant';
    if (flags && (right.value & ~this.known.raised) === 0n) return right;
    if (e.name === '!=' && isConstant(right, 0n) && this.isNonzero(left)) return constant('bool', true);
    return binary(e.type, e.name, left, right);
  }

  private isNonzero(e: Expression): boolean {
    if (e.kind === 'unary' && e.name === 'zext64') return this.isNonzero(e.operand);
    return e.kind === 'number' && e.field === this.known.nonzero;
  }

  private call(e: Extract<Expression, { kind: 'call' }>, args: readonly Expression[]): Expression {
    const other = this.known.replaced.get(e.name);
    // A function that stands in place of another one may call that.
    if (other !== undefined && !this.open.has(other)) return this.call({ ...e, name: other }, args);
    const definition = this.library.functions.get(e.name)!;
    const most = this.inRow ? INLINE_NODES : INNER_NODES;
    const key = `${e.name} ${most} ${args.map((arg) => (arg.kind === 'constant' ? arg.value : '')).join()}`;
    const asCall: Expression = { ...e, args };
    if (this.large.has(key)) return asCall;
    this.open.add(e.name);
    const { before, body } = this.inPlace(definition, args);
    this.open.delete(e.name);
    if (nodesOf(body) <= most) return blockOf(e.type, withoutUnused([...before, ...body]));
    this.large.add(key);
    return asCall;
  }

  /** The body of a function with its arguments in place of the parameters, and before it what names the arguments. */
  private inPlace(
    { parameters, body }: FunctionDefinition,
    args: readonly Expression[],
  ): { before: Statement[]; body: Statement[] } {
    const outer = { names: this.names, assigned: this.assigned, inRow: this.inRow };
    this.names = new Map();
    this.assigned = assignedIn(body);
    this.inRow = false;
    const before = parameters.flatMap(({ name }, i) => this.define(name, args[i]!));
    const inner = withoutUnused(this.statements(body));
    Object.assign(this, outer);
    return { before, body: inner };
  }
}
