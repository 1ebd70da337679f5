/** What the units of a program call by name at file scope: functions, variables, types, enumerators. Made on first use. */
import { SymbolError } from '../../bytes';
import { At, Tag } from './constants';
import { lineage, nameOf } from './scopes';
import { canonicalName } from './types';
import { isContainer, type Entry, type Unit } from './unit';

/** A type is known by its keyword too: `struct list` and a typedef `list` are two names. */
export type TypeKeyword = 'struct' | 'union' | 'enum' | '';

export class NameIndex {
  readonly functions = new Map<string, Entry[]>();
  readonly variables = new Map<string, Entry[]>();
  readonly types = new Map<string, Entry[]>();
  /** Enumerators lead to the enumeration that has them. */
  readonly enumerators = new Map<string, Entry[]>();

  constructor(units: readonly Unit[], problem: (error: SymbolError) => void) {
    for (const unit of units) {
      try {
        for (const entry of unit.entries) this.add(entry, problem);
      } catch (error) {
        if (!(error instanceof SymbolError)) throw error;
        problem(error);
      }
    }
  }

  typesNamed(keyword: TypeKeyword, name: string): readonly Entry[] {
    return this.types.get(`${keyword} ${keyword === '' ? canonicalName(name) : name}`) ?? [];
  }

  private add(entry: Entry, problem: (error: SymbolError) => void): void {
    try {
      if (entry.tag === Tag.subprogram) put(this.functions, nameOf(lineage(entry)), entry);
      else if (entry.tag === Tag.variable && atFileScope(entry)) put(this.variables, nameOf(lineage(entry)), entry);
      else if (entry.tag === Tag.enumerator && entry.parent) put(this.enumerators, entry.string(At.name), entry.parent);
      else this.addType(entry);
    } catch (error) {
      if (!(error instanceof SymbolError)) throw error;
      problem(error);
    }
  }

  private addType(entry: Entry): void {
    const keyword = keywordOf(entry.tag);
    if (keyword === undefined || !entry.has(At.name)) return;
    const name = entry.string(At.name);
    if (name !== undefined) put(this.types, `${keyword} ${keyword === '' ? canonicalName(name) : name}`, entry);
  }
}

function put(map: Map<string, Entry[]>, name: string | undefined, entry: Entry): void {
  if (!name) return;
  const entries = map.get(name);
  if (entries) entries.push(entry);
  else map.set(name, [entry]);
}

export function atFileScope(entry: Entry): boolean {
  for (let at = entry.parent; at; at = at.parent) if (!isContainer(at.tag) && at.parent) return false;
  return true;
}

export function keywordOf(tag: number): TypeKeyword | undefined {
  switch (tag) {
    case Tag.structure_type:
    case Tag.class_type:
      return 'struct';
    case Tag.union_type:
      return 'union';
    case Tag.enumeration_type:
      return 'enum';
    case Tag.base_type:
    case Tag.typedef:
      return '';
    default:
      return undefined;
  }
}
