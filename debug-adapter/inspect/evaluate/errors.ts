/** Why an expression has no value: named factories, each with a code, the cause and what to do. */

export class EvaluateError extends Error {
  constructor(
    readonly code: EvaluateErrorCode,
    message: string,
    /** Where in the expression, counted from 1; absent where it is about the whole. */
    readonly column?: number,
  ) {
    super(message);
    this.name = 'EvaluateError';
  }
}

export type EvaluateErrorCode =
  | 'syntax'
  | 'tooLong'
  | 'unknownIdentifier'
  | 'unknownType'
  | 'noSideEffects'
  | 'notSupported'
  | 'wrongType'
  | 'noMember'
  | 'noAddress'
  | 'unavailable'
  | 'arithmetic';

type Make = (...parts: never[]) => EvaluateError;
const make = <T extends Record<string, Make>>(factories: T): T => factories;

export const errors = make({
  syntax: (column: number, expected: string, found: string) =>
    new EvaluateError('syntax', `Syntax error at column ${column}: expected ${expected}, found ${found}.`, column),
  character: (column: number, character: string) =>
    new EvaluateError(
      'syntax',
      `Syntax error at column ${column}: ${JSON.stringify(character)} is not part of a C expression.`,
      column,
    ),
  literal: (column: number, text: string) =>
    new EvaluateError('syntax', `Syntax error at column ${column}: ${text} is not a number or character.`, column),
  tooLong: (what: string) => new EvaluateError('tooLong', `The expression is ${what}; use a shorter one.`),
  unknownIdentifier: (name: string, column: number) =>
    new EvaluateError(
      'unknownIdentifier',
      `There is no variable, function or constant named '${name}' in this scope.`,
      column,
    ),
  unknownRegister: (name: string, column: number) =>
    new EvaluateError(
      'unknownIdentifier',
      `There is no register named '${name}'; there are $pc, $sp, $a0, $x10, $fa0 and so on.`,
      column,
    ),
  unknownType: (name: string, column: number) =>
    new EvaluateError(
      'unknownType',
      `There is no type named '${name}' in the debug information of this program.`,
      column,
    ),
  call: (column: number) =>
    new EvaluateError(
      'noSideEffects',
      'Functions are not called from expressions: a call could change the program.',
      column,
    ),
  assignment: (operator: string, column: number) =>
    new EvaluateError(
      'noSideEffects',
      `'${operator}' would change the program, and expressions do not. Set the value in the Variables view.`,
      column,
    ),
  notSupported: (what: string, column: number) =>
    new EvaluateError('notSupported', `${what} not supported in expressions.`, column),
  wrongType: (message: string, column: number) => new EvaluateError('wrongType', message, column),
  noMember: (type: string, name: string, column: number) =>
    new EvaluateError('noMember', `${type} has no member named '${name}'.`, column),
  noAddress: (why: string, column: number) => new EvaluateError('noAddress', `It has no address: ${why}.`, column),
  unavailable: (what: string, why: string, column: number) =>
    new EvaluateError('unavailable', `${what} has no value here: ${why}.`, column),
  division: (column: number) => new EvaluateError('arithmetic', 'Division by zero.', column),
});
