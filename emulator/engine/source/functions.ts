/** The library's functions that rows call but that are too long to be put in place of their calls. */
import type { Expression, FunctionDefinition, Library, Statement } from '../../isa/language/ir';
import { calledBy, eachStatement, everyExpression } from '../../isa/language/walk';
import type { Load, RowValue } from './expressions';
import type { Pair } from './pairs';
import { Statements, type Linkage } from './statements';

/** In a text of this many operators or fewer a call would cost more than it saves. */
const SHORT = 24;

/** Operators and statements of a body: what it costs to put it in place. */
export function weightOf(body: readonly Statement[]): number {
  let weight = 0;
  eachStatement(body, ({ kind }) => (weight += kind === 'let' || kind === 'return' ? 0 : 1));
  everyExpression(body, ({ kind }) => (weight += kind === 'local' || kind === 'constant' ? 0 : 1));
  return weight;
}

const recursive = (definition: FunctionDefinition, library: Library): boolean =>
  calledBy(definition.body, library).has(definition.name);

export function newLinkage(library: Library): Linkage {
  const inlined = [...library.functions.values()].filter(
    (definition) => weightOf(definition.body) <= SHORT && !recursive(definition, library),
  );
  const slots = new Map<string, number>();
  let [words, floats] = [0, 0];
  for (const { name, type } of library.globals.values()) {
    const isFloat = type === 'f32' || type === 'f64';
    slots.set(name, isFloat ? floats++ : words);
    if (!isFloat) words += type === 'i64' ? 2 : 1;
  }
  return { library, slots, words, floats, inlined: new Set(inlined.map(({ name }) => name)), needs: new Map() };
}

class FunctionLowering extends Statements {
  protected deed({ kind }: Statement): void {
    throw new Error(`${kind} in a function`);
  }
  protected rowValue({ kind }: RowValue): Pair {
    throw new Error(`${kind} in a function`);
  }
  protected load({ kind }: Load): Pair {
    throw new Error(`${kind} in a function`);
  }
  protected host({ kind }: Expression): Pair {
    throw new Error(`${kind} in a function`);
  }
}

/** The text of the functions of their own among `names`, lowered once: see `settle`. */
export function functionTexts(linkage: Linkage, names: Iterable<string>): string[] {
  return [...names]
    .filter((name) => !linkage.inlined.has(name))
    .flatMap((name) => new FunctionLowering(linkage, `${name}$`).functionText(linkage.library.functions.get(name)!));
}

/** Lowers a text again until what is needed of every local is known: needs only grow. */
export function settle<T>({ needs }: Linkage, lower: () => T): T {
  for (;;) {
    const before = [...needs].join();
    const text = lower();
    if ([...needs].join() !== before) continue;
    return text;
  }
}

const SUPPORT = [
  ...['words', 'doubles', 'singles', 'multiplyHigh', 'trailingZeros', 'population'],
  ...['divideUnsigned', 'quotientSigned', 'remainderSigned', 'remainderUnsigned'],
];

/** What every generated module begins with; `body` follows. */
export function preamble(linkage: Linkage, support: string, body: string): string[] {
  const imported = SUPPORT.filter((name) => new RegExp(`\\b${name}\\b`).test(body));
  return [
    `import { ${imported.join(', ')} } from '${support}';`,
    `const globals = new Int32Array(${linkage.words});`,
    ...(linkage.floats > 0 ? [`const floatGlobals = new Float64Array(${linkage.floats});`] : []),
    '/** Words of the hart. */',
    'let x: Int32Array;',
  ];
}
