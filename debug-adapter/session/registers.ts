/** The registers of a frame as variables, under the names of the calling convention (RISC-V psABI, "Register convention"). */
import type { DebugProtocol as D } from '@vscode/debugprotocol';
import type { CodeFrame } from '../inspect/stack/entry';

const INTEGER =
  'zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6'.split(' ');
const FLOAT =
  'ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11'.split(
    ' ',
  );
const FLOAT_FIRST = 32;

export function registerVariables(frame: CodeFrame): D.Variable[] {
  const pc: D.Variable = { name: 'pc', value: hex(BigInt(frame.pc)), variablesReference: 0, evaluateName: '$pc' };
  const one = (name: string, register: number): D.Variable => {
    const value = frame.registers(register);
    return {
      name,
      value: value === undefined ? '<not known in this frame>' : hex(value),
      variablesReference: 0,
      evaluateName: `$${name}`,
    };
  };
  return [
    pc,
    ...INTEGER.slice(1).map((name, i) => one(name, i + 1)),
    ...FLOAT.map((name, i) => one(name, FLOAT_FIRST + i)),
  ];
}

function hex(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16).padStart(16, '0')}`;
}
