/**
 * The devices beside QEMU's: an M-mode program of our own makes the same accesses on both machines, keeps what it reads, and prints it
 * at the end through the UART. Left out is what is known to differ: QEMU's mtimecmp is 0 at reset, so that its timers are due, ours is
 * never; and its PLIC remembers a level that rises and falls while the source is in service, which the PLIC's specification
 * ("Interrupt Gateways") says of edge-triggered sources only.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootFirmware } from '../../../emulator/machine/boot';
import { createMachine } from '../../../emulator/machine/machine';
import { assemble } from '../../unit/assembler';
import { hasQemu } from './packages';
import { Terminal } from './terminal';

const UART = 0x10000000;
const PLIC = 0xc000000;
const CLINT = 0x2000000;
const FINISHER = 0x100000;

/** Read, write, or a CSR, with a name for what a difference is shown by. */
type Access = readonly [what: string, op: string, address: number | string, value?: number];

const read = (what: string, op: string, address: number): Access => [what, op, address];
const write = (op: string, address: number, value: number): Access => ['', op, address, value];
const csr = (what: string, name: string): Access => [what, 'csrr', name];

/** Registers as drivers probe them: scratch, IER, loopback, FIFO, divisor. */
const UART_ACCESSES: readonly Access[] = [
  read('LSR at reset', 'lbu', UART + 5),
  read('IIR at reset', 'lbu', UART + 2),
  read('IER at reset', 'lbu', UART + 1),
  write('sb', UART + 7, 0x5a),
  read('SCR', 'lbu', UART + 7),
  write('sb', UART + 1, 0xff),
  read('IER keeps four bits', 'lbu', UART + 1),
  write('sb', UART + 1, 0),
  write('sb', UART + 4, 0x1a),
  read('MSR in loopback', 'lbu', UART + 6),
  read('MSR again, without changes', 'lbu', UART + 6),
  write('sb', UART + 4, 0),
  read('MSR out of loopback', 'lbu', UART + 6),
  write('sb', UART + 2, 1),
  read('IIR with the FIFO', 'lbu', UART + 2),
  write('sb', UART + 3, 0x83),
  write('sb', UART + 0, 0x02),
  write('sb', UART + 1, 0x01),
  read('DLL', 'lbu', UART + 0),
  read('DLM', 'lbu', UART + 1),
  write('sb', UART + 3, 0x03),
  read('LCR', 'lbu', UART + 3),
  read('IER beside the divisor', 'lbu', UART + 1),
  read('RBR with nothing there', 'lbu', UART + 0),
  write('sb', UART + 4, 0x10),
  ...Array.from({ length: 3 }, (_, i) => write('sb', UART, 0x61 + i)),
  read('LSR with three bytes looped', 'lbu', UART + 5),
  read('first byte looped', 'lbu', UART),
  read('second byte looped', 'lbu', UART),
  read('third byte looped', 'lbu', UART),
  read('LSR when they are read', 'lbu', UART + 5),
  write('sb', UART + 4, 0),
];

/** Priorities, enables, and the transmitter's interrupt through claim and completion. */
const PLIC_ACCESSES: readonly Access[] = [
  write('sw', CLINT + 0x4004, -1),
  write('sw', PLIC + 4 * 10, 7),
  read('priority', 'lwu', PLIC + 4 * 10),
  write('sw', PLIC + 0x2000, 1 << 10),
  read('enables of context 0', 'lwu', PLIC + 0x2000),
  write('sw', PLIC + 0x200000, 5),
  read('threshold', 'lwu', PLIC + 0x200000),
  csr('mip with the request that the accesses above have left', 'mip'),
  read('claim of it', 'lwu', PLIC + 0x200004),
  write('sw', PLIC + 0x200004, 10),
  csr('mip without a request', 'mip'),
  read('claim of nothing', 'lwu', PLIC + 0x200004),
  write('sb', UART + 1, 2),
  read('pending', 'lwu', PLIC + 0x1000),
  csr('mip with MEIP', 'mip'),
  read('claim', 'lwu', PLIC + 0x200004),
  read('pending when claimed', 'lwu', PLIC + 0x1000),
  csr('mip when claimed', 'mip'),
  read('claim again', 'lwu', PLIC + 0x200004),
  read('IIR of the transmitter', 'lbu', UART + 2),
  read('IIR when it was read', 'lbu', UART + 2),
  write('sw', PLIC + 0x200004, 10),
  read('pending when completed, the level down', 'lwu', PLIC + 0x1000),
  csr('mip when completed', 'mip'),
  write('sw', PLIC + 0x2080, 1 << 10),
  write('sb', UART + 1, 0),
  write('sb', UART + 1, 2),
  csr('mip with MEIP and SEIP', 'mip'),
  write('sw', PLIC + 0x200000, 7),
  csr('mip with MEIP masked by the threshold', 'mip'),
  read('claim for S-mode', 'lwu', PLIC + 0x201004),
  csr('mip when S-mode has claimed', 'mip'),
  write('sb', UART + 1, 0),
  write('sw', PLIC + 0x201004, 10),
  csr('mip when S-mode has completed', 'mip'),
];

