/**
 * The grammar of the row language: recursive descent, operators by precedence. Makes raw trees (syntax.ts) and knows no types.
 * Unlike in C, `& ^ |` bind tighter than comparisons, and comparisons do not chain.
 */
import { textError, tokens, type Token } from './lexer';
import type { RawExpression, RawFunction, RawLibrary, RawStatement } from './syntax';

/** From the loosest to the tightest; `?:` stands before the first. */
const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['==', '!=', '<s', '<u', '<=s', '<=u', '>s', '>u', '>=s', '>=u', '<', '<=', '>', '>='],
  ['|'],
  ['^'],
  ['&'],
  ['<<', '>>s', '>>u'],
  ['+', '-'],
  ['*', '/', '/s', '/u', '%s', '%u'],
];
const COMPARISONS = 2;
/** Comparisons that are written the other way round in the tree. */
const TURNED: Readonly<Record<string, string>> = {
  '>s': '<s',
  '>u': '<u',
  '>=s': '<=s',
  '>=u': '<=u',
  '>': '<',
  '>=': '<=',
};

class Parser {
  private readonly list: readonly Token[];
  private position = 0;

  constructor(
    private readonly title: string,
    private readonly text: string,
  ) {
    this.list = tokens(title, text);
  }

  private get token(): Token {
    return this.list[this.position]!;
  }

  private fail(message: string, at = this.token.at): never {
    throw textError(this.title, this.text, at, message);
  }

  private take(kind: string): Token {
    const { token } = this;
    if (token.kind !== kind) this.fail(`expected ${kind}, found "${token.text}"`);
    this.position++;
    return token;
  }

  private accept(kind: string): boolean {
    if (this.token.kind !== kind) return false;
    this.position++;
    return true;
  }

  private keyword(word: string): boolean {
    if (this.token.kind !== 'name' || this.token.text !== word) return false;
    this.position++;
    return true;
  }

  private name(): string {
    return this.take('name').text;
  }

  library(): RawLibrary {
    const functions: RawFunction[] = [];
    const globals: RawLibrary['globals'][number][] = [];
    const constants: RawLibrary['constants'][number][] = [];
    while (this.token.kind !== 'end') {
      const { at } = this.token;
      if (this.keyword('fn')) functions.push(this.function(at));
      else if (this.keyword('global')) {
        const name = this.name();
        this.take(':');
        globals.push({ name, type: this.name(), at });
        this.take(';');
      } else if (this.keyword('const')) {
        const name = this.name();
        this.take('=');
        constants.push({ name, value: this.expression(), at });
        this.take(';');
      } else this.fail(`expected fn, global or const, found "${this.token.text}"`);
    }
    return { title: this.title, text: this.text, functions, globals, constants };
  }

  private function(at: number): RawFunction {
    const name = this.name();
    this.take('(');
    const parameters: { name: string; type: string }[] = [];
    while (!this.accept(')')) {
      if (parameters.length > 0) this.take(',');
      const parameter = this.name();
      this.take(':');
      parameters.push({ name: parameter, type: this.name() });
    }
    const result = this.accept('->') ? this.name() : undefined;
    return { name, parameters, result, body: this.block(), at };
  }

  private block(): RawStatement[] {
    this.take('{');
    const body = this.statements('}');
    this.take('}');
    return body;
  }

  /** Statements up to a token that is left where it is. */
  statements(end: string): RawStatement[] {
    const body: RawStatement[] = [];
    for (;;) {
      while (this.accept(';'));
      if (this.token.kind === end) return body;
      const statement = this.statement();
      body.push(statement);
      const braces = statement.kind === 'if' || statement.kind === 'while';
      if (!braces && this.token.kind !== end) this.take(';');
    }
  }

  private statement(): RawStatement {
    const { at } = this.token;
    if (this.keyword('let')) return this.declaration('let', at);
    if (this.keyword('var')) return this.declaration('var', at);
    if (this.keyword('if')) return this.branch(at);
    if (this.keyword('while')) return { kind: 'while', condition: this.condition(), body: this.block(), at };
    if (this.keyword('return')) {
      const bare = this.token.kind === ';' || this.token.kind === '}';
      return { kind: 'return', value: bare ? undefined : this.expression(), at };
    }
    const name = this.name();
    if (this.token.kind === '(') return { kind: 'call', name, args: this.args(), at };
    this.take('=');
    return { kind: 'assign', name, value: this.expression(), at };
  }

  private declaration(kind: 'let' | 'var', at: number): RawStatement {
    const name = this.name();
    const type = this.accept(':') ? this.name() : undefined;
    this.take('=');
    return { kind, name, type, value: this.expression(), at };
  }

  private condition(): RawExpression {
    this.take('(');
    const condition = this.expression();
    this.take(')');
    return condition;
  }

  private branch(at: number): RawStatement {
    const condition = this.condition();
    const then = this.block();
    let otherwise: readonly RawStatement[] = [];
    const elseAt = this.token.at;
    if (this.keyword('else')) {
      const nested = this.token.at;
      otherwise = this.keyword('if') ? [this.branch(nested)] : this.block();
      if (otherwise.length === 0) this.fail('an empty else', elseAt);
    }
    return { kind: 'if', condition, then, otherwise, at };
  }

  private args(): RawExpression[] {
    this.take('(');
    const args: RawExpression[] = [];
    while (!this.accept(')')) {
      if (args.length > 0) this.take(',');
      args.push(this.expression());
    }
    return args;
  }

  private expression(): RawExpression {
    const condition = this.level(0);
    const { at } = this.token;
    if (!this.accept('?')) return condition;
    const then = this.expression();
    this.take(':');
    return { kind: 'choice', condition, then, otherwise: this.expression(), at };
  }

  private level(depth: number): RawExpression {
    const operators = LEVELS[depth];
    if (!operators) return this.unary();
    let left = this.level(depth + 1);
    for (let count = 0; operators.includes(this.token.kind); count++) {
      if (depth === COMPARISONS && count > 0) this.fail('comparisons do not chain');
      const { kind, at } = this.token;
      this.position++;
      const right = this.level(depth + 1);
      const turned = TURNED[kind];
      left = turned
        ? { kind: 'binary', name: turned, left: right, right: left, at }
        : { kind: 'binary', name: kind, left, right, at };
    }
    return left;
  }

  private unary(): RawExpression {
    const { kind, at } = this.token;
    if (kind !== '-' && kind !== '~' && kind !== '!') return this.primary();
    this.position++;
    return { kind: 'unary', name: kind, operand: this.unary(), at };
  }

  private primary(): RawExpression {
    const { token } = this;
    if (this.accept('(')) {
      const inner = this.expression();
      this.take(')');
      return inner;
    }
    if (this.accept('#')) return { kind: 'field', name: this.name(), at: token.at };
    if (this.accept('number'))
      return { kind: 'number', value: token.value!, ...(token.suffix && { suffix: token.suffix }), at: token.at };
    const name = this.name();
    if (this.token.kind === '(') return { kind: 'call', name, args: this.args(), at: token.at };
    return { kind: 'name', name, at: token.at };
  }

  end(): void {
    this.take('end');
  }
}

/** A library file. Throws with title, line and column. */
export function readLibrary(title: string, text: string): RawLibrary {
  return new Parser(title, text).library();
}

/** The statements of a row. */
export function readStatements(title: string, text: string): RawStatement[] {
  const parser = new Parser(title, text);
  const body = parser.statements('end');
  parser.end();
  return body;
}
