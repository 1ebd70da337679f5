/**
 * Which functions of the library stand in place of their calls, and which rows stand in the interpreter's loop: questions of size
 * alone, answered from the trees.
 */
import type { Expression, FunctionDefinition, HostName, Library, Semantics, Statement } from '../../isa/language/ir';
import { eachStatement, everyExpression } from '../../isa/language/walk';

/** Does the loop do what a host function does, as far as the translations answer it? */
const standsIn = (name: HostName): boolean => /^(amo|loadReserved|storeConditional)/.test(name);

/** A function of at most this many nodes stands in place of its calls everywhere. */
export const INLINE_NODES = 16;
/** In the loop, where there are no calls, a larger one may. */
export const LOOP_INLINE_NODES = 90;

export class Placing {
  private readonly sizes = new Map<string, number>();

  constructor(private readonly library: Library) {}

  /** Nodes of a function's tree, with those of what stands in place of its calls; Infinity with a loop in it. */
  nodes(name: string): number {
    let size = this.sizes.get(name);
    if (size === undefined) {
      size = this.count(this.library.functions.get(name)!.body);
      this.sizes.set(name, size);
    }
    return size;
  }

  private count(body: readonly Statement[]): number {
    let nodes = 0;
    eachStatement(body, (statement) => {
      nodes += statement.kind === 'while' ? Infinity : 1;
    });
    everyExpression(body, (expression) => {
      const inner = expression.kind === 'call' ? this.nodes(expression.name) : 1;
      nodes += inner <= INLINE_NODES ? inner : 1;
    });
    return nodes;
  }

  inlines({ name }: FunctionDefinition, limit: number): boolean {
    return this.nodes(name) <= limit;
  }

  /** Can a row get anything done in the loop, where its first call or host function ends it? */
  standsInLoop({ body }: Semantics): boolean {
    return !this.leaves(body);
  }

  /** Does every path through the statements come to something that the loop does not do? `undefined`: no, but it may have returned. */
  private leaves(body: readonly Statement[]): boolean {
    for (const statement of body) {
      switch (statement.kind) {
        case 'trap':
        case 'illegal':
        case 'while':
        case 'call':
          return true;
        case 'host':
          if (!standsIn(statement.name) || statement.args.some((arg) => this.ends(arg))) return true;
          break;
        case 'if':
          if (this.ends(statement.condition) || (this.leaves(statement.then) && this.leaves(statement.otherwise)))
            return true;
          // A path may have returned: what follows is only another one.
          if (returnsSomewhere(statement)) return false;
          break;
        case 'let':
        case 'assign':
        case 'setRegister':
          if (this.ends(statement.value)) return true;
          break;
        case 'return':
          return statement.value !== undefined && this.ends(statement.value);
        case 'store':
          if (this.ends(statement.address) || this.ends(statement.value)) return true;
          break;
        case 'jump':
          return this.ends(statement.target);
        case 'raise':
          if (this.ends(statement.flags)) return true;
      }
    }
    return false;
  }

  private ends(expression: Expression): boolean {
    switch (expression.kind) {
      case 'unary':
        return this.ends(expression.operand);
      case 'binary':
        if (expression.name === '&&' || expression.name === '||') return this.ends(expression.left);
        return this.ends(expression.left) || this.ends(expression.right);
      case 'choice':
        return this.ends(expression.condition) || (this.ends(expression.then) && this.ends(expression.otherwise));
      case 'load':
        return this.ends(expression.address);
      case 'host':
        return !standsIn(expression.name) || expression.args.some((arg) => this.ends(arg));
      case 'call': {
        const definition = this.library.functions.get(expression.name)!;
        return (
          expression.args.some((arg) => this.ends(arg)) ||
          !this.inlines(definition, LOOP_INLINE_NODES) ||
          this.leaves(definition.body)
        );
      }
      default:
        return false;
    }
  }
}

function returnsSomewhere(statement: Statement): boolean {
  let found = false;
  eachStatement([statement], ({ kind }) => {
    found ||= kind === 'return';
  });
  return found;
}
