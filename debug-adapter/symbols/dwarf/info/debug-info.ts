/**
 * The edge of the `.debug_info` reader: from addresses and names to functions, scopes, variables and types. Lazy: headers
 * are read at once, the entries of a unit when an address or a name leads to it. Total: malformed parts are collected in
 * `problems` and answered with what remains; nothing is thrown.
 */
import { SymbolError } from '../../bytes';
import { At, Tag } from './constants';
import { IntervalMap, type AddressRange } from './intervals';
import { atFileScope, keywordOf, NameIndex, type TypeKeyword } from './names';
import { rangesOf, readAddressRanges } from './ranges';
import {
  describeScopes,
  functionScope,
  levelsAt,
  variable,
  variablesOf,
  type FunctionScope,
  type ScopeContext,
  type ScopesAt,
  type Variable,
} from './scopes';
import { TypeReader } from './type-reader';
import { lazy, type Type } from './types';
import { InfoContext, isCompilation, type DebugSections, type Entry, type Unit } from './unit';
import { readUnitHeaders } from './unit-headers';

export interface DebugInfoOptions {
  /** The path of file `index` in the line table at `stmtList`. */
  readonly fileAt?: (stmtList: number, index: number) => string | undefined;
  /** Whether the program has code at a link-time address; without it every address counts. */
  readonly isCode?: (address: number) => boolean;
}

/** One unit as others see it. */
export interface UnitSummary {
  readonly name: string | undefined;
  readonly compDir: string | undefined;
  readonly producer: string | undefined;
  readonly stmtList: number | undefined;
  readonly version: number;
}

/** More are not kept: one malformed table can spoil every entry. */
const MAX_PROBLEMS = 50;

export class DebugInfo {
  /** What is malformed, as far as it has been read. */
  readonly problems: SymbolError[] = [];
  private readonly context: InfoContext;
  private readonly types: TypeReader;
  private readonly scopes: ScopeContext;
  private readonly functionsOf = new Map<Unit, IntervalMap<Entry>>();
  private readonly functionOf = new Map<Entry, FunctionScope | undefined>();

  constructor(
    sections: DebugSections,
    private readonly options: DebugInfoOptions = {},
  ) {
    this.context = new InfoContext(sections);
    this.types = new TypeReader((name, tag, from) => this.definitionOf(name, tag, from));
    this.scopes = { types: this.types, fileAt: (unit, index) => this.fileAt(unit, index) };
    const problem = (error: SymbolError): void => this.report(error);
    readUnitHeaders(this.context, '.debug_info', problem);
    readUnitHeaders(this.context, '.debug_types', problem);
  }

  /** The units that describe code. */
  units(): UnitSummary[] {
    return this.compilations.map((unit) => ({
      name: this.safe(() => unit.root.string(At.name), undefined),
      compDir: this.safe(() => unit.root.string(At.comp_dir), undefined),
      producer: this.safe(() => unit.root.string(At.producer), undefined),
      stmtList: this.safe(() => unit.root.sectionOffset(At.stmt_list), undefined),
      version: unit.version,
    }));
  }

  /** The compilation directory of the unit whose line table starts at `stmtList`. */
  compDirOf(stmtList: number): string | undefined {
    return this.compDirs().get(stmtList);
  }

  /** True where no unit describes code. */
  get isEmpty(): boolean {
    return this.compilations.length === 0;
  }

  /** True where the entries live in separate .dwo files, which are not read. */
  get isSplit(): boolean {
    return this.compilations.some((u) =>
      this.safe(() => u.root.has(At.dwo_name) || u.root.has(At.GNU_dwo_name), false),
    );
  }

  functionAt(pc: number): FunctionScope | undefined {
    const entry = this.functionEntryAt(pc);
    return entry && this.describe(entry);
  }

