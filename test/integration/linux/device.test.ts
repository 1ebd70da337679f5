import assert from 'node:assert/strict';
import { PAGE_SIZE, pa, type PhysicalAddress } from '../../../emulator/units';
import type { CharacterDevice, DeviceStep, Kernel } from '../../../emulator/linux/device';
import { newHost, type Host } from './host';
import { call, CALL, text, tinyElf } from './tiny';

const SBI_TIME = 0x54494d45;
const OPEN_FLAGS = 2;

/** What the test device did, in order. */
interface Log {
  readonly steps: string[];
}

/** A device whose ioctl number says what it does: 1 add words, 2 wait, 3 wake, 4 an SBI call, 5 long work, 6 yield. */
function testDevice(log: Log): CharacterDevice {
  let pages: PhysicalAddress | undefined;
  const ioctl = (
    kernel: Kernel,
    command: number,
    argument: number,
    state: unknown,
    sbi: unknown,
    killed: boolean,
  ): DeviceStep => {
    switch (command) {
      case 1: {
        const sum = kernel.port.user.readU32(argument as never) + kernel.port.user.readU32((argument + 4) as never);
        kernel.port.user.writeU32((argument + 8) as never, sum);
        return { do: 'return', value: sum };
      }
      case 2:
        if (killed) return { do: 'return', value: -4 };
        return state === undefined ? { do: 'wait', queue: 'door', state: 'waited' } : { do: 'return', value: 22 };
      case 3:
        kernel.wake('door');
        return { do: 'return', value: 0 };
      case 4:
        if (!sbi) return { do: 'sbi', call: { extension: 99, function: 1, args: [1, 2] }, state: 'called' };
        return { do: 'return', value: (sbi as { error: number }).error };
      case 5: {
        const round = (state as number | undefined) ?? 0;
        return round < 5 ? { do: 'work', ticks: 1000, state: round + 1 } : { do: 'return', value: round };
      }
      case 6:
        return state === undefined ? { do: 'yield', state: true } : { do: 'return', value: 66 };
      case 7:
        throw new Error('a bug of the driver');
      default:
        return { do: 'return', value: -25 };
    }
  };
  return {
    path: '/dev/test',
    mode: 0o666,
    boot(kernel, state) {
      log.steps.push(`boot ${String(state)}`);
      if (state === undefined)
        return { do: 'sbi', call: { extension: SBI_TIME, function: 0, args: [-1] }, state: 'set' };
      pages = kernel.allocatePages(1);
      kernel.port.writeU32(kernel.linear(pa(pages! + PAGE_SIZE)), 0x12345678);
      return { do: 'return', value: 0 };
    },
    open: () => ({ opened: true }),
    ioctl(kernel, request, _file, state, input) {
      const step = ioctl(kernel, request.command, request.argument, state, input.sbi, input.killed);
      log.steps.push(`ioctl ${request.command} ${step.do}`);
      return step;
    },
    mmap: (_kernel, _data, length) => (length > 2 * PAGE_SIZE ? -1 : [pages!, pa(pages! + PAGE_SIZE)]),
    release: () => void log.steps.push('release'),
    processExited(_kernel, pid) {
      log.steps.push(`exited ${pid}`);
      return { do: 'return', value: 0 };
    },
    command(kernel, command, state) {
      log.steps.push(`command ${String(command)}`);
      if (state === undefined) return { do: 'work', ticks: 10, state: 1 };
      kernel.wake('door');
      return { do: 'return', value: 5 };
    },
    snapshot: () => pages,
    restore: (root) => void (pages = root as PhysicalAddress | undefined),
  };
}

const OPEN = `${call(CALL.openat, -100, '=path', OPEN_FLAGS, 0)}\nmv s0,a0`;
const DATA = `.align 3\npath:\n${text('/dev/test')}\n.align 3\nnumbers:\n.word 30, 12, 0`;
const program = (body: string): Uint8Array =>
  tinyElf(`start:\n${OPEN}\n${body}\n${call(CALL.exitGroup, 's1')}\n${DATA}`);
