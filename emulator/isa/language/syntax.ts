/** What the parser makes of a text, before types: the checker (check.ts) turns it into the typed tree of ir.ts. */

export type RawExpression = { readonly at: number } & (
  | { readonly kind: 'number'; readonly value: bigint; readonly suffix?: 'i32' | 'i64' }
  | { readonly kind: 'name'; readonly name: string }
  /** `#rs1` */
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'unary'; readonly name: string; readonly operand: RawExpression }
  | { readonly kind: 'binary'; readonly name: string; readonly left: RawExpression; readonly right: RawExpression }
  | {
      readonly kind: 'choice';
      readonly condition: RawExpression;
      readonly then: RawExpression;
      readonly otherwise: RawExpression;
    }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly RawExpression[] }
);

export type RawStatement = { readonly at: number } & (
  | {
      readonly kind: 'let' | 'var';
      readonly name: string;
      readonly type: string | undefined;
      readonly value: RawExpression;
    }
  | { readonly kind: 'assign'; readonly name: string; readonly value: RawExpression }
  | {
      readonly kind: 'if';
      readonly condition: RawExpression;
      readonly then: readonly RawStatement[];
      readonly otherwise: readonly RawStatement[];
    }
  | { readonly kind: 'while'; readonly condition: RawExpression; readonly body: readonly RawStatement[] }
  | { readonly kind: 'return'; readonly value: RawExpression | undefined }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly RawExpression[] }
);

export interface RawFunction {
  readonly name: string;
  readonly parameters: readonly { readonly name: string; readonly type: string }[];
  readonly result: string | undefined;
  readonly body: readonly RawStatement[];
  readonly at: number;
}

export interface RawLibrary {
  readonly title: string;
  readonly text: string;
  readonly functions: readonly RawFunction[];
  readonly globals: readonly { readonly name: string; readonly type: string; readonly at: number }[];
  readonly constants: readonly { readonly name: string; readonly value: RawExpression; readonly at: number }[];
}
