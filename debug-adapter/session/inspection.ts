/**
 * Frames, scopes and variables of one stop, as the client asks for them: numbers to frames and to things that expand. Everything
 * is read when it is asked for, from the frame's own address space, and forgotten when the program runs again.
 */
import type { DebugProtocol as D } from '@vscode/debugprotocol';
import type { System } from '../../monitor/system/types';
import { orderErrors, runErrors } from '../errors';
import { evaluateExpression, EvaluateError } from '../inspect/evaluate/evaluate';
import type { CodeFrame, StackEntry } from '../inspect/stack/entry';
import { printable } from '../inspect/printable';
import { readMemory, type Stack } from '../inspect/stack/stack';
import { FrameScope } from '../inspect/variables/frame';
import type { Value } from '../inspect/variables/value';
import { References } from './references';
import { registerVariables } from './registers';
import type { Sources } from './sources';

/** Something that expands into variables. */
interface Container {
  variables(start: number, count: number | undefined, hex: boolean): readonly D.Variable[];
}

/** One page of children when the client names no number. */
const PAGE = 1000;
/** Frames of one answer when the client asks for all. */
const LEVELS_MAX = 1000;

export class Inspection {
  private readonly frames = new References<{ readonly tid: number; readonly entry: StackEntry }>();
  private readonly frameIds = new Map<StackEntry, number>();
  private readonly containers = new References<Container>();
  private readonly scopesOf = new Map<CodeFrame, FrameScope>();

  constructor(
    private readonly system: Pick<System, 'read'>,
    private readonly sources: Sources,
    private readonly lineBase: 0 | 1,
    private readonly columnBase: 0 | 1,
  ) {}

  /** `passed`: frames an editor should not open first, besides those that are subtle anyway. */
  stackTrace(
    stack: Stack,
    start = 0,
    levels = 0,
    passed: (frame: CodeFrame) => boolean = () => false,
  ): { stackFrames: D.StackFrame[]; totalFrames: number } {
    const wanted = levels > 0 ? Math.min(levels, LEVELS_MAX) : LEVELS_MAX;
    const entries = stack.entries(start, wanted);
    return {
      stackFrames: entries.map((entry) => this.frame(stack.tid, entry, passed)),
      totalFrames: stack.total,
    };
  }

  private frame(tid: number, entry: StackEntry, passed: (frame: CodeFrame) => boolean): D.StackFrame {
    let id = this.frameIds.get(entry);
    if (id === undefined) this.frameIds.set(entry, (id = this.frames.add({ tid, entry })));
    if (entry.kind === 'label') return { id, name: entry.text, line: 0, column: 0, presentationHint: 'label' };
    const { place, mapping } = entry;
    const subtle = entry.subtle || passed(entry);
    const shown = place && this.sources.show(place.image, place.file, place.path);
    return {
      id,
      name: printable(entry.name),
      ...(shown
        ? {
            source: {
              name: shown.name,
              path: shown.path,
              ...(subtle ? { presentationHint: 'deemphasize' as const } : {}),
            },
          }
        : {}),
      line: place ? place.line - 1 + this.lineBase : 0,
      column: place ? Math.max(place.column, 1) - 1 + this.columnBase : 0,
      instructionPointerReference: `0x${BigInt.asUintN(64, BigInt(entry.pc)).toString(16)}`,
      ...(mapping ? { moduleId: moduleIdOf(mapping) } : {}),
      presentationHint: subtle ? 'subtle' : 'normal',
    };
  }

  scopes(frameId: number): D.Scope[] {
    const entry = this.entry(frameId);
    if (entry.kind === 'label') return [];
    const scopes: D.Scope[] = [];
    const scope = this.scope(entry);
    if (scope && entry.level !== undefined) {
      // One scope for both: editors open only the first by themselves, and an empty one is no use to anybody.
      const locals = [...scope.parameters(), ...scope.locals()];
      if (locals.length > 0) scopes.push(this.valueScope('Locals', 'locals', locals));
      scopes.push(this.valueScope('File Statics', 'globals', () => scope.globals()));
    }
    const registers: Container = { variables: () => registerVariables(entry) };
    scopes.push({
      name: 'Registers',
      presentationHint: 'registers',
      variablesReference: this.containers.add(registers),
      expensive: true,
    });
    return scopes;
  }

