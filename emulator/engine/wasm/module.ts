/**
 * A WebAssembly module put together: types, imports, functions, globals, exports. Core specification 2.0, "Modules" of the
 * binary format. Functions are named by the index they are called with: imports first, so that all imports are declared before.
 */
import { Bytes } from './bytes';
import { TYPE_CODES, type Body, type Code, type ValueType } from './code';

export interface Signature {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

interface DefinedFunction {
  readonly type: number;
  body: Body | undefined;
}

/** A function in the table. */
interface Element {
  readonly place: number;
  readonly index: number;
}

const enum Section {
  CUSTOM = 0,
  TYPE = 1,
  IMPORT,
  FUNCTION,
  TABLE,
  MEMORY,
  GLOBAL,
  EXPORT,
  START,
  ELEMENT,
  CODE,
}
const MAGIC = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const FUNCTION_REFERENCE = 0x70;

/** What an import or an export is. */
const enum Kind {
  FUNCTION,
  TABLE,
  MEMORY,
}

export class ModuleBuilder {
  private readonly types: Signature[] = [];
  private readonly typeKeys = new Map<string, number>();
  private readonly imported: { readonly name: string; readonly type: number }[] = [];
  private readonly functions: DefinedFunction[] = [];
  private readonly globals: ValueType[] = [];
  private readonly exports: { readonly name: string; readonly index: number }[] = [];
  private readonly elements: Element[] = [];

  private tableSize = 0;

  /** `importedTable`: the places of a table that the module imports as `env.table`; else it has one of its own if it needs one. */
  constructor(private readonly importedTable = 0) {}

  type(signature: Signature): number {
    const key = `${signature.parameters.join()}:${signature.results.join()}`;
    let type = this.typeKeys.get(key);
    if (type === undefined) {
      type = this.types.push(signature) - 1;
      this.typeKeys.set(key, type);
    }
    return type;
  }

  /** A function of the host, found as `env.name`. */
  import(name: string, signature: Signature): number {
    if (this.functions.length > 0) throw new Error('imports come before functions');
    return this.imported.push({ name, type: this.type(signature) }) - 1;
  }

  /** A function of the module; its code follows by `define`. */
  declare(signature: Signature): number {
    return this.imported.length + this.functions.push({ type: this.type(signature), body: undefined }) - 1;
  }
  define(index: number, code: Code): void {
    this.defineBody(index, code.finish());
  }
  /** The same for a body that `Code.finish` made, in a module with the same imports and types. */
  defineBody(index: number, body: Body): void {
    this.functions[index - this.imported.length]!.body = body;
  }

  /** A variable, 0 at first. */
  global(type: ValueType): number {
    return this.globals.push(type) - 1;
  }
  export(name: string, index: number): void {
    this.exports.push({ name, index });
  }
  /** Puts a function into the table. */
  element(place: number, index: number): void {
    this.tableSize = Math.max(this.tableSize, place + 1);
    this.elements.push({ place, index });
  }

  /** The module's bytes. It imports `env.memory`, of at most `maximumPages` pages of 64 KiB; of none if there are no pages. */
  finish(maximumPages: number): Uint8Array {
    const out = new Bytes();
    for (const byte of MAGIC) out.byte(byte);
    this.section(out, Section.TYPE, this.types, (to, { parameters, results }) => {
      to.byte(0x60);
      for (const list of [parameters, results]) {
        to.u32(list.length);
        for (const type of list) to.byte(TYPE_CODES[type]);
      }
    });
    this.importSection(out, maximumPages);
    this.section(out, Section.FUNCTION, this.functions, (to, { type }) => to.u32(type));
    if (this.importedTable === 0 && this.tableSize > 0)
      this.section(out, Section.TABLE, [this.tableSize], (to, size) => this.table(to, size));
    this.globalSection(out);
    this.section(out, Section.EXPORT, this.exports, (to, { name, index }) => {
      to.name(name);
      to.byte(Kind.FUNCTION);
      to.u32(index);
    });
    this.section(out, Section.ELEMENT, this.runs(), (to, run) => {
      to.byte(0);
      to.byte(0x41);
      to.s32(run[0]!.place);
      to.byte(0x0b);
      to.u32(run.length);
      for (const { index } of run) to.u32(index);
    });
    this.hintSection(out);
    this.section(out, Section.CODE, this.functions, (to, { body }) => {
      if (!body) throw new Error('a function was declared but not defined');
      to.sized(body);
    });
    return out.view;
  }

  /** Which way branches are likely to go (branch hinting proposal, "Binary Format"). */
  private hintSection(out: Bytes): void {
    const content = new Bytes();
    content.name('metadata.code.branch_hint');
    const hinted = this.functions.flatMap(({ body }, i) => (body?.hints.length ? [{ body, i }] : []));
    if (hinted.length === 0) return;
    content.u32(hinted.length);
    for (const { body, i } of hinted) {
      content.u32(this.imported.length + i);
      content.u32(body.hints.length);
      for (const { at, likely } of body.hints) {
        content.u32(at);
        content.u32(1);
        content.byte(likely ? 1 : 0);
      }
    }
    out.byte(Section.CUSTOM);
    out.sized(content);
  }

  /** The type of a table of so many functions, which never grows. */
  private table(to: Bytes, size: number): void {
    to.byte(FUNCTION_REFERENCE);
    to.byte(1);
    to.u32(size);
    to.u32(size);
  }

  /** The elements in runs of neighbouring places: an instance is made faster from few. */
  private runs(): Element[][] {
    const runs: Element[][] = [];
    for (const element of this.elements.sort((a, b) => a.place - b.place)) {
      const last = runs.at(-1);
      if (last?.at(-1)!.place === element.place - 1) last.push(element);
      else runs.push([element]);
    }
    return runs;
  }

  private section<T>(out: Bytes, id: Section, list: readonly T[], write: (to: Bytes, item: T) => void): void {
    if (list.length === 0) return;
    const content = new Bytes();
    content.u32(list.length);
    for (const item of list) write(content, item);
    out.byte(id);
    out.sized(content);
  }

  private importSection(out: Bytes, maximumPages: number): void {
    const content = new Bytes();
    const item = (name: string, kind: Kind): void => {
      content.name('env');
      content.name(name);
      content.byte(kind);
    };
    content.u32((maximumPages > 0 ? 1 : 0) + (this.importedTable > 0 ? 1 : 0) + this.imported.length);
    if (maximumPages > 0) {
      item('memory', Kind.MEMORY);
      content.byte(1);
      content.u32(0);
      content.u32(maximumPages);
    }
    if (this.importedTable > 0) {
      item('table', Kind.TABLE);
      this.table(content, this.importedTable);
    }
    for (const { name, type } of this.imported) {
      item(name, Kind.FUNCTION);
      content.u32(type);
    }
    out.byte(Section.IMPORT);
    out.sized(content);
  }

  private globalSection(out: Bytes): void {
    this.section(out, Section.GLOBAL, this.globals, (to, type) => {
      to.byte(TYPE_CODES[type]);
      to.byte(1);
      to.byte({ i32: 0x41, i64: 0x42, f32: 0x43, f64: 0x44 }[type]);
      const zeros = { i32: 1, i64: 1, f32: 4, f64: 8 }[type];
      for (let i = 0; i < zeros; i++) to.byte(0);
      to.byte(0x0b);
    });
  }
}
