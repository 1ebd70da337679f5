/** Asks a program everything that a session asks, for tests that only care that it answers. */
import { evaluateExpression } from '../../../debug-adapter/inspect/evaluate/evaluate';
import { FrameScope, type FrameAccess } from '../../../debug-adapter/inspect/variables/frame';
import type { Value } from '../../../debug-adapter/inspect/variables/value';
import { declaration, describeType } from '../../../debug-adapter/symbols/dwarf/info/model';
import type { Program } from '../../../debug-adapter/symbols/program';

const MAX_DEPTH = 3;

/** Presents a value and what is below it. Returns the length of all text, so that nothing is optimised away. */
function show(value: Value, depth = 0): number {
  const shown = value.present();
  let length = shown.value.length + shown.type.length;
  if (depth < MAX_DEPTH) for (const child of value.children(0, 4)) length += show(child, depth + 1);
  return length;
}

/** Looks at everything near `pcs` and at everything that has one of `names`. */
export function exercise(
  program: Program,
  frame: Omit<FrameAccess, 'pc'>,
  pcs: readonly number[],
  names: readonly string[],
): number {
  const { info } = program;
  let length = info.units().length + (program.debugInfoProblem?.length ?? 0);
  for (const pc of pcs) {
    const scopes = info.scopesAt(pc);
    length += scopes
      ? declaration(scopes.function.type, scopes.function.name).length + (scopes.function.declaration.line ?? 0)
      : 0;
    for (const inlined of scopes?.inlined ?? []) length += (inlined.call.file?.length ?? 0) + inlined.name.length;
    const scope = new FrameScope(program, { ...frame, pc });
    for (const value of [...scope.parameters(), ...scope.locals()]) length += show(value);
    for (const name of names) length += evaluateExpression(name, scope).constructor.name.length;
  }
  const scope = new FrameScope(program, { ...frame, pc: pcs[0] ?? 0 });
  for (const value of scope.globals()) length += show(value);
  for (const name of names) {
    length += info.functionsNamed(name).length;
    for (const keyword of ['', 'struct', 'union', 'enum'] as const) {
      const type = info.typeNamed(name, keyword, pcs[0]);
      length += type ? describeType(type).length : 0;
    }
  }
  return length;
}

/** A frame whose memory and registers have something to read everywhere. */
export function chaoticFrame(seed: number): Omit<FrameAccess, 'pc'> {
  return {
    cfa: () => 0x4000800710n,
    readRegister: (register) => (register < 64 ? BigInt(register * 8 + seed) : undefined),
    readMemory: (address, length) =>
      Uint8Array.from({ length: Math.min(length, 1 << 20) }, (_, i) => Number((address + BigInt(i)) & 0xffn)),
  };
}

/** Small generator of repeatable numbers (mulberry32). */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
