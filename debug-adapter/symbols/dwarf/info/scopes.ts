/**
 * Functions, inlined calls, lexical blocks and variables, as entries describe them (DWARF 5, chapters 3 and 4). An entry of
 * a concrete instance takes what it does not say itself from its abstract origin or specification.
 */
import { SymbolError } from '../../bytes';
import { At, Tag } from './constants';
import { rangesContain, type AddressRange } from './intervals';
import { expressionAt } from './locations';
import { rangesOf } from './ranges';
import type { TypeReader } from './type-reader';
import { functionType } from './type-reader';
import { lazy, type Type } from './types';
import { MAX_DEPTH, MAX_REFERENCES, type Entry, type Unit } from './unit';

/** A place in a source file. The file is a path as the line table spells it. */
export interface SourcePlace {
  readonly file: string | undefined;
  readonly line: number | undefined;
}

/** A function of the program with code of its own. Addresses are link-time addresses. */
export interface FunctionScope {
  readonly name: string;
  readonly linkageName: string | undefined;
  /** The entry point: the lowest address of the first range. */
  readonly low: number;
  readonly ranges: readonly AddressRange[];
  readonly declaration: SourcePlace;
  readonly external: boolean;
  readonly type: Type;
  readonly unit: Unit;
  /** The expression for the frame base at `pc`, undefined where there is none. */
  frameBaseAt(pc: number): Uint8Array | undefined;
}

/** A call that the compiler replaced by the body of the function. */
export interface InlinedScope {
  /** Tells this copy from every other of the program. */
  readonly id: number;
  readonly name: string;
  readonly linkageName: string | undefined;
  /** Where the call was written. */
  readonly call: SourcePlace;
  readonly declaration: SourcePlace;
  readonly ranges: readonly AddressRange[];
  /** Where control enters it. */
  readonly entry: number | undefined;
}

/** A lexical block; `level` 0 belongs to the function, n to its n-th inlined call counted from outside. */
export interface BlockScope {
  readonly ranges: readonly AddressRange[];
  readonly level: number;
}

export interface ScopesAt {
  readonly function: FunctionScope;
  /** Innermost last. */
  readonly inlined: readonly InlinedScope[];
  readonly blocks: readonly BlockScope[];
}

/** Where a variable is at a pc. */
export type VariableLocation =
  | { readonly kind: 'expression'; readonly expression: Uint8Array; readonly unit: Unit }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'constant'; readonly value: bigint }
  /** `declared`: only `extern`, so a symbol of that name may say where it is. */
  | { readonly kind: 'none'; readonly reason: 'optimised out' | 'declared' | 'malformed'; readonly detail?: string };

export interface Variable {
  readonly name: string;
  readonly kind: 'parameter' | 'local' | 'global';
  readonly type: Type;
  readonly declaration: SourcePlace;
  readonly external: boolean;
  /** A variable of the same name in a block further in hides this one. */
  readonly shadowed: boolean;
  readonly unit: Unit;
  locationAt(pc: number): VariableLocation;
}

/** What scopes need from the whole: types, and the names of files. */
export interface ScopeContext {
  readonly types: TypeReader;
  fileAt(unit: Unit, index: number): string | undefined;
}

/** The entry itself, then the entries it refers to as origin or specification. Bounded, so a cycle ends. */
export function lineage(entry: Entry): Entry[] {
  const chain = [entry];
  for (let at = entry; chain.length < MAX_REFERENCES;) {
    const next = at.reference(At.abstract_origin) ?? at.reference(At.specification);
    if (!next || chain.includes(next)) break;
    chain.push((at = next));
  }
  return chain;
}

/** The first entry of the lineage that has an attribute. */
const owner = (chain: readonly Entry[], at: number): Entry | undefined => chain.find((entry) => entry.has(at));

export const nameOf = (chain: readonly Entry[]): string | undefined => owner(chain, At.name)?.string(At.name);

function linkageNameOf(chain: readonly Entry[]): string | undefined {
  return (
    owner(chain, At.linkage_name)?.string(At.linkage_name) ??
    owner(chain, At.MIPS_linkage_name)?.string(At.MIPS_linkage_name)
  );
}

function place(context: ScopeContext, entry: Entry | undefined, file: number, line: number): SourcePlace {
  const index = entry?.number(file);
  return {
    file: entry && index !== undefined ? context.fileAt(entry.unit, index) : undefined,
    line: entry?.number(line),
  };
}

