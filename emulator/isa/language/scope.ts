/** What names mean while a text is checked. */
import { textError } from './lexer';
import type { Library, Type } from './ir';

/** Signature of a function, known before any body is checked. */
export interface FunctionType {
  readonly parameters: readonly Type[];
  readonly result: Type | undefined;
}

export interface Names {
  readonly functions: ReadonlyMap<string, FunctionType>;
  readonly globals: ReadonlyMap<string, Type>;
  readonly constants: ReadonlyMap<string, bigint>;
}

export const namesOf = (library: Library): Names => ({
  functions: new Map(
    [...library.functions].map(([name, { parameters, result }]) => [
      name,
      { parameters: parameters.map(({ type }) => type), result },
    ]),
  ),
  globals: new Map([...library.globals].map(([name, { type }]) => [name, type])),
  constants: library.constants,
});

interface Local {
  readonly type: Type;
  readonly variable: boolean;
}

/** The names of one function or row. A local is visible to the end of its block and its name is used once. */
export class Scope {
  private visible: Map<string, Local>[] = [new Map()];
  private readonly used = new Set<string>();

  constructor(
    readonly title: string,
    readonly text: string,
    readonly names: Names,
    /** Fields of the row's encoding; undefined in a function. */
    readonly fields: ReadonlySet<string> | undefined,
    /** Result of the function. */
    readonly result: Type | undefined,
  ) {}

  fail(at: number, message: string): never {
    throw textError(this.title, this.text, at, message);
  }

  local(name: string): Local | undefined {
    return this.visible.map((block) => block.get(name)).find((found) => found !== undefined);
  }

  declare(at: number, name: string, type: Type, variable: boolean): void {
    if (this.used.has(name)) this.fail(at, `${name} is declared twice`);
    if (this.names.constants.has(name) || this.names.globals.has(name)) this.fail(at, `${name} has a meaning already`);
    this.used.add(name);
    this.visible.at(-1)!.set(name, { type, variable });
  }

  within<T>(block: () => T): T {
    this.visible.push(new Map());
    const result = block();
    this.visible.pop();
    return result;
  }

  /** Row only: the text uses a field, which the encoding must have. */
  field(at: number, name: string): void {
    if (!this.fields) this.fail(at, `${name}: functions see no fields of an instruction`);
    if (!this.fields.has(name)) this.fail(at, `the encoding has no field ${name}`);
  }
}
