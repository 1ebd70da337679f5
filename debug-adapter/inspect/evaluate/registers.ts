/** Register names of the RISC-V calling convention and their DWARF numbers (RISC-V psABI, "DWARF register numbers"). */

const INTEGER_NAMES =
  'zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6'.split(' ');
const FLOAT_NAMES =
  'ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11'.split(
    ' ',
  );
const FIRST_FLOAT = 32;

const NUMBERS: ReadonlyMap<string, number> = new Map<string, number>([
  ...INTEGER_NAMES.flatMap((name, i): [string, number][] => [
    [name, i],
    [`x${i}`, i],
  ]),
  ...FLOAT_NAMES.flatMap((name, i): [string, number][] => [
    [name, FIRST_FLOAT + i],
    [`f${i}`, FIRST_FLOAT + i],
  ]),
  ['fp', 8],
]);

/** The DWARF number of `a0`, `x10`, `fa0`, `f10`, `fp`; undefined for another name. */
export const registerNumber = (name: string): number | undefined => NUMBERS.get(name);

export const isFloatRegister = (register: number): boolean => register >= FIRST_FLOAT;