  /** The function, its inlined calls and its blocks around a pc. */
  scopesAt(pc: number): ScopesAt | undefined {
    const entry = this.functionEntryAt(pc);
    const fn = entry && this.describe(entry);
    return (
      fn &&
      this.safe(() => describeScopes(this.scopes, fn, levelsAt(entry, pc)), { function: fn, inlined: [], blocks: [] })
    );
  }

  /**
   * Parameters and locals in scope at a pc. `level` 0 is the function itself, n its n-th inlined call counted from
   * outside; without it, the innermost. Parameters first, then locals from the innermost block outwards.
   */
  variablesAt(pc: number, level?: number): Variable[] {
    const entry = this.functionEntryAt(pc);
    if (!entry) return [];
    const levels = levelsAt(entry, pc);
    const wanted = levels[level ?? levels.length - 1];
    return wanted ? this.safe(() => variablesOf(this.scopes, wanted), []) : [];
  }

  /** Functions with code that have this name or linkage name. */
  functionsNamed(name: string): FunctionScope[] {
    const entries = this.names().functions.get(name) ?? [];
    return entries.map((entry) => this.describe(entry)).filter((fn) => fn !== undefined);
  }

  /** Variables at file scope of the unit around a pc. */
  globalsAt(pc: number): Variable[] {
    const unit = this.unitAt(pc);
    if (!unit) return [];
    const entries = this.safe(() => unit.entries.filter((e) => e.tag === Tag.variable && atFileScope(e)), []);
    return definitionsFirst(entries.map((entry) => variable(this.scopes, entry, 'global')));
  }

  /** Names of all functions with code and of all variables at file scope, for completion. */
  globalNames(): string[] {
    return [...this.names().variables.keys(), ...this.names().functions.keys()];
  }

  /**
   * A variable at file scope: of the unit around `pc` if it has one, else external, else any. A definition is preferred to
   * a declaration.
   */
  globalNamed(name: string, pc?: number): Variable | undefined {
    const entries = this.names().variables.get(name) ?? [];
    const unit = pc === undefined ? undefined : this.unitAt(pc);
    const all = entries.map((entry) => variable(this.scopes, entry, 'global')).filter((v) => v !== undefined);
    const rank = (v: Variable): number => (isDefined(v) ? 0 : 4) + (v.unit === unit ? 0 : 2) + (v.external ? 0 : 1);
    // A declaration in this unit means the definition of another; a static of another unit does not.
    const best = all.sort((a, b) => rank(a) - rank(b))[0];
    const local = all.find((v) => v.unit === unit);
    if (local?.external && best && !best.external) return all.find((v) => v.external && isDefined(v)) ?? local;
    return best;
  }

  /** A type by name, as a cast spells it. The unit around `pc` comes first, definitions before declarations. */
  typeNamed(name: string, keyword: TypeKeyword = '', pc?: number): Type | undefined {
    const unit = pc === undefined ? undefined : this.unitAt(pc);
    const entry = this.bestType(this.names().typesNamed(keyword, name), unit);
    return entry && this.types.read(entry);
  }

  /** The enumeration that has an enumerator of this name, and its value. */
  enumeratorNamed(name: string, pc?: number): { type: Type; value: bigint } | undefined {
    const unit = pc === undefined ? undefined : this.unitAt(pc);
    const entry = this.bestType(this.names().enumerators.get(name) ?? [], unit);
    const type = entry && this.types.read(entry);
    const found = type?.kind === 'enum' ? type.enumerators.find((e) => e.name === name) : undefined;
    return type && found && { type, value: found.value };
  }

  private readonly names = lazy(() => new NameIndex(this.context.units, (error) => this.report(error)));

  private readonly compilationUnits = lazy(() => this.context.units.filter(isCompilation));

  private get compilations(): readonly Unit[] {
    return this.compilationUnits();
  }

  private readonly compDirs = lazy(() => {
    const byLineTable = new Map<number, string>();
    for (const { stmtList, compDir } of this.units())
      if (stmtList !== undefined && compDir !== undefined && !byLineTable.has(stmtList))
        byLineTable.set(stmtList, compDir);
    return byLineTable;
  });