const CLINT_ACCESSES: readonly Access[] = [
  write('sw', CLINT, 1),
  read('msip', 'lwu', CLINT),
  csr('mip with MSIP', 'mip'),
  write('sw', CLINT, 0),
  csr('mip without', 'mip'),
  write('sw', CLINT + 0x4000, -1),
  write('sw', CLINT + 0x4004, -1),
  read('mtimecmp', 'ld', CLINT + 0x4000),
  csr('mip, the timer far away', 'mip'),
  write('sw', CLINT + 0x4004, 0),
  read('mtimecmp, its upper half cleared', 'ld', CLINT + 0x4000),
  write('sw', CLINT + 0x4000, 0),
  csr('mip, the timer due', 'mip'),
  read('the finisher', 'lwu', FINISHER),
];

const ACCESSES = [...UART_ACCESSES, ...PLIC_ACCESSES, ...CLINT_ACCESSES];
const RESULTS = 0x80100000;

function program(): string {
  const code = ACCESSES.map(([, op, address, value]) => {
    if (op === 'csrr') return `csrr t2,${address}\nsd t2,0(s1)\naddi s1,s1,8`;
    const at = `li t0,${address}`;
    if (value === undefined) return `${at}\n${op} t2,0(t0)\nsd t2,0(s1)\naddi s1,s1,8`;
    return `${at}\nli t1,${value}\n${op} t1,0(t0)`;
  });
  return `
    csrr t0,mhartid
  others: bnez t0,others
    li s1,${RESULTS}
    ${code.join('\n')}
    li s2,${RESULTS}
    li s3,${UART}
  each:
    beq s2,s1,end
    ld s4,0(s2)
    addi s2,s2,8
    li s5,60
  digit:
    srl t0,s4,s5
    andi t0,t0,15
    addi t0,t0,65
    jal ra,print
    addi s5,s5,-4
    bge s5,zero,digit
    li t0,10
    jal ra,print
    j each
  print:
    lbu t1,5(s3)
    andi t1,t1,0x40
    beqz t1,print
    sb t0,0(s3)
    ret
  end:
    lbu t1,5(s3)
    andi t1,t1,0x40
    beqz t1,end
    li t0,${FINISHER}
    li t1,0x5555
    sw t1,0(t0)
  stay: j stay`;
}

/** One line a result: name and value. Digits are letters from A on. */
function readable(text: string): string[] {
  const names = ACCESSES.filter(([what]) => what !== '').map(([what]) => what);
  const values = text.match(/[A-P]{16}/g) ?? [];
  assert.equal(values.length, names.length, `every result is printed:\n${text}`);
  return values.map((value, i) => {
    const digits = [...value].map((letter) => (letter.charCodeAt(0) - 65).toString(16)).join('');
    return `${names[i]}: 0x${digits.replace(/^0+(?=.)/, '')}`;
  });
}

describe('Devices answer as those of QEMU’s virt', function () {
  it('to the accesses of drivers: UART, PLIC, CLINT, finisher', function () {
    if (!hasQemu()) {
      console.log('      skipped: qemu-system-riscv64 is not installed');
      this.skip();
    }
    const bios = assemble(0x80000000, program()).bytes;
    const machine = createMachine({ ramBytes: 16 * 2 ** 20 });
    bootFirmware(machine, { bios });
    const terminal = new Terminal(machine);
    terminal.run(1_000_000);
    assert.deepEqual(machine.ending, { kind: 'pass', code: 0 });

    const folder = mkdtempSync(join(tmpdir(), 'penglai-devices-'));
    try {
      const file = join(folder, 'program.bin');
      writeFileSync(file, bios);
      const options = ['-M', 'virt', '-m', '16', '-display', 'none', '-monitor', 'none', '-serial', 'stdio'];
      const { stdout, status } = spawnSync('qemu-system-riscv64', [...options, '-bios', file], {
        encoding: 'latin1',
        timeout: 50_000,
        input: '',
      });
      assert.equal(status, 0);
      assert.deepEqual(readable(terminal.text), readable(stdout));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
