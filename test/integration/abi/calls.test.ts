/** Every ioctl, enclave call and ocall from C programs, with golden output. */
import assert from 'node:assert/strict';
import type { LaunchDescription } from '../../../monitor/system/types';
import { printed, runToEnd } from '../system/sample';
import { golden } from './golden';
import { holdings, systemOf } from './run';

async function run(part: string, more: Partial<LaunchDescription> = {}, flags: string[] = []) {
  const system = await systemOf(part, more, flags);
  const events = runToEnd(system, 4_000_000_000);
  const { enclaves, stdout, stderr } = printed(events);
  const logs = events.flatMap((event) => (event.kind === 'monitor-log' ? [event.text] : []));
  assert.equal(system.exitStatus, 0);
  return { system, logs, text: `--- enclaves\n${enclaves}--- stdout\n${stdout}--- stderr\n${stderr}` };
}

const PARTS: readonly (readonly [string, string])[] = [
  ['ioctls', 'arguments are copied in and back, unknown requests are EFAULT, regions and the device’s mmap'],
  ['create', 'elf_size says nothing, ids are used again, stacks, a shm that is not there'],
  ['entry', 'registers at the entry: shm, run counter, relay pages, instances'],
  ['memory', 'mmap, unmap and sbrk: placement, 2^k − 1 pages, whole areas'],
  ['calls', 'the short calls, get_key, get_report, getrandom, yield, the ioctl of a C library'],
  ['text', 'the kbuffer: 511 bytes, literally, cleared behind each message'],
  ['relay', 'relay pages: run, return, run again'],
  ['transfer', 'split_mem_region and asyn_enclave_call: regions arrive back to back, the others stay'],
  ['shared', 'secure shared memory: attached by two, kept until the last user'],
  ['servers', 'call_enclave: registers, request and response areas, data and stack kept'],
  ['chain', 'seventeen servers deep: busy, ocalls and relay pages from the last one'],
  ['sectors', 'sectors of the persistency file'],
  ['defects', 'what the published stack does wrong, by its rows: 7, 17, 24, 26, 27, 29, 39'],
];

describe('every call, from C programs', function () {
  let free: number | undefined;

  for (const [part, what] of PARTS)
    it(`${part}: ${what}`, async () => {
      const { system, text } = await run(part, part === 'create' ? { memoryMiB: 512 } : {});
      golden(part, text);
      const { free: left, ...rest } = holdings(system);
      const nothing = { enclaves: 0, shadows: 0, transferred: 0, shared: 0, records: 0, blocks: 0, shm: 0, relay: 0 };
      assert.deepEqual(rest, { ...nothing, owned: {}, mapped: 0 }, 'nothing is left behind');
      if (part !== 'create') assert.equal(left, (free ??= left), 'every part leaves the same memory free');
    });

  it('float and double in an enclave give what IEEE 754 says', async () => {
    const { text } = await run('floats');
    assert.match(text, new RegExp(`retval ${BigInt.asIntN(64, hashOfFloats())}\n`));
  });
});

/** What the enclave's part "floats" computes, with the arithmetic of this machine. */
function hashOfFloats(): bigint {
  const view = new DataView(new ArrayBuffer(8));
  let hash = 0n;
  const add = (word: bigint): void => {
    hash = BigInt.asUintN(64, (hash ^ BigInt.asUintN(64, word)) * 0x9e3779b97f4a7c15n);
  };
  const bits = (value: number): bigint => {
    view.setFloat64(0, value);
    return view.getBigUint64(0);
  };
  let [a, b] = [1.0, 0.1];
  for (let i = 1; i <= 400; i++) {
    a = a * 1.0625 + b / i;
    b = b - a / 3.0;
    if (b < -1e10) b = -b / 1e12;
    const [f, g] = [Math.fround(a), Math.fround(i)];
    const wide = Math.fround(Math.fround(f / g) - Math.fround(0.5 * g));
    for (const value of [a, b, wide]) add(bits(value));
    add(BigInt(Math.trunc(b)) + BigInt(Math.trunc(a)));
  }
  return hash;
}

describe('limits: "device"', function () {
  const device = { limits: 'device' } as const;

  it('a stack of more than 64 MiB is refused, and the message names limit and remedy', async () => {
    const { text, logs } = await run('create', device);
    assert.match(text, /80 MiB of stack: -1\n/);
    const said = logs.find((line) => line.includes('out of bound'));
    assert.match(
      said!,
      /the stack has 80 MiB, the limit is 64 MiB; make it smaller, or launch with "limits": "memory"/,
    );
  });

  it('an enclave owns ten relay regions at most, and the message says so; memory is no such limit', async () => {
    const { text, logs } = await run('regions', device);
    assert.match(text, /regions: 10\n/);
    assert.ok(logs.some((line) => line.includes('a device keeps 10 regions; launch with "limits": "memory"')));
    assert.match((await run('regions')).text, /regions: 12\n/);
  });

  it('relay memory ends at 4056 pages, 2048 in one piece, and the message says so', async () => {
    const { text, logs } = await run('pool', device);
    assert.match(text, /4096 pages in one piece: 0\n/);
    assert.match(text, /blocks of 512 pages: 7\n/);
    assert.ok(logs.some((line) => line.includes('4096 pages in one piece; a device gives 2048')));
    assert.ok(logs.some((line) => line.includes('its pool has 4056, of which 3584 are taken')));
    const more = await run('pool', { memoryMiB: 512 });
    assert.match(more.text, /4096 pages in one piece: 1/);
    assert.ok(Number(/blocks of 512 pages: (\d+)/.exec(more.text)![1]) > 60);
  });

  it('an instance has 2 MiB: one with more writable data cannot be forked, and the message says so', async () => {
    const data = ['-DDATA=4194304'];
    const { text, logs } = await run('entry', device, data);
    assert.match(text, /run: -1\n/);
    assert.ok(
      logs.some((line) => line.includes('limits')),
      logs.join('\n'),
    );
    assert.doesNotMatch((await run('entry', {}, data)).text, /run: -1\n/);
  });

  it('getrandom gives the published sequence, from the boot on', async () => {
    const { text } = await run('random', device);
    assert.match(text, /0001b208000f424f/);
    assert.doesNotMatch((await run('random')).text, /0001b208000f424f/);
  });
});
