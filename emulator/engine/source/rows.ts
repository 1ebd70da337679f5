/**
 * Rows as JavaScript, in two forms: in place in the interpreter's loop (short ones, and what accesses memory or jumps), or as a function of
 * its own that the loop calls. Names that the text counts on are the loop's (program.ts): `s` the record's word in the memory, `w` its
 * first word, `d` and `ph` for the pc, `n` the instructions begun, `end`, `e` a Result, `reads` and `writes` the translations.
 */
import { Status } from '../../hart/csr-numbers';
import type { HostName, RegisterFile, Semantics, Source, Statement } from '../../isa/language/ir';
import { Bank, Area, HartWord } from '../../machine/layout';
import { hostCall } from '../host-calls';
import { DISCARD_SLOT, F_SLOTS } from '../record';
import type { Host, Load, RowValue } from './expressions';
import { pairOf, single } from './expressions';
import { ABSENT, Part, signExtended, zeroExtended, type Pair } from './pairs';
import { Statements, type Deed, type Linkage } from './statements';
import * as v from './values';
import { literal, type Value } from './values';

/** Where the text of a row stands. */
export const enum Form {
  /** In the loop. */
  INLINE,
  /** In the loop, its relative jumps staying in the page: the immediate is the distance of the records. */
  NEAR,
  /** In a function, with `s`, and the pc as `pl` and `ph`. */
  APART,
}

const SLOT_OFFSET = { rs1: 0, rs2: 8, rs3: 16, rd: 24 } as const;
/** Of a load or store: what the comparison with a translation's tag leaves of an address, so that misaligned ones differ. */
const tagMask = (bytes: number): number => -4096 | (bytes - 1);

export class RowLowering extends Statements {
  /** Definitions that the body counts on, by the name defined. */
  private readonly head = new Map<string, string>();

  constructor(
    linkage: Linkage,
    private readonly op: number,
    private readonly form: Form,
  ) {
    super(linkage, `r${op}${form === Form.APART ? 'a' : ''}$`);
  }

  /** The text of the whole row: to the next record, or, in a function, to the returned Result. */
  text({ body, usesFloat }: Semantics): string[] {
    const { lines } = this.apart(() => {
      this.body(body);
      this.end(body);
    });
    const off = usesFloat ? [`if ((x[${HartWord.MSTATUS}] & ${Status.FS}) === 0) ${this.fail(ILLEGAL)}`] : [];
    return [...off, ...this.head.values(), ...lines];
  }

  private end(body: readonly Statement[]): void {
    if (body.at(-1)?.kind === 'jump') return;
    if (this.form === Form.APART) this.emit(`return ${this.head.has('left') ? 'left' : '0'};`);
    else this.emit(`s = (s + ((${this.use('w')} >>> 18) & 63)) | 0; continue;`);
  }

  /** A name of the head, defined if need be. */
  private use(name: string): string {
    if (name === 'w' && this.form !== Form.APART) return name;
    if (!this.head.has(name)) {
      const definition = this.definitionOf(name);
      this.head.delete(name);
      this.head.set(name, definition);
    }
    return name;
  }

  private definitionOf(name: string): string {
    switch (name) {
      case 'w':
        return 'const w = i32[s]!;';
      case 'v':
        return 'const v = i32[(s + 1) | 0]!;';
      case 'imm':
        return 'const imm = i32[(s + 2) | 0]!;';
      case 'left':
        return 'let left = 0;';
      case 'pl':
        return 'const pl = ((s >> 1) + d) | 0;';
      case 'rm':
        return (
          `let rm = ${this.use('v')} >>> 24; if (rm === 7) rm = (x[${HartWord.FCSR}]! >> 5) & 7; ` +
          `if (rm > 4) ${this.fail(ILLEGAL)}`
        );
      case 'rd':
        return `const rd = (${this.use('w')} >>> 23) & 0x1fe;`;
      case 'rs1':
        return `const rs1 = (${this.use('v')} << 1) & 0x1fe;`;
      default:
        return `const ${name} = (${this.use('v')} >>> ${SLOT_OFFSET[name as Source] - 1}) & 0x1fe;`;
    }
  }

  /** The statement that ends the instruction with a Result of a failure. */
  private fail(result: string): string {
    return this.form === Form.APART ? `return ${result};` : `{ e = ${result}; break failed; }`;
  }

