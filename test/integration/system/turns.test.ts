import assert from 'node:assert/strict';
import { Privilege } from '../../../emulator/hart/types';
import { savedPc } from '../../../emulator/hart/registers';
import { tick } from '../../../emulator/units';
import { Ocall } from '../../../monitor/abi';
import { ComposedSystem, createSystem } from '../../../monitor/system/system';
import type { System } from '../../../monitor/system/types';
import { Code } from '../../unit/monitor/bench';
import { runUntil } from './sample';
import { call, CALL, END, tinyHost } from './tiny-host';

const QUANTUM = 20_000;
/** Ticks of the kernel's and the monitor's work around a switch. */
const SWITCH = 3_000;
const LOOP = 'forever:\nj forever';
const loop = (i: number): string => `forever${i}: j forever${i}`;

/** Who has the hart, and from which tick on, for a number of ticks. */
function turns(system: System, ticks: number): { tid: number; from: number }[] {
  const found: { tid: number; from: number }[] = [];
  for (const end = system.tick + ticks; system.tick < end;) {
    assert.equal(system.run(tick(system.tick + 100)).reason, 'until');
    const tid = system.currentThread;
    if (tid !== undefined && tid !== found.at(-1)?.tid) found.push({ tid, from: system.tick });
  }
  return found;
}

const lengths = (list: readonly { from: number }[]): number[] =>
  list.slice(1).map(({ from }, i) => from - list[i]!.from);

const entered = (system: System): boolean => runUntil(system, (e) => e.kind === 'transition' && e.name === 'run');

