/** Cuts a C expression into tokens (C17, section 6.4), plus `$name` for registers. Throws an EvaluateError; see `evaluate`. */
import { errors } from './errors';

export interface Token {
  readonly kind: 'number' | 'character' | 'string' | 'name' | 'register' | 'operator' | 'end';
  readonly text: string;
  /** Counted from 1. */
  readonly column: number;
}

export const MAX_LENGTH = 2_000;

const TOKEN =
  /\s*(?:(?<number>(?:0[xX][\da-fA-F]+|0[bB][01]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[\w]*)|(?<character>'(?:[^'\\]|\\.[0-7a-fA-F]*)*')|(?<string>"(?:[^"\\]|\\.)*")|(?<name>[A-Za-z_]\w*)|(?<register>\$[A-Za-z_]\w*)|(?<operator><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%&|^~!<>=?:.,;()[\]{}]))/uy;

const KINDS = ['number', 'character', 'string', 'name', 'register', 'operator'] as const;

export function tokenise(text: string): Token[] {
  if (text.length > MAX_LENGTH) throw errors.tooLong(`longer than ${MAX_LENGTH} characters`);
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  const end = text.trimEnd().length;
  for (let at = 0; at < end; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const groups = TOKEN.exec(text)?.groups;
    const kind = groups && KINDS.find((candidate) => groups[candidate] !== undefined);
    if (!groups || !kind) {
      const bad = at + /^\s*/.exec(text.slice(at))![0].length;
      throw errors.character(bad + 1, String.fromCodePoint(text.codePointAt(bad)!));
    }
    const found = groups[kind]!;
    tokens.push({ kind, text: found, column: TOKEN.lastIndex - found.length + 1 });
  }
  tokens.push({ kind: 'end', text: '', column: end + 1 });
  return tokens;
}
