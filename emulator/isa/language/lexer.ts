/** The row language's text as tokens. Owns spelling; knows no grammar. Errors name the text, line and column. */

export interface Token {
  /** `name`, `number`, `end`, or the operator itself. */
  readonly kind: string;
  readonly text: string;
  readonly value?: bigint;
  /** Of a number with a suffix. */
  readonly suffix?: 'i32' | 'i64';
  readonly at: number;
}

/** Longest first. Those that end in a letter count only where no name goes on: `a <s b`, but `a < sum`. */
const OPERATORS = [
  '>>s >>u <=s <=u >=s >=u',
  '<s <u >s >u /s /u %s %u << == != <= >= && || ->',
  '< > + - * / & | ^ ~ ! ? : ; , ( ) { } = #',
].flatMap((line) => line.split(' '));

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /(0x[0-9a-fA-F_]+|0b[01_]+|[0-9][0-9_]*)(i32|i64)?/y;
const SPACE = /(\s|\/\/[^\n]*)+/y;
const WORD = /[A-Za-z0-9_]/;

/** An error in a text of the language: always a mistake of whoever wrote the text, never of a guest. */
export function textError(title: string, text: string, at: number, message: string): Error {
  const lines = text.slice(0, at).split('\n');
  return new Error(`${title}:${lines.length}:${lines.at(-1)!.length + 1}: ${message}`);
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** All tokens of a text, `end` last. Throws on a character that belongs to none. */
export function tokens(title: string, text: string): Token[] {
  const list: Token[] = [];
  let at = 0;
  for (;;) {
    at += match(SPACE, text, at)?.[0].length ?? 0;
    if (at >= text.length) return [...list, { kind: 'end', text: 'the end', at }];
    const token = next(text, at);
    if (!token) throw textError(title, text, at, `unexpected "${text[at]}"`);
    list.push(token);
    at += token.text.length;
  }
}

function next(text: string, at: number): Token | undefined {
  const number = match(NUMBER, text, at);
  if (number) {
    const value = BigInt(number[1]!.replace(/_/g, ''));
    const suffix = number[2] as 'i32' | 'i64' | undefined;
    return { kind: 'number', text: number[0], value, ...(suffix && { suffix }), at };
  }
  const name = match(NAME, text, at);
  if (name) return { kind: 'name', text: name[0], at };
  const operator = OPERATORS.find(
    (candidate) =>
      text.startsWith(candidate, at) && !(/[su]$/.test(candidate) && WORD.test(text[at + candidate.length] ?? '')),
  );
  return operator === undefined ? undefined : { kind: operator, text: operator, at };
}