describe('threads take turns with one that is inside RUN', function () {
  it('a looping enclave and a looping thread alternate at the quantum', () => {
    const system = createSystem(
      tinyHost(LOOP, { main: 'run', threads: [loop(0)] }, { schedule: { quantum: QUANTUM } }),
    );
    assert.ok(entered(system));
    const list = turns(system, 2_000_000).slice(1);
    assert.ok(list.length > 80, `${list.length} turns in 2 000 000 ticks`);
    list.forEach(({ tid }, i) => assert.equal(tid, list[i % 2]!.tid, `turn ${i}`));
    for (const length of lengths(list))
      assert.ok(length >= QUANTUM && length < QUANTUM + SWITCH, `a turn of ${length} ticks`);
  });

  it('a RUN goes on to its end when another thread closes the device meanwhile', () => {
    const enclave = `li t0, 300000\nwait:\naddi t0, t0, -1\nbnez t0, wait\n${Code.exit(5)}`;
    const close = `li t0, 30000\nlater:\naddi t0, t0, -1\nbnez t0, later\nmv a0, s0\nli a7, ${CALL.close}\necall\n${loop(0)}`;
    const main = `run\nli a7, ${CALL.exitGroup}\necall`;
    const system = createSystem(tinyHost(enclave, { main, threads: [close] }, { schedule: { quantum: QUANTUM } }));
    assert.equal(system.run(tick(20_000_000)).reason, 'halted');
    assert.equal(system.exitStatus, 0, 'not EBADF');
    assert.deepEqual(system.enclaves(), []);
  });

  it('three threads go round in the order they queued in', () => {
    const system = createSystem(
      tinyHost(LOOP, { main: 'run', threads: [loop(0), loop(1)] }, { schedule: { quantum: QUANTUM } }),
    );
    assert.ok(entered(system));
    const list = turns(system, 1_000_000).slice(2);
    assert.ok(list.length > 30);
    list.forEach(({ tid }, i) => assert.equal(tid, list[i % 3]!.tid, `turn ${i}`));
    assert.equal(new Set(list.slice(0, 3).map(({ tid }) => tid)).size, 3);
  });

  it('an enclave that asks the host for something again and again has its turn and no more', () => {
    const system = createSystem(
      tinyHost(
        `again:\n${Code.ocall(Ocall.SYS_WRITE)}\nj again`,
        { main: 'run', threads: [loop(0)] },
        {
          schedule: { quantum: QUANTUM },
        },
      ),
    );
    assert.ok(entered(system));
    const list = turns(system, 1_000_000).slice(1);
    assert.ok(list.length > 35, `${list.length} turns in 1 000 000 ticks`);
    for (const length of lengths(list)) assert.ok(length < QUANTUM + 2 * SWITCH, `a turn of ${length} ticks`);
  });

  for (const [when, ticks, late, quantum] of [
    ['when its deadline finds the slice used up', 1_500_000, SWITCH, 1_000_000],
    ['at the latest when the slice in which its deadline falls is over', 100_000, QUANTUM + SWITCH, QUANTUM],
  ] as const)
    it(`a sleeper wakes on time while an enclave loops: ${when}`, () => {
      const sleeper = `again0:\n${call(CALL.nanosleep, '=time', 0)}\n${call(CALL.write, 1, '=time', 1)}\nj again0`;
      const data = `.align 3\ntime: .dword 0\n.dword ${ticks * 10}`;
      const system = createSystem(tinyHost(LOOP, { main: 'run', threads: [sleeper], data }, { schedule: { quantum } }));
      assert.ok(entered(system));
      system.drain();
      system.run(tick(system.tick + 20 * ticks));
      const wrote = system.drain().filter(({ kind }) => kind === 'output');
      assert.ok(wrote.length >= 15, `${wrote.length} times`);
      for (const length of lengths(wrote.map(({ tick: from }) => ({ from }))))
        assert.ok(length >= ticks && length < ticks + late, `slept for ${length} ticks`);
    });

  it('stop by another thread waits for the end of an ocall', () => {
    const system = createSystem(
      tinyHost(
        `again:\n${Code.ocall(Ocall.SYS_WRITE)}\nj again`,
        {
          main: 'run',
          threads: [`li s2,3000\nwait: addi s2,s2,-1\nbnez s2,wait\nstop\nmv s3,a0\n${call(CALL.exitGroup, 's3')}`],
        },
        { schedule: { quantum: 1_000 } },
      ),
    );
    assert.equal(system.run(tick(100_000_000)).reason, 'halted');
    assert.equal(system.exitStatus, 0);
  });

  it('a process that ends takes the enclave off the hart though no other thread is left to share it with', () => {
    const system = createSystem(
      tinyHost(
        LOOP,
        { main: 'run', threads: [`li s2,3000\nwait: addi s2,s2,-1\nbnez s2,wait\n${END}`] },
        {
          schedule: { quantum: 1_000 },
        },
      ),
    );
    assert.equal(system.run(tick(100_000_000)).reason, 'halted');
    assert.deepEqual(system.enclaves(), []);
  });
});

describe('registers of a host thread', () => {
  it('are those of its code also while the kernel has trapped to the firmware with them on the hart', () => {
    const main = `forever: li a7,172\necall\nj forever`;
    const system = new ComposedSystem(tinyHost(LOOP, { main }), {});
    assert.ok(runUntil(system, ({ kind }) => kind === 'enclave-created'));
    const hart = system.machine.harts[0]!;
    const level = (): Privilege => hart.privilege;
    while (level() !== Privilege.User) system.run(tick(system.tick + 1));
    // As after a page fault whose page is there: the kernel fences, which traps under TVM, before the thread goes on.
    system.linux.restore({ ...(system.linux.snapshot() as object), fence: true });
    let seen = 0;
    for (const end = system.tick + 20_000; system.tick < end; system.run(tick(system.tick + 1))) {
      const pc = savedPc(system.contexts(1)[0]!.registers);
      assert.ok(pc >= 0x10000 && pc < 0x20000, `pc 0x${pc.toString(16)} at tick ${system.tick}`);
      if (level() === Privilege.Machine) seen++;
    }
    assert.ok(seen > 0, 'the hart was seen in M-mode');
  });
});
