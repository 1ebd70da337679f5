/**
 * From text to a tree: the expressions of C (C17, section 6.5) without what changes the program. Precedence climbing. The
 * one question C leaves open, whether `(a)*b` is a cast, is answered by the scope: is this name a type?
 */
import { parseIntegerLiteral } from '../variables/encode';
import type { NumberFormat } from '../variables/scalars';
import { errors } from './errors';
import { tokenise, type Token } from './lexer';
import type { Expression, Parsed, TypeSyntax, UnaryOperator } from './syntax';

/** Whether a name stands for a type here; a variable of the same name hides it. */
export type IsType = (name: string) => boolean;

/** Parentheses, operators and array indices may nest this deep. */
export const MAX_NESTING = 100;

/** Binary operators by precedence, the loosest first (section 6.5.5 to 6.5.15). */
const PRECEDENCE: ReadonlyMap<string, number> = new Map(
  [
    ['||'],
    ['&&'],
    ['|'],
    ['^'],
    ['&'],
    ['==', '!='],
    ['<', '>', '<=', '>='],
    ['<<', '>>'],
    ['+', '-'],
    ['*', '/', '%'],
  ].flatMap((operators, level) => operators.map((operator): [string, number] => [operator, level + 1])),
);
const UNARY: ReadonlySet<string> = new Set(['*', '&', '+', '-', '!', '~']);
const ASSIGNMENTS: ReadonlySet<string> = new Set([
  '=',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '&=',
  '|=',
  '^=',
  '<<=',
  '>>=',
  '++',
  '--',
]);
const QUALIFIERS: ReadonlySet<string> = new Set(['const', 'volatile', 'restrict', '_Atomic']);
const BASE_WORDS: ReadonlySet<string> = new Set([
  'void',
  'char',
  'short',
  'int',
  'long',
  'signed',
  'unsigned',
  'float',
  'double',
  '_Bool',
]);
const TAG_WORDS: ReadonlySet<string> = new Set(['struct', 'union', 'enum']);
const FORMATS: ReadonlySet<string> = new Set(['x', 'd', 'c', 'b', 'o']);

/** Parses an expression with an optional format. Throws an EvaluateError. */
export function parse(text: string, isType: IsType): Parsed {
  return new Parser(tokenise(text), isType).parse();
}

