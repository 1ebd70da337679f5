/** The tree of an expression. Every node knows its column, so that an error can point at it. */
import type { NumberFormat } from '../variables/scalars';

/** A type as it was written: specifiers, then pointers and array lengths from inside out. */
export interface TypeSyntax {
  /** `struct`, `union`, `enum`, or empty for a base type or typedef. */
  readonly keyword: 'struct' | 'union' | 'enum' | '';
  readonly name: string;
  readonly pointers: number;
  readonly lengths: readonly number[];
  readonly column: number;
}

export type UnaryOperator = '*' | '&' | '+' | '-' | '!' | '~';

export type Expression =
  | {
      readonly kind: 'integer';
      readonly value: bigint;
      readonly suffix: string;
      readonly isDecimal: boolean;
      readonly column: number;
    }
  | { readonly kind: 'float'; readonly value: number; readonly isSingle: boolean; readonly column: number }
  | { readonly kind: 'character'; readonly value: bigint; readonly column: number }
  | { readonly kind: 'name'; readonly name: string; readonly column: number }
  | { readonly kind: 'register'; readonly name: string; readonly column: number }
  | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly operand: Expression; readonly column: number }
  | {
      readonly kind: 'binary';
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
      readonly column: number;
    }
  | {
      readonly kind: 'conditional';
      readonly test: Expression;
      readonly yes: Expression;
      readonly no: Expression;
      readonly column: number;
    }
  | {
      readonly kind: 'member';
      readonly of: Expression;
      readonly name: string;
      readonly arrow: boolean;
      readonly column: number;
    }
  | { readonly kind: 'index'; readonly of: Expression; readonly index: Expression; readonly column: number }
  | { readonly kind: 'cast'; readonly type: TypeSyntax; readonly operand: Expression; readonly column: number }
  | { readonly kind: 'sizeofType'; readonly type: TypeSyntax; readonly column: number }
  | { readonly kind: 'sizeof'; readonly operand: Expression; readonly column: number };

/** An expression with what follows its last comma: `,x` or `,[n]`. */
export interface Parsed {
  readonly expression: Expression;
  readonly format: NumberFormat | undefined;
  /** `,[n]`: show that many elements from a pointer or array. */
  readonly length: Expression | undefined;
}
