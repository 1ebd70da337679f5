/**
 * Speed of the interpreter behind Sv39 and PMP on small loops, and the same binaries under qemu-riscv64 where it is installed. CPU time of
 * the whole process for both, so that a busy machine disturbs less; the budget of a slice is what a session uses.
 * Run: npx esbuild test/bench/engine.ts --bundle --platform=node --outfile=<file> && node <file>
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tick } from '../../emulator/units';
import { assemble } from '../unit/assembler';
import { CODE, DATA, elfOf } from '../unit/engine/programs';
import { loadUser, PTE, userMachine } from '../unit/machine/user';

const EXIT = 'li a7,93\nli a0,0\necall';

/** Loops that end after s11 rounds; about ten instructions a round. */
const LOOPS: Readonly<Record<string, string>> = {
  'integer, no memory': `
    li a0,1
    loop: slli t0,a0,13
    xor a0,a0,t0
    srli t0,a0,7
    xor a0,a0,t0
    slli t0,a0,17
    xor a0,a0,t0
    add a1,a1,a0
    sltu t1,a1,a0
    add a2,a2,t1
    addi s11,s11,-1
    bnez s11,loop`,
  'loads and stores': `
    li s0,${DATA}
    loop: andi t0,s11,1016
    add t0,t0,s0
    ld t1,0(t0)
    add t1,t1,s11
    sd t1,8(t0)
    lw t2,4(t0)
    sw t2,16(t0)
    lbu t3,3(t0)
    add a0,a0,t3
    addi s11,s11,-1
    bnez s11,loop`,
  calls: `
    li sp,${DATA + 4096}
    j loop
    leaf: addi a0,a0,3
    ret
    outer: addi sp,sp,-16
    sd ra,8(sp)
    jal ra,leaf
    ld ra,8(sp)
    addi sp,sp,16
    ret
    loop: jal ra,outer
    addi s11,s11,-1
    bnez s11,loop`,
  'multiply and divide': `
    li a0,0x123456789abcdef
    li a1,12345
    loop: mul t0,a0,a1
    mulhu t1,a0,a1
    divu t2,t0,a1
    remu t3,t0,a1
    add a0,t2,t3
    add a0,a0,t1
    addi s11,s11,-1
    bnez s11,loop`,
  'double precision': `
    li t0,3
    fcvt.d.l fa0,t0,rne
    fcvt.d.l fa1,t0,rne
    loop: fmul.d fa2,fa0,fa1
    fadd.d fa3,fa2,fa1
    fdiv.d fa0,fa3,fa2
    fmadd.d fa4,fa0,fa1,fa2
    addi s11,s11,-1
    bnez s11,loop`,
};

const ROUNDS = 4_000_000;
const cpuSeconds = (work: () => void): number => {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
};

const folder = mkdtempSync(join(tmpdir(), 'penglai-bench-'));
const hasQemu = spawnSync('qemu-riscv64', ['--version']).status === 0;
if (!hasQemu) console.log('qemu-riscv64 is not installed: no ratios');
try {
  for (const [name, source] of Object.entries(LOOPS)) {
    const code = assemble(CODE, `li s11,${ROUNDS}\n${source}\n${EXIT}`).bytes;
    const data = new Uint8Array(8192);
    const user = userMachine(CODE);
    loadUser(user, CODE, code, PTE.V | PTE.R | PTE.X | PTE.U);
    loadUser(user, DATA, data, PTE.V | PTE.R | PTE.W | PTE.U);
    const seconds = cpuSeconds(() => {
      while (user.machine.run(tick(user.machine.tick + 1_000_000)).reason === 'until');
    });
    const instructions = user.machine.tick;
    let ratio = '';
    if (hasQemu) {
      const path = join(folder, 'program');
      writeFileSync(path, elfOf({ code, data }), { mode: 0o755 });
      // CPU time of children is only known to the shell.
      const { stderr } = spawnSync('bash', [
        '-c',
        `TIMEFORMAT='%U %S'; time ${path}`.replace(path, `qemu-riscv64 ${path}`),
      ]);
      const [u, s] = stderr.toString().trim().split(/\s+/).slice(-2).map(Number);
      const theirs = u! + s!;
      ratio = `, qemu-riscv64 ${(instructions / theirs / 1e6).toFixed(0)} MIPS: ${(theirs / seconds).toFixed(3)} of its speed`;
    }
    console.log(`${name}: ${(instructions / seconds / 1e6).toFixed(0)} MIPS (${user.firmware.ended})${ratio}`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