class Parser {
  private at = 0;
  private depth = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly isType: IsType,
  ) {}

  parse(): Parsed {
    const expression = this.expression();
    let format: NumberFormat | undefined;
    let length: Expression | undefined;
    while (this.take(',')) {
      if (this.take('[')) {
        length = this.expression();
        this.expect(']');
      } else format = this.format();
    }
    if (this.next.kind !== 'end') this.unexpected('the end of the expression');
    return { expression, format, length };
  }

  private get next(): Token {
    return this.tokens[this.at]!;
  }

  private advance(): Token {
    return this.tokens[this.at++]!;
  }

  private peek(text: string): boolean {
    return this.next.kind === 'operator' && this.next.text === text;
  }

  private take(text: string): boolean {
    if (!this.peek(text)) return false;
    this.at++;
    return true;
  }

  private expect(text: string): void {
    if (!this.take(text)) this.unexpected(`'${text}'`);
  }

  private unexpected(expected: string): never {
    const { kind, text, column } = this.next;
    if (kind === 'operator' && ASSIGNMENTS.has(text)) throw errors.assignment(text, column);
    throw errors.syntax(column, expected, kind === 'end' ? 'the end' : `'${text}'`);
  }

  private format(): NumberFormat | undefined {
    const { kind, text } = this.next;
    if (kind !== 'name' || !(FORMATS.has(text) || text === 's'))
      this.unexpected("a format ('x', 'd', 'c', 'b', 'o', 's' or '[n]')");
    this.at++;
    return text === 's' ? undefined : (text as NumberFormat);
  }

  private nested<T>(parse: () => T): T {
    if (++this.depth > MAX_NESTING) throw errors.tooLong(`nested deeper than ${MAX_NESTING} levels`);
    const result = parse();
    this.depth--;
    return result;
  }

  private expression(): Expression {
    return this.nested(() => {
      const test = this.binary(1);
      const { column } = this.next;
      if (!this.take('?')) return test;
      const yes = this.expression();
      this.expect(':');
      return { kind: 'conditional', test, yes, no: this.expression(), column };
    });
  }

  private binary(lowest: number): Expression {
    let left = this.unary();
    for (;;) {
      const { kind, text, column } = this.next;
      const level = kind === 'operator' ? PRECEDENCE.get(text) : undefined;
      if (level === undefined || level < lowest) return left;
      this.at++;
      left = { kind: 'binary', operator: text, left, right: this.binary(level + 1), column };
    }
  }

  private unary(): Expression {
    return this.nested(() => {
      const { kind, text, column } = this.next;
      if (kind === 'operator' && UNARY.has(text)) {
        this.at++;
        return { kind: 'unary', operator: text as UnaryOperator, operand: this.unary(), column };
      }
      if (kind === 'name' && text === 'sizeof') return this.sizeof();
      if (this.peek('(') && this.startsType(this.tokens[this.at + 1]!)) {
        this.at++;
        const type = this.typeName();
        this.expect(')');
        if (this.peek('{')) throw errors.notSupported('Compound literals are', column);
        return { kind: 'cast', type, operand: this.unary(), column };
      }
      return this.postfix();
    });
  }

  private sizeof(): Expression {
    const { column } = this.advance();
    if (!this.peek('(') || !this.startsType(this.tokens[this.at + 1]!))
      return { kind: 'sizeof', operand: this.unary(), column };
    this.at++;
    const type = this.typeName();
    this.expect(')');
    return { kind: 'sizeofType', type, column };
  }

  private postfix(): Expression {
    let value = this.primary();
    for (;;) {
      const { column } = this.next;
      if (this.take('.')) value = { kind: 'member', of: value, name: this.memberName(), arrow: false, column };
      else if (this.take('->')) value = { kind: 'member', of: value, name: this.memberName(), arrow: true, column };
      else if (this.take('[')) {
        value = { kind: 'index', of: value, index: this.expression(), column };
        this.expect(']');
      } else if (this.peek('(')) throw errors.call(column);
      else return value;
    }
  }

  private memberName(): string {
    if (this.next.kind !== 'name') this.unexpected('the name of a member');
    return this.advance().text;
  }

  private primary(): Expression {
    const { kind, text, column } = this.next;
    switch (kind) {
      case 'number':
        this.at++;
        return numberLiteral(text, column);
      case 'character': {
        this.at++;
        const value = parseIntegerLiteral(text);
        if (value === undefined) throw errors.literal(column, text);
        return { kind: 'character', value: BigInt.asIntN(32, value), column };
      }
      case 'string':
        throw errors.notSupported('String literals are', column);
      case 'register':
        this.at++;
        return { kind: 'register', name: text, column };
      case 'name':
        if (this.startsType(this.next)) this.unexpected('a value; a type stands alone only in a cast or behind sizeof');
        this.at++;
        return { kind: 'name', name: text, column };
      default: {
        if (!this.take('(')) this.unexpected('a value');
        const inner = this.expression();
        this.expect(')');
        return inner;
      }
    }
  }

  private startsType(token: Token): boolean {
    if (token.kind !== 'name') return false;
    const { text } = token;
    return (
      QUALIFIERS.has(text) || BASE_WORDS.has(text) || TAG_WORDS.has(text) || (text !== 'sizeof' && this.isType(text))
    );
  }

  private typeName(): TypeSyntax {
    const { column } = this.next;
    const { keyword, name } = this.specifiers();
    let pointers = 0;
    for (;;) {
      if (this.take('*')) pointers++;
      else if (!this.takeQualifier()) break;
      if (pointers > MAX_NESTING) throw errors.tooLong(`nested deeper than ${MAX_NESTING} levels`);
    }
    if (this.peek('(')) throw errors.notSupported('Types of functions are', this.next.column);
    const lengths: number[] = [];
    while (this.take('[')) {
      const { kind, text, column: at } = this.next;
      if (kind !== 'number') this.unexpected('the length of the array');
      this.at++;
      const length = Number(parseIntegerLiteral(text) ?? -1n);
      if (!Number.isSafeInteger(length) || length < 0) throw errors.literal(at, text);
      lengths.push(length);
      this.expect(']');
      if (lengths.length > MAX_NESTING) throw errors.tooLong(`nested deeper than ${MAX_NESTING} levels`);
    }
    return { keyword, name, pointers, lengths, column };
  }

  private takeQualifier(): boolean {
    if (this.next.kind !== 'name' || !QUALIFIERS.has(this.next.text)) return false;
    this.at++;
    return true;
  }

  private specifiers(): Pick<TypeSyntax, 'keyword' | 'name'> {
    const words: string[] = [];
    let keyword: TypeSyntax['keyword'] = '';
    for (;;) {
      if (this.takeQualifier()) continue;
      const { kind, text } = this.next;
      if (kind !== 'name') break;
      if (TAG_WORDS.has(text) && words.length === 0) {
        this.at++;
        keyword = text as 'struct';
        if (this.next.kind !== 'name') this.unexpected(`the name of the ${keyword}`);
        words.push(this.advance().text);
        this.takeQualifier();
        break;
      }
      if (!BASE_WORDS.has(text) && !(words.length === 0 && this.isType(text))) break;
      words.push(this.advance().text);
      if (!BASE_WORDS.has(text)) break;
    }
    while (this.takeQualifier());
    if (words.length === 0) this.unexpected('the name of a type');
    return { keyword, name: words.join(' ') };
  }
}

function numberLiteral(text: string, column: number): Expression {
  const integer = /^(0[xX][\da-fA-F]+|0[bB][01]+|\d+)([uUlL]*)$/.exec(text);
  if (integer) {
    const value = parseIntegerLiteral(text);
    if (value === undefined || value >= 1n << 64n) throw errors.literal(column, text);
    return { kind: 'integer', value, suffix: integer[2]!.toLowerCase(), isDecimal: !text.startsWith('0'), column };
  }
  const float = /^((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([fFlL]?)$/.exec(text);
  if (!float) throw errors.literal(column, text);
  return { kind: 'float', value: Number(float[1]), isSingle: float[2]!.toLowerCase() === 'f', column };
}