const ioctl = (command: number, argument: string | number): string =>
  `${call(CALL.ioctl, 's0', command, argument)}\nmv s1,a0`;

function started(body: string): { host: Host; log: Log } {
  const log: Log = { steps: [] };
  const host = newHost({ program: program(body), devices: [testDevice(log)] });
  return { host, log };
}
function status(body: string): { value: number | undefined; log: Log; host: Host } {
  const { host, log } = started(body);
  assert.deepEqual(host.run(), { reason: 'halted' });
  return { value: host.linux.exitStatus, log, host };
}

describe('A character device', () => {
  it('boots in steps before the first program, and is told when a process is gone', () => {
    const { log, value } = status(ioctl(1, '=numbers'));
    assert.equal(value, 42);
    assert.deepEqual(log.steps, ['boot undefined', 'boot set', 'ioctl 1 return', 'exited 1', 'release']);
  });

  it('makes SBI calls whose result comes with the next step', () => {
    const { value, log } = status(ioctl(4, 0));
    assert.equal(value, 256 - 2, 'the firmware does not know the extension');
    assert.deepEqual(log.steps.slice(2, 4), ['ioctl 4 sbi', 'ioctl 4 return']);
  });

  it('does long work in pieces and yields', () => {
    assert.equal(status(ioctl(5, 0)).value, 5);
    assert.equal(status(ioctl(6, 0)).value, 66);
  });

  it('a step that meets a page that is not there is made again; a bad pointer is EFAULT', () => {
    const stack = `addi s2,sp,-2000\naddi s2,s2,-2000\naddi s2,s2,-2000\n${ioctl(1, 's2')}`;
    const { value, log } = status(stack);
    assert.equal(value, 0);
    assert.equal(
      log.steps.filter((step) => step.startsWith('ioctl')).length,
      1,
      'only the step that came through counts',
    );
    assert.equal(status(ioctl(1, 8)).value, 256 - 14);
    assert.equal(
      status(`li s2,-171794497536\n${ioctl(1, 's2')}`).value,
      256 - 14,
      'a kernel address is no user pointer',
    );
  });

  it('an exception of the driver ends the call, not the machine', () => {
    const { value, host } = status(ioctl(7, 0));
    assert.equal(value, 256 - 5);
    assert.ok(host.events.some((event) => event.kind === 'console' && event.text.includes('a bug of the driver')));
  });

  it('its pages are seen by the program that maps it, and survive the process', () => {
    const map = `${call(CALL.mmap, 0, 8192, 3, 1, 's0', 0)}\nli t0,4096\nadd t0,a0,t0\nlbu s1,0(t0)\nsb zero,0(t0)`;
    assert.equal(status(map).value, 0x78);
    assert.equal(status(`${call(CALL.mmap, 0, 16384, 3, 1, 's0', 0)}\nsub s1,zero,a0`).value, 1);
  });

  it('a blocked call shows what it waits for and goes on when a command from outside wakes it', () => {
    const { host, log } = started(ioctl(2, 0));
    assert.deepEqual(host.run(), { reason: 'idle' });
    const [thread] = host.linux.threads();
    assert.equal(thread!.state, 'blocked');
    assert.equal(thread!.systemCall, 'ioctl');
    assert.deepEqual(thread!.device, { path: '/dev/test', state: 'waited' });
    host.linux.post({ kind: 'device', id: 9, path: '/dev/test', command: 'open the door' });
    assert.deepEqual(host.run(), { reason: 'halted' });
    assert.equal(host.linux.exitStatus, 22);
    assert.ok(host.events.some((event) => event.kind === 'device-answer' && event.id === 9 && event.result === 5));
    assert.equal(log.steps.filter((step) => step.startsWith('command')).length, 2);
  });

  it('a command is carried out at once while user code loops', () => {
    const { host } = started('loop:\nj loop');
    host.run(3_000_000);
    host.linux.post({ kind: 'device', id: 1, path: '/dev/test', command: 'look' });
    const before = host.machine.tick;
    host.run(before + 20_000);
    const answer = host.events.find((event) => event.kind === 'device-answer');
    assert.ok(answer && answer.tick < before + 5000);
    assert.equal(host.linux.threads()[0]!.state, 'running');
  });

  it('a command for a device that is not there is answered', () => {
    const { host } = started('loop:\nj loop');
    host.linux.post({ kind: 'device', id: 4, path: '/dev/none', command: 0 });
    host.run(1_000_000);
    assert.ok(host.events.some((event) => event.kind === 'device-answer' && event.id === 4 && event.result === -19));
  });

  it('a blocked call is told that its process was killed, and finishes first', () => {
    const { host, log } = started(ioctl(2, 0));
    host.run();
    host.linux.post({ kind: 'signal', signal: 'SIGKILL' });
    assert.deepEqual(host.run(), { reason: 'halted' });
    assert.equal(host.linux.exitStatus, 137);
    assert.deepEqual(log.steps.slice(2), ['ioctl 2 wait', 'ioctl 2 return', 'exited 1', 'release']);
  });

  it('a machine cut in the middle of a blocked call goes on elsewhere', () => {
    const { host } = started(ioctl(2, 0));
    host.run();
    const saved = structuredClone(host.machine.save());
    const { host: other } = started(ioctl(2, 0));
    other.machine.load(saved);
    assert.equal(other.machine.hash(), host.machine.hash());
    for (const each of [host, other]) {
      each.linux.post({ kind: 'device', id: 1, path: '/dev/test', command: 'go' });
      assert.deepEqual(each.run(), { reason: 'halted' });
      assert.equal(each.linux.exitStatus, 22);
    }
    assert.equal(other.machine.hash(), host.machine.hash());
  });
});

