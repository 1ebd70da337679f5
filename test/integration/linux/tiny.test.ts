import assert from 'node:assert/strict';
import { MemoryFault } from '../../../emulator/machine/ports';
import { layoutOf, linear } from '../../../emulator/linux/memory/layout';
import { callName, implementedCalls } from '../../../emulator/linux/calls/table';
import { va } from '../../../emulator/units';
import { newHost } from './host';
import { call, CALL, text, tinyElf } from './tiny';

const HELLO = `
start:
${call(CALL.write, 1, '=message', 6)}
mv s0,a0
${call(CALL.exitGroup, 's0')}
message:
${text('hello\n')}
`;

describe('A hand-assembled program on the host OS', function () {
  it('writes and exits with the count', () => {
    const host = newHost({ program: tinyElf(HELLO) });
    assert.deepEqual(host.run(), { reason: 'halted' });
    assert.equal(host.text(), 'hello\n');
    assert.equal(host.linux.exitStatus, 6);
    assert.deepEqual(host.linux.processes(), []);
    assert.deepEqual(host.linux.threads(), []);
  });

  it('an event listener stops the machine before the first instruction of the program', () => {
    const host = newHost({ program: tinyElf(HELLO) });
    host.machine.outbox.listener = (event) => (event as { kind?: string }).kind === 'image';
    assert.deepEqual(host.run(), { reason: 'event' });
    assert.equal(host.text(), '');
    const [process] = host.linux.processes();
    assert.equal(process!.name, 'program');
    host.machine.stops.arm(process!.space, va(0x10078));
    assert.deepEqual(host.run(), { reason: 'stop', pc: 0x10078, space: process!.space });
  });

  it('an infinite loop is preempted for input and dies of a signal', () => {
    const host = newHost({ program: tinyElf('start:\nj start') });
    assert.deepEqual(host.run(5_000_000), { reason: 'until' });
    host.linux.post({ kind: 'signal', signal: 'SIGKILL' });
    assert.deepEqual(host.run(), { reason: 'halted' });
    assert.equal(host.linux.exitStatus, 137);
  });

  it('a sleeping program costs no work: the clock jumps', () => {
    const source = `start:\n${call(CALL.nanosleep, '=time', 0)}\n${call(CALL.exit, 0)}\n.align 3\ntime:\n.dword 3, 5`;
    const host = newHost({ program: tinyElf(source) });
    assert.deepEqual(host.run(), { reason: 'halted' });
    assert.ok(host.machine.tick > 300_000_000 && host.machine.tick < 300_100_000);
  });

  it('an illegal instruction, a breakpoint and a jump to nowhere end the process with their signals', () => {
    for (const [source, status] of [
      ['start:\n.word 0', 128 + 4],
      ['start:\nebreak', 128 + 5],
      ['start:\njalr zero,0(zero)', 128 + 11],
    ] as const) {
      const host = newHost({ program: tinyElf(source) });
      assert.deepEqual(host.run(), { reason: 'halted' });
      assert.equal(host.linux.exitStatus, status, source);
    }
  });

  it('memory is short: the process is killed, the machine goes on to its end', () => {
    const source = `start:\n${call(CALL.mmap, 0, 0x10000000, 3, 0x4022, -1, 0)}
li t1,0x10000000
add t1,a0,t1
li t2,4096
again:
sd t2,0(a0)
add a0,a0,t2
bne a0,t1,again
${call(CALL.exit, 0)}`;
    const host = newHost({ program: tinyElf(source), ramMiB: 64 });
    assert.deepEqual(host.run(), { reason: 'halted' });
    assert.equal(host.linux.exitStatus, 137);
    assert.ok(host.events.some((event) => event.kind === 'console' && event.text.includes('Out of memory')));
  });

  it('the kernel itself cannot write its page tables once the firmware guards them', () => {
    const host = newHost({ program: tinyElf('start:\nj start') });
    host.run(1_000_000);
    const { tables } = layoutOf(host.machine.ramSize);
    host.machine.harts[0]!.privilege = 1;
    const port = host.machine.supervisorPort(host.machine.harts[0]!);
    assert.doesNotThrow(() => port.readU64(linear(tables.base)));
    assert.throws(() => port.writeU64(linear(tables.base), 0n), MemoryFault);
    assert.throws(() => port.readU64(linear(0x80000000)), MemoryFault);
  });
});