  /** Calls the host; a failure ends the instruction. */
  private callHost(call: string): void {
    if (this.form === Form.APART) {
      this.use('left');
      const e = this.copy(v.access(call)).code;
      this.emit(`if (${e} !== 0) { if (${e} >= 2) return ${e}; left = ${e}; }`);
    } else {
      this.emit(`i32[${Area.COUNT / 4}] = n; e = ${call};`);
      this.emit('if (e !== 0) { if (e >= 2) break failed; end = n; }');
    }
  }

  protected rowValue(e: RowValue, need: Part): Pair {
    switch (e.kind) {
      case 'register':
        return this.register(e.file, e.field, need);
      case 'number':
        return single(this.number(e.field));
      case 'immediate':
        return signExtended(this, v.name(this.use('imm')), need);
      case 'pc':
        return { low: v.name(this.form === Form.APART ? 'pl' : this.use('pl')), high: v.name('ph') };
      case 'length':
        return zeroExtended(v.computed(`(${this.use('w')} >>> 19) & 31`));
      case 'rounding':
        return single(v.name(this.use('rm')));
    }
  }

  private register(file: RegisterFile, field: Source, need: Part): Pair {
    return pairOf(
      (part) => {
        const slot = this.use(field);
        if (part === Part.FLOAT) return v.access(`doubleRegisters[${slot} >> 1]!`);
        return v.access(part === Part.LOW ? `x[${slot}]!` : `x[${slot} + 1]!`);
      },
      need & (file === 'f' ? ALL : Part.BOTH),
    );
  }

  private number(field: Source | 'rd'): Value {
    if (field === 'rd') {
      const w = this.use('w');
      return v.computed(`(${w} >>> 24) === ${DISCARD_SLOT} ? 0 : (${w} >>> 24) & ${F_SLOTS - 1}`);
    }
    return v.computed(`(${this.use('v')} >> ${SLOT_OFFSET[field]}) & ${F_SLOTS - 1}`);
  }

  protected load({ bits, address }: Load, need: Part): Pair {
    const { low, high } = this.keptPair(this.lower64(address, Part.BOTH));
    const bytes = bits / 8;
    const wanted = bits === 64 ? need & Part.BOTH : Part.LOW;
    const result = pairOf(() => this.declare(), wanted);
    const assign = (from: (part: Part) => string): string =>
      [Part.LOW, Part.HIGH]
        .filter((part) => wanted & part)
        .map((part) => `${part === Part.LOW ? result.low.code : result.high.code} = ${from(part)};`)
        .join(' ');
    const slow = this.apart(() => {
      this.callHost(`host.load(${low.code}, ${high.code}, ${bytes})`);
      this.emit(assign((part) => (part === Part.LOW ? 'host.low' : 'host.high')));
    }).lines;
    if (this.form === Form.APART) this.lines.push(...slow);
    else {
      const at = this.translated('reads', low, high, bytes);
      const fast = this.apart(() => {
        if (bits === 64) this.emit(`const at = ${at} >>> 2;`);
        const index = bits === 64 ? 'at' : `${at} >>> ${Math.log2(bytes)}`;
        this.emit(assign((part) => `${VIEWS[bytes]}[${index}${part === Part.HIGH ? ' + 1' : ''}]!`));
      }).lines;
      this.lines.push(...fast, '} else {', ...slow, '}');
    }
    return result;
  }

  /** Opens the `if` that asks a table of translations; returns the byte offset of the access in the memory. */
  private translated(table: string, low: Value, high: Value, bytes: number): string {
    const q = this.copy(v.computed(`${table} + ((${low.code} >>> 10) & ${Bank.INDEX})`)).code;
    this.emit(`if (i32[${q}] === (${low.code} & ${tagMask(bytes)}) && i32[${q} + 1] === ${high.code}) {`);
    return `(${low.code} + i32[${q} + 2]!)`;
  }

  private keptPair({ low, high }: Pair): Pair {
    return { low: this.keep(low), high: this.keep(high) };
  }

