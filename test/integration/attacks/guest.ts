/**
 * A kernel's operations as S-mode code: one image that does them from power-on to shutdown without anything of TypeScript in S-mode, each
 * a real ecall, load, store or csrw, and that logs what came of each. Exceptions skip the instruction and are logged with their cause.
 */
import assert from 'node:assert/strict';
import type { SoftwareMachine } from '../../../emulator/machine/machine';
import { NO_SPACE, pa, space, tick, va, type Space } from '../../../emulator/units';
import { SbiExtension } from '../../../monitor/abi';
import { assemble } from '../../unit/assembler';
import { LIMIT, TICKS_PER_TIME, type Operation, type Result, type Target, type Word } from './kernel';

/** Where the monitor enters S-mode. */
const IMAGE = 0x8020_0000;
const IMAGE_SIZE = 0x20_0000;
const LOG = IMAGE + IMAGE_SIZE / 2;

const li = (register: string, value: Word) => `li ${register}, ${BigInt.asIntN(64, BigInt(value))}`;
const ecall = (extension: number, fid: number) => `${li('a6', fid)}\n${li('a7', extension)}\necall`;
/** Logs two registers and clears the cause of the last exception. */
const log = (first: string, second: string) => `sd ${first}, 0(s0)\nsd ${second}, 8(s0)\naddi s0, s0, 16\nli s1, 0`;

/** s0: the log; s1: the cause of an exception. */
const START = `
  la t0, trapped
  csrw stvec, t0
  ${li('s0', LOG)}
  li s1, 0
  j first
  .align 2
trapped:
  csrr s1, scause
  csrr t6, sepc
  addi t6, t6, 4
  csrw sepc, t6
  sret
first:`;
const END = ecall(SbiExtension.SRST, 0);

function code(operation: Operation, i: number): string {
  switch (operation.do) {
    case 'call': {
      const args = [0, 1, 2, 3, 4, 5].map((k) => li(`a${k}`, operation.args[k] ?? 0));
      return `${args.join('\n')}\n${ecall(operation.extension, operation.fid)}\n${log('a0', 'a1')}`;
    }
    case 'timer':
      return `csrr a0, time
        ${li('t0', Math.ceil(operation.ticks / TICKS_PER_TIME))}
        add a0, a0, t0
        ${ecall(SbiExtension.TIME, 0)}
        ${log('a0', 'a1')}`;
    case 'load':
      return `li t1, 0\n${li('t0', operation.address)}\nld t1, 0(t0)\n${log('t1', 's1')}`;
    case 'store':
      return `${li('t0', operation.address)}\n${li('t1', operation.value)}\nsd t1, 0(t0)\n${log('zero', 's1')}`;
    case 'write':
      return `la t0, bytes${i}
        ${li('t1', operation.address)}
        la t2, end${i}
        copy${i}:
        ld t3, 0(t0)
        sd t3, 0(t1)
        addi t0, t0, 8
        addi t1, t1, 8
        bne t0, t2, copy${i}
        ${log('zero', 's1')}`;
    case 'satp':
      return `${li('t0', operation.value)}\ncsrw satp, t0\n${log('zero', 's1')}`;
    case 'mark':
      return `mark_${operation.name}:\n${log('zero', 'zero')}`;
  }
}

function data(operation: Operation, i: number): string {
  if (operation.do !== 'write') return '';
  const view = new DataView(operation.bytes.buffer, operation.bytes.byteOffset, operation.bytes.length);
  const words = Array.from({ length: view.byteLength / 8 }, (_, k) => view.getBigInt64(8 * k, true));
  return `bytes${i}:\n.dword ${words.join(', ')}\nend${i}:`;
}

function spacesOf(operations: readonly Operation[]): Space[] {
  const roots = operations.flatMap((operation) =>
    operation.do === 'satp' ? [space(Number(operation.value & 0xfff_ffff_ffffn))] : [],
  );
  return [NO_SPACE, ...new Set(roots)];
}

function until(machine: SoftwareMachine, reason: 'stop' | 'halted'): void {
  const end = machine.tick + LIMIT;
  const exit = machine.run(tick(end));
  assert.equal(exit.reason, reason, 'the guest kernel gets there');
}

/** Runs the operations as guest code; what each of them gave. `onMark` is called where the list says. */
export function runAsGuest(
  target: Target,
  operations: readonly Operation[],
  onMark: (name: 'before' | 'after') => void,
): Result[] {
  const { machine } = target;
  const source = [START, ...operations.map(code), END, '.align 3', ...operations.map(data)].join('\n');
  const { bytes, labels } = assemble(IMAGE, source);
  assert.ok(bytes.length <= LOG - IMAGE, 'the guest kernel fits');
  machine.machinePort.write(pa(IMAGE), bytes);
  const marks = operations.flatMap((operation) => (operation.do === 'mark' ? [operation.name] : []));
  for (const name of marks)
    for (const space of spacesOf(operations)) machine.stops.arm(space, va(labels.get(`mark_${name}`)!));
  for (const name of marks) {
    until(machine, 'stop');
    onMark(name);
    machine.stepOverStop();
  }
  until(machine, 'halted');
  return operations.map((_, i) => [
    machine.machinePort.readU64(pa(LOG + 16 * i)),
    machine.machinePort.readU64(pa(LOG + 16 * i + 8)),
  ]);
}