  private fileAt(unit: Unit, index: number): string | undefined {
    const stmtList = this.safe(() => unit.root.sectionOffset(At.stmt_list), undefined);
    return stmtList === undefined ? undefined : this.options.fileAt?.(stmtList, index);
  }

  private readonly unitRanges = lazy(() => {
    const arranged = lazy(() => this.safe(() => readAddressRanges(this.context), new Map<number, AddressRange[]>()));
    const entries = this.compilations.flatMap((unit) => {
      let ranges = this.safe(() => rangesOf(unit.root), []);
      if (ranges.length === 0) ranges = arranged().get(unit.offset) ?? [];
      if (ranges.length === 0)
        ranges = this.safe(() => unit.entries.filter((e) => e.tag === Tag.subprogram).flatMap(rangesOf), []);
      return ranges.map((range) => ({ ...range, value: unit }));
    });
    return new IntervalMap(entries);
  });

  private unitAt(pc: number): Unit | undefined {
    const units = this.unitRanges().at(pc);
    return units.find((unit) => this.functions(unit).at(pc).length > 0) ?? units[0];
  }

  private functionEntryAt(pc: number): Entry | undefined {
    for (const unit of this.unitRanges().at(pc)) {
      const entry = this.functions(unit).at(pc)[0];
      if (entry) return entry;
    }
    return undefined;
  }

  private functions(unit: Unit): IntervalMap<Entry> {
    const known = this.functionsOf.get(unit);
    if (known) return known;
    const entries = this.safe(() => unit.entries.filter((entry) => entry.tag === Tag.subprogram), []);
    const ranges = entries.flatMap((value) =>
      this.safe(() => rangesOf(value), []).map((range) => ({ ...range, value })),
    );
    const map = new IntervalMap(ranges.filter((range) => this.isCode(range.low)));
    this.functionsOf.set(unit, map);
    return map;
  }

  private isCode(address: number): boolean {
    return this.options.isCode?.(address) ?? true;
  }

  private describe(entry: Entry): FunctionScope | undefined {
    if (!this.functionOf.has(entry)) {
      const fn = this.safe(() => functionScope(this.scopes, entry), undefined);
      this.functionOf.set(entry, fn && this.isCode(fn.low) ? fn : undefined);
    }
    return this.functionOf.get(entry);
  }

  private definitionOf(name: string, tag: number, from: Entry): Entry | undefined {
    const keyword = keywordOf(tag);
    const named = keyword === undefined ? [] : this.names().typesNamed(keyword, name);
    const best = this.bestType(named, from.unit);
    return best && best.tag === tag && this.safe(() => !best.flag(At.declaration), false) ? best : undefined;
  }

  private bestType(entries: readonly Entry[], unit: Unit | undefined): Entry | undefined {
    const isDeclaration = (entry: Entry): boolean => this.safe(() => entry.flag(At.declaration), true);
    const defined = entries.filter((entry) => !isDeclaration(entry));
    return defined.find((entry) => entry.unit === unit) ?? defined[0] ?? entries[0];
  }

  private report(error: SymbolError): void {
    if (this.problems.length < MAX_PROBLEMS && !this.problems.some((p) => p.message === error.message))
      this.problems.push(error);
  }

  private safe<T>(read: () => T, otherwise: T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof SymbolError)) throw error;
      this.report(error);
      return otherwise;
    }
  }
}

const isDefined = (v: Variable): boolean => {
  const location = v.locationAt(0);
  return location.kind !== 'none' || location.reason !== 'declared';
};

/** One variable per name; a definition stands for its declaration. */
function definitionsFirst(variables: readonly (Variable | undefined)[]): Variable[] {
  const byName = new Map<string, Variable>();
  for (const v of variables) {
    const known = v && byName.get(v.name);
    if (v && (!known || (isDefined(v) && !isDefined(known)))) byName.set(v.name, v);
  }
  return [...byName.values()];
}
