/**
 * The templates of the floating-point rows (engine/translator/templates.ts), each as a WebAssembly function of its operands. With NX
 * accrued before, it is the variant for that which is called.
 */
import { templateOf, type Template } from '../../../emulator/engine/translator/templates';
import { Code } from '../../../emulator/engine/wasm/code';
import { Emitter, type Push } from '../../../emulator/engine/wasm/emitter';
import type { ModuleBuilder } from '../../../emulator/engine/wasm/module';
import { LibraryTarget, type Linkage } from '../../../emulator/engine/wasm/row-function';
import { rowLibrary } from '../../../emulator/isa/semantics';
import type { FloatCsr, RegisterFile, Source } from '../../../emulator/isa/language/ir';
import type { Row } from '../../../emulator/isa/row';
import { HartWord } from '../../../emulator/machine/layout';
import { FLOAT_ROWS, functionName, parametersOf } from './rows';
import type { Outcome } from './vectors';
import { instantiate, libraryModule } from './web-assembly';

const SOURCES: readonly Source[] = ['rs1', 'rs2', 'rs3'];
const FS_DIRTY = 3 << 13;
const NX = 1;

/** Source registers of both files are the parameters; what is set is the result. */
export class OperandTarget extends LibraryTarget {
  readonly result = this.code.local('i64');

  override inlines = (): boolean => false;
  override register = ((_file: RegisterFile, field: Source): void => this.code.get(SOURCES.indexOf(field))) as never;
  override setRegister = ((_file: RegisterFile, value: Push): void => {
    value();
    this.code.set(this.result);
  }) as never;
  floatRegister(field: Source): void {
    this.code.get(SOURCES.indexOf(field));
    this.code.op('f64.reinterpret_i64');
  }
  setFloatCsr(field: FloatCsr, value: Push): void {
    this.hart.setFloatCsr(field, value);
  }
  setFloatRegister(value: Push): void {
    value();
    this.code.op('i64.reinterpret_f64');
    this.code.set(this.result);
  }
}

const mnemonics = new Map(FLOAT_ROWS.map((row) => [functionName(row), row]));

/** Adds the function of a template to a module that has the library's. */
export function define(module: ModuleBuilder, linkage: Linkage, template: Template, name: string): void {
  const parameters = ['i64', 'i64', 'i64'] as const;
  const code = new Code(parameters);
  const target = new OperandTarget(code, linkage);
  new Emitter(code, target, rowLibrary()).row(template.body);
  code.get(target.result);
  const index = module.declare({ parameters, results: ['i64'] });
  module.define(index, code);
  module.export(name, index);
}

/** Calls a row's template by the name and with the arguments of its function in FLOAT_LIBRARY. */
export function templates(fused: boolean): (name: string, args: readonly bigint[], before: number) => Outcome {
  const { module, linkage } = libraryModule(rowLibrary());
  const names = new Map<Template, string>();
  const select = ({ op }: Row, rm: number, rs1: number, rs2: number, inexact: boolean): Template =>
    templateOf({ op, rm, rs1, rs2, imm: 0 }, inexact, fused)!;
  for (const row of FLOAT_ROWS)
    for (const inexact of [false, true])
      for (let number = 0; number < 32; number++) {
        const template = select(row, number % 5, number, 16, inexact);
        if (names.has(template)) continue;
        names.set(template, `template ${names.size}`);
        define(module, linkage, template, names.get(template)!);
      }
  const { exports, words } = instantiate(module);
  return (name, args, before) => {
    const row = mnemonics.get(name)!;
    const of = (parameter: string): bigint => args[parametersOf(row).indexOf(parameter)] ?? 0n;
    words[HartWord.FCSR] = before;
    words[HartWord.MSTATUS] = FS_DIRTY;
    const operands = [of('rs1') | of('frs1'), of('frs2'), of('frs3')] as const;
    // Operands that are the same may as well be of one register.
    const [rs1, rs2] = parametersOf(row).includes('zimm')
      ? [Number(of('zimm')), 0]
      : [1, operands[0] === operands[1] ? 1 : 2];
    const template = select(row, Number(of('rm')), rs1, rs2, (before & NX) !== 0);
    const result = exports[names.get(template)!]!(...operands);
    return { result: BigInt.asUintN(64, BigInt(result)), flags: words[HartWord.FCSR] };
  };
}