  protected deed(statement: Deed): void {
    switch (statement.kind) {
      case 'setRegister':
        return this.setRegister(statement);
      case 'store':
        return this.store(statement);
      case 'jump':
        return this.jump(statement);
      case 'illegal':
        return this.emit(this.fail(ILLEGAL));
      case 'trap': {
        const cause = this.lower(statement.cause);
        const { low, high } = statement.value ? this.lower64(statement.value, Part.BOTH) : single(literal(0));
        return this.emit(this.fail(`host.trap(${cause.code}, ${low.code}, ${high === ABSENT ? 0 : high.code})`));
      }
      case 'host':
        this.hostCall(statement.name, statement.args, Part.NONE);
    }
  }

  private setRegister({ file, value }: Extract<Deed, { kind: 'setRegister' }>): void {
    const { low, high } = this.lower64(value, Part.BOTH);
    const rd = this.use('rd');
    // A half that is still to be computed when the other is written would see it: rd may be a source.
    if (low.atom) this.emit(`x[${rd} + 1] = ${high.code}; x[${rd}] = ${low.code};`);
    else {
      const kept = this.keep(high);
      this.emit(`x[${rd}] = ${low.code}; x[${rd} + 1] = ${kept.code};`);
    }
    if (file === 'f') this.emit(`x[${HartWord.MSTATUS}] |= ${Status.FS};`);
  }

  private store({ bits, address, value }: Extract<Deed, { kind: 'store' }>): void {
    const { low, high } = this.keptPair(this.lower64(address, Part.BOTH));
    const bytes = bits / 8;
    const wide = bits === 64;
    const given = wide ? this.lower64(value, Part.BOTH) : { low: this.lower(value), high: literal(0) };
    const slow = this.apart(() =>
      this.callHost(`host.store(${low.code}, ${high.code}, ${bytes}, ${given.low.code}, ${given.high.code})`),
    ).lines;
    if (this.form === Form.APART) return void this.lines.push(...slow);
    const at = this.translated('writes', low, high, bytes);
    if (wide) {
      this.emit(`const at = ${at} >>> 2;`);
      this.emit(`i32[at] = ${given.low.code}; i32[at + 1] = ${given.high.code};`);
    } else this.emit(`${VIEWS[bytes]}[${at} >>> ${Math.log2(bytes)}] = ${given.low.code};`);
    this.lines.push('} else {', ...slow, '}');
  }

  private jump({ target, relative }: Extract<Deed, { kind: 'jump' }>): void {
    if (this.form === Form.APART) throw new Error(`op ${this.op}: a jump belongs into the loop`);
    if (relative && this.form === Form.NEAR) return this.emit(`s = (s + (${this.use('imm')} >> 2)) | 0; continue;`);
    const { low, high } = this.lower64(target, Part.BOTH);
    this.emit(`tl = ${low.code}; th = ${high.code}; break absolute;`);
  }

  protected host({ name, args }: Host, need: Part): Pair {
    return this.hostCall(name, args, need);
  }

  private hostCall(name: HostName, args: Host['args'], need: Part): Pair {
    const { method, bytes } = hostCall(name);
    const given = args.flatMap((arg, i) => {
      if (arg.type === 'bool') return [v.bit(this.lower(arg)).code];
      if (arg.type !== 'i64') return [this.lower(arg).code];
      // A CSR's number is an i64 in the language.
      if (i === 0 && (name === 'readCsr' || name === 'writeCsr')) return [this.lower64(arg, Part.LOW).low.code];
      const { low, high } = this.lower64(arg, Part.BOTH);
      return [low.code, high.code];
    });
    if (bytes !== undefined) {
      given.splice(2, 0, `${bytes}`);
      // A value of 32 bits is one argument so far.
      if (given.length === 4) given.push('0');
    }
    if (name === 'readCsr') given.push('s << 2');
    this.callHost(`host.${method}(${given.join(', ')})`);
    return pairOf((part) => this.copy(v.access(part === Part.LOW ? 'host.low' : 'host.high')), need & Part.BOTH);
  }
}

const ALL = Part.BOTH | Part.FLOAT;
/** The host's answer to an illegal instruction. */
const ILLEGAL = 'host.illegal(s << 2)';
/** Views of the memory by the size of their elements. */
const VIEWS: Readonly<Record<number, string>> = { 1: 'u8', 2: 'u16', 4: 'i32', 8: 'i32' };