const declaredAt = (context: ScopeContext, chain: readonly Entry[]): SourcePlace =>
  place(context, owner(chain, At.decl_line), At.decl_file, At.decl_line);

const UNNAMED = '<unnamed>';

/** Describes a DW_TAG_subprogram. Returns undefined when it has no code. Throws where it is malformed. */
export function functionScope(context: ScopeContext, entry: Entry): FunctionScope | undefined {
  const ranges = rangesOf(entry);
  const chain = lineage(entry);
  const low = ranges[0]?.low;
  if (low === undefined) return undefined;
  const type = lazy(() => {
    const declared = chain.find((e) => e.children.some((c) => c.tag === Tag.formal_parameter)) ?? entry;
    const returns = lazy(() => context.types.typeOf(owner(chain, At.type) ?? entry));
    return functionType(declared, returns, (parameter) =>
      context.types.typeOf(owner(lineage(parameter), At.type) ?? parameter),
    );
  });
  const declaration = lazy(() => declaredAt(context, chain));
  return {
    name: nameOf(chain) ?? UNNAMED,
    linkageName: linkageNameOf(chain),
    low,
    ranges,
    unit: entry.unit,
    external: chain.some((e) => e.flag(At.external)),
    get declaration() {
      return declaration();
    },
    get type() {
      return type();
    },
    frameBaseAt: (pc) => {
      try {
        return expressionAt(entry, At.frame_base, pc);
      } catch (error) {
        if (error instanceof SymbolError) return undefined;
        throw error;
      }
    },
  };
}

function inlinedScope(context: ScopeContext, entry: Entry): InlinedScope {
  const chain = lineage(entry);
  const call = lazy(() => place(context, entry, At.call_file, At.call_line));
  const declaration = lazy(() => declaredAt(context, chain));
  const ranges = rangesOf(entry);
  const entered = entry.address(At.entry_pc);
  return {
    id: entry.offset,
    name: nameOf(chain) ?? UNNAMED,
    linkageName: linkageNameOf(chain),
    ranges,
    entry: entered === undefined ? ranges[0]?.low : Number(entered),
    get call() {
      return call();
    },
    get declaration() {
      return declaration();
    },
  };
}

/** The entries around a pc: the function or inlined call of each level, and the blocks in it, outermost first. */
export interface ScopeLevel {
  readonly entry: Entry;
  readonly blocks: Entry[];
}

/** Descends from a function's entry to the innermost scope that holds `pc`. */
export function levelsAt(root: Entry, pc: number): ScopeLevel[] {
  const levels: ScopeLevel[] = [{ entry: root, blocks: [] }];
  let at: Entry | undefined = root;
  for (let depth = 0; at && depth < MAX_DEPTH; depth++) {
    const inner: Entry | undefined = at.children.find((child) => isScope(child.tag) && covers(child, pc));
    if (inner?.tag === Tag.lexical_block) levels.at(-1)!.blocks.push(inner);
    else if (inner) levels.push({ entry: inner, blocks: [] });
    at = inner;
  }
  return levels;
}

const isScope = (tag: number): boolean => tag === Tag.lexical_block || tag === Tag.inlined_subroutine;

function covers(entry: Entry, pc: number): boolean {
  try {
    return rangesContain(rangesOf(entry), pc);
  } catch (error) {
    if (error instanceof SymbolError) return false;
    throw error;
  }
}

export function describeScopes(context: ScopeContext, fn: FunctionScope, levels: readonly ScopeLevel[]): ScopesAt {
  return {
    function: fn,
    inlined: levels.slice(1).map((level) => inlinedScope(context, level.entry)),
    blocks: levels.flatMap((level, i) => level.blocks.map((block) => ({ ranges: rangesOf(block), level: i }))),
  };
}

/** Parameters first, then locals from the innermost block outwards, each block in the order of the source. */
export function variablesOf(context: ScopeContext, level: ScopeLevel): Variable[] {
  const seen = new Set<string>();
  const scopes = [level.entry, ...level.blocks].reverse();
  const found = scopes.map((scope) => {
    const here = variablesIn(context, scope, seen);
    for (const variable of here) seen.add(variable.name);
    return here;
  });
  const all = found.flat();
  return [...all.filter((v) => v.kind === 'parameter'), ...all.filter((v) => v.kind !== 'parameter')];
}