describe('Pages a driver gives away', () => {
  it('the linear map is split once per 2 MiB region, and shows the same afterwards', () => {
    let calls: number[] = [];
    const device: CharacterDevice = {
      ...testDevice({ steps: [] }),
      boot(kernel, state, input) {
        const plan = state as { block: PhysicalAddress; at: number } | undefined;
        if (!plan) {
          const block = kernel.allocatePages(2)!;
          kernel.port.writeU32(kernel.linear(block), 77);
          const split = kernel.splitLinear(block, 4 * PAGE_SIZE);
          calls = [split.length, kernel.splitLinear(block, PAGE_SIZE).length];
          return { do: 'sbi', call: split[0]!, state: { block, at: 1 } };
        }
        assert.equal(input.sbi?.error, 0);
        calls.push(kernel.port.readU32(kernel.linear(plan.block)), kernel.splitLinear(pa(0x88000000), 0x200000).length);
        kernel.freePages(plan.block, 2);
        kernel.freePages(plan.block, 2);
        return { do: 'return', value: 0 };
      },
    };
    const host = newHost({ program: tinyElf(`start:\n${call(CALL.exitGroup, 0)}`), devices: [device] });
    assert.deepEqual(host.run(), { reason: 'halted' });
    assert.deepEqual(calls, [1, 0, 77, 0]);
    const bugs = host.events.filter((event) => event.kind === 'console' && event.text.includes('bad page free'));
    assert.equal(bugs.length, 1, 'freeing twice is reported');
  });

  it('a driver that fails to start stops the machine and says so', () => {
    const device = { ...testDevice({ steps: [] }), boot: (): DeviceStep => ({ do: 'return', value: -12 }) };
    const host = newHost({ program: tinyElf('start:\nj start'), devices: [device] });
    assert.deepEqual(host.run(), { reason: 'halted' });
    assert.ok(
      host.events.some((event) => event.kind === 'console' && event.text.includes('failed to start (error 12)')),
    );
  });
});