/** Reads records of a7 and a0 … a5 and makes the calls, until the input ends. */
const CALLER = `
start:
${call(CALL.read, 0, '=record', 56)}
li t0,56
bne a0,t0,end
la t0,record
ld a7,0(t0)
ld a0,8(t0)
ld a1,16(t0)
ld a2,24(t0)
ld a3,32(t0)
ld a4,40(t0)
ld a5,48(t0)
ecall
j start
end:
${call(CALL.exitGroup, 7)}
.align 3
record:
.zero 56
`;

describe('Hostile system calls', function () {
  /** Calls that would end, block or detach the caller. */
  const AVOIDED = new Set(
    'read pread64 readv exit exit_group kill tkill tgkill rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigqueueinfo rt_tgsigqueueinfo ppoll pselect6 futex nanosleep clock_nanosleep clone clone3 close dup3 munmap mmap mremap mprotect madvise sendfile brk rt_sigaction rt_sigprocmask'.split(
      ' ',
    ),
  );
  const MEMORY = new Set(['mmap', 'munmap', 'mremap', 'mprotect', 'madvise', 'brk', 'futex', 'pread64', 'readv']);
  const numbers = Array.from({ length: 460 }, (_, i) => i);
  const VALUES = [
    0,
    1,
    2,
    3,
    8,
    4096,
    0x18000,
    0x18ffc,
    0x1a001,
    0x3fffff0000,
    0x4000000000,
    -1,
    -100,
    -4096,
    2 ** 31,
    2 ** 52,
  ];
  const WIDE = [1n << 63n, 0xffffffd800400000n, 0x8000000080000000n, 0x7fffffffffffffffn];

  function records(seed: number, count: number, allowed: (name: string) => boolean): Uint8Array {
    const choices = numbers.filter((number) => allowed(callName(number)));
    const view = new DataView(new ArrayBuffer(count * 56));
    let state = seed;
    const draw = (limit: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    for (let i = 0; i < count; i++) {
      view.setBigUint64(i * 56, BigInt(choices[draw(choices.length)]!), true);
      for (let j = 1; j < 7; j++) {
        const value = draw(8) === 0 ? WIDE[draw(WIDE.length)]! : BigInt(VALUES[draw(VALUES.length)]!);
        view.setBigUint64(i * 56 + 8 * j, BigInt.asUintN(64, value), true);
      }
    }
    return new Uint8Array(view.buffer);
  }

  function survive(input: Uint8Array): void {
    const host = newHost({ program: tinyElf(CALLER, 65536), ramMiB: 64 });
    host.linux.post({ kind: 'stdin', bytes: input, end: true });
    const exit = host.run();
    const said = host.events.flatMap((event) => (event.kind === 'console' ? [event.text] : []));
    assert.deepEqual(
      said.filter((line) => /panic|BUG/.test(line)),
      [],
    );
    assert.ok(exit.reason === 'halted' || exit.reason === 'idle', exit.reason);
  }

  it('of any number with any arguments neither end the kernel nor escape it', () => {
    for (let seed = 1; seed <= 12; seed++) survive(records(seed * 7919, 2000, (name) => !AVOIDED.has(name)));
  });

  it('about memory neither end the kernel nor escape it', () => {
    for (let seed = 1; seed <= 60; seed++) survive(records(seed * 7919, 200, (name) => MEMORY.has(name)));
  });

  it('every call that is implemented has its Linux number', () => {
    const names = new Set(numbers.map(callName));
    assert.deepEqual(
      implementedCalls().filter((name) => !names.has(name)),
      [],
    );
  });
});