  variables(reference: number, start = 0, count?: number, hex = false): readonly D.Variable[] {
    const container = this.containers.get(reference);
    if (!container) throw orderErrors.stale('variable');
    return container.variables(start, count === 0 ? undefined : count, hex);
  }

  /** Evaluates a C expression in a frame. Throws an AdapterError with the reason when it has no value. */
  evaluate(expression: string, frameId: number, hex: boolean): { result: string; variable: D.Variable } {
    const entry = this.entry(frameId);
    const scope = entry.kind === 'code' ? this.scope(entry) : undefined;
    if (!scope) throw runErrors.noEvaluation('This frame has no debug information to evaluate in.');
    const value = evaluateExpression(expression, scope);
    if (value instanceof EvaluateError) throw runErrors.noEvaluation(value.message);
    const variable = this.present(hex && value.format === undefined ? value.withFormat('x') : value);
    return { result: variable.value, variable };
  }

  private entry(frameId: number): StackEntry {
    const known = this.frames.get(frameId);
    if (!known) throw orderErrors.stale('stack frame');
    return known.entry;
  }

  private scope(entry: CodeFrame): FrameScope | undefined {
    const { mapping } = entry;
    if (!mapping || !mapping.image.program.hasDebugInfo) return undefined;
    let scope = this.scopesOf.get(entry);
    if (!scope) {
      const { cfa } = entry;
      scope = new FrameScope(mapping.image.program, {
        pc: entry.lookup,
        ...(entry.level === undefined ? {} : { level: entry.level }),
        programCounter: BigInt.asUintN(64, BigInt(entry.pc)),
        loadBias: BigInt(mapping.base),
        readMemory: (address, length) => readMemory(this.system, entry.space, address, length),
        readRegister: entry.registers,
        cfa: () => cfa,
      });
      this.scopesOf.set(entry, scope);
    }
    return scope;
  }

  private valueScope(name: string, hint: string, values: readonly Value[] | (() => readonly Value[])): D.Scope {
    const container: Container = {
      variables: (start, count, hex) => {
        const all = typeof values === 'function' ? values() : values;
        return all.slice(start, count === undefined ? undefined : start + count).map((value) => this.shown(value, hex));
      },
    };
    return {
      name,
      presentationHint: hint,
      variablesReference: this.containers.add(container),
      ...(typeof values === 'function' ? {} : { namedVariables: values.length }),
      expensive: typeof values === 'function',
    };
  }

  private shown(value: Value, hex: boolean): D.Variable {
    return this.present(hex ? value.withFormat('x') : value);
  }

  private present(value: Value): D.Variable {
    const shape = value.present();
    const expands = (shape.namedVariables ?? 0) + (shape.indexedVariables ?? 0) > 0;
    const container: Container = {
      variables: (start, count, hex) => value.children(start, count ?? PAGE).map((child) => this.shown(child, hex)),
    };
    return {
      name: printable(shape.name),
      value: shape.value,
      type: printable(shape.type),
      variablesReference: expands ? this.containers.add(container) : 0,
      ...(shape.namedVariables === undefined ? {} : { namedVariables: shape.namedVariables }),
      ...(shape.indexedVariables === undefined ? {} : { indexedVariables: shape.indexedVariables }),
      ...(shape.evaluateName === undefined ? {} : { evaluateName: shape.evaluateName }),
      ...(shape.unavailable === undefined ? {} : { presentationHint: { attributes: ['readOnly'] } }),
    };
  }

  /** The program runs again: every number given out becomes invalid. */
  clear(): void {
    this.frames.clear();
    this.frameIds.clear();
    this.containers.clear();
    this.scopesOf.clear();
  }
}

export function moduleIdOf(mapping: NonNullable<CodeFrame['mapping']>): string {
  const { owner, image } = mapping;
  return `${owner.kind === 'host' ? `process-${owner.pid}` : `enclave-${owner.instance}`}-${image.hash.slice(0, 12)}`;
}