/** More variables of one block are not shown. */
const MAX_VARIABLES = 4096;

const isVariable = (tag: number): boolean => tag === Tag.formal_parameter || tag === Tag.variable;

function variablesIn(context: ScopeContext, scope: Entry, hidden: ReadonlySet<string>): Variable[] {
  const concrete = scope.children.filter((child) => isVariable(child.tag)).slice(0, MAX_VARIABLES);
  return inSourceOrder(scope, [...concrete, ...droppedBy(scope)])
    .map((entry) => variable(context, entry, entry.tag === Tag.formal_parameter ? 'parameter' : 'local', hidden))
    .filter((v) => v !== undefined);
}

/** Variables of a scope and of its blocks, without those of inlined calls. */
function variablesBelow(scope: Entry): Entry[] {
  return scope.children.flatMap((child) =>
    child.tag === Tag.lexical_block ? variablesBelow(child) : isVariable(child.tag) ? [child] : [],
  );
}

/** Concrete instances list their variables in any order; the abstract one has that of the source. */
function inSourceOrder(scope: Entry, entries: Entry[]): Entry[] {
  if (!scope.has(At.abstract_origin)) return entries;
  const places = new Map(entries.map((entry): [Entry, number] => [entry, originOffset(entry)]));
  return entries.sort((a, b) => places.get(a)! - places.get(b)!);
}

function originOffset(entry: Entry): number {
  try {
    return lineage(entry).at(-1)!.offset;
  } catch (error) {
    if (error instanceof SymbolError) return entry.offset;
    throw error;
  }
}

/** Variables of the abstract instance that the concrete one does not mention any more: they are optimised out. */
function droppedBy(scope: Entry): Entry[] {
  try {
    const origin = scope.reference(At.abstract_origin);
    if (!origin || origin === scope) return [];
    // What the source declares in the function itself may be found in a block of the concrete instance.
    const kept = new Set(variablesBelow(scope).flatMap((entry) => lineage(entry)));
    return origin.children.filter((child) => isVariable(child.tag) && !kept.has(child));
  } catch (error) {
    if (error instanceof SymbolError) return [];
    throw error;
  }
}

/** Describes a variable or parameter. Returns undefined for one without a name: the source cannot mention it. */
export function variable(
  context: ScopeContext,
  entry: Entry,
  kind: Variable['kind'],
  hidden?: ReadonlySet<string>,
): Variable | undefined {
  let chain: Entry[];
  let name: string | undefined;
  try {
    chain = lineage(entry);
    name = nameOf(chain);
  } catch (error) {
    if (!(error instanceof SymbolError)) throw error;
    return undefined;
  }
  if (!name) return undefined;
  const type = lazy(() => context.types.typeOf(owner(chain, At.type) ?? entry));
  const declaration = lazy(() => declaredAt(context, chain));
  return {
    name,
    kind,
    get type() {
      return type();
    },
    get declaration() {
      return declaration();
    },
    external: chain.some((e) => e.has(At.external)),
    shadowed: hidden?.has(name) ?? false,
    unit: entry.unit,
    locationAt: (pc) => locationOf(chain, pc),
  };
}

function locationOf(chain: readonly Entry[], pc: number): VariableLocation {
  try {
    const located = owner(chain, At.location);
    if (located) {
      const expression = expressionAt(located, At.location, pc);
      if (expression && expression.length > 0) return { kind: 'expression', expression, unit: located.unit };
      return { kind: 'none', reason: 'optimised out' };
    }
    const holder = owner(chain, At.const_value);
    const value = holder?.attribute(At.const_value);
    if (value?.class === 'constant') return { kind: 'constant', value: value.value };
    if (value?.class === 'block') return { kind: 'bytes', bytes: value.bytes };
    const text = holder?.string(At.const_value);
    if (text !== undefined) return { kind: 'bytes', bytes: new TextEncoder().encode(text + '\0') };
    const declared = chain.some((entry) => entry.flag(At.declaration));
    return { kind: 'none', reason: declared ? 'declared' : 'optimised out' };
  } catch (error) {
    if (error instanceof SymbolError) return { kind: 'none', reason: 'malformed', detail: error.message };
    throw error;
  }
}
