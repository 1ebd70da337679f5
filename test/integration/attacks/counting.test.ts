import assert from 'node:assert/strict';
import { CreateParam, EnclaveCall, Ocall, ResumeReason, Sbi, SetPte, UserParam } from '../../../monitor/abi';
import { tick } from '../../../emulator/units';
import { createSystemWithoutChecks } from '../../../monitor/system/system';
import { END, tinyHost } from '../system/tiny-host';
import { createTarget, PortKernel } from './kernel';
import { Code, Layout, PAGE, World, leaf } from './world';

const CALL_ARG = 48;
const NAME = 'name:\n.dword 0x726576726573';
const call = `la a0, name\nli a6, 0x100101\nli a7, ${EnclaveCall.ACQUIRE_ENCLAVE}\necall
  li a1, 0x2000\nli a7, ${EnclaveCall.CALL_ENCLAVE}\necall\nli t0, 0x2000\nld a0, 8(t0)\n${Code.exitA0}\n${NAME}`;
const RETURN = `li t0, 0x2100\nli t1, 5\nsd t1, 8(t0)\n${Code.call(EnclaveCall.ENCLAVE_RETURN, 0x2100)}`;

function newWorld(): World {
  return new World(new PortKernel(createTarget({}), () => undefined)).boot();
}

/** How often the bytes of ranges were read while `work` was done: each number of times that occurs. */
function readsOf(w: World, ranges: readonly (readonly [number, number])[], work: () => void): number[] {
  const { port } = w.k.target;
  port.count(ranges);
  work();
  const times = [...new Set(port.counts.values())].sort();
  port.count([]);
  return times;
}

/** Where 0x2000 of an enclave lies. */
const data = ({ base }: { base: number }): number => base + 4 * PAGE;

describe('the monitor reads each byte of an argument once', () => {
  for (const type of ['NORMAL', 'SERVER', 'SHADOW'] as const)
    it(`the parameters of CREATE, for ${type}`, () => {
      const w = newWorld();
      let made = 0;
      // The block is written right before the call: it is the next page that is taken.
      const page = w.take(0);
      const pool = w.pool(Code.loop, type !== 'SHADOW');
      const times = readsOf(w, [[page, CreateParam.SIZE]], () => {
        const { result, page: used } = w.create('', { type, pool });
        assert.equal(used, page);
        made = result;
      });
      assert.equal(made, 0);
      assert.deepEqual(times, [1]);
    });

  it('the parameters of RUN and of RUN_SHADOW', () => {
    const w = newWorld();
    const normal = w.create(Code.exit(1));
    const template = w.create(Code.exit(1), { type: 'SHADOW' });
    w.k.timer(20_000_000);
    assert.deepEqual(
      readsOf(w, [[normal.page + 256, 16]], () => assert.equal(w.run(normal), 0)),
      [1],
    );
    const page = w.take(0);
    const fork = () => assert.equal(w.fork(template.eid).result, 0);
    assert.deepEqual(readsOf(w, [[page, 136]], fork), [1]);
  });

  it('lists of entries, lists of ranges and what is copied, also when they take many steps', () => {
    const w = newWorld();
    const list = w.take(3);
    const pairs = Array.from({ length: 700 }, (_, i) => [Layout.leaf + 8 * i, leaf(list)]);
    w.words(list, pairs.flat());
    const setPte =
      (reason: number, ...args: number[]) =>
      () =>
        assert.equal(w.k.call(Sbi.SET_PTE, reason, ...args), 0);
    assert.deepEqual(readsOf(w, [[list, 16 * 700]], setPte(SetPte.BATCH_SET, list, 700)), [1]);
    w.words(list, [Layout.leaf, 8 * 100, Layout.leaf + 8 * 300, 8]);
    assert.deepEqual(readsOf(w, [[list, 32]], setPte(SetPte.BATCH_ZERO, list, 2)), [1]);
    w.words(
      list,
      pairs.map(([, value]) => value!),
    );
    assert.deepEqual(readsOf(w, [[list, 8 * 700]], setPte(SetPte.COPY, Layout.leaf, list, 8 * 700)), [1]);
  });

  it('the arguments of a call between enclaves, the caller’s at the call only, and the name', () => {
    const w = newWorld();
    const server = w.create(RETURN, { type: 'SERVER', name: 'server' });
    const caller = w.create(call, { name: 'caller' });
    const name = w.k.target.machine.machinePort.read((caller.base + 3 * PAGE) as never, PAGE);
    const at = Buffer.from(name).indexOf('server\0');
    assert.ok(at > 0);
    w.k.timer(20_000_000);
    const ranges = [
      [data(caller), CALL_ARG],
      [data(server) + 256, CALL_ARG],
      [caller.base + 3 * PAGE + at, 7],
    ] as const;
    const run = () => assert.equal(w.run(caller), 0);
    assert.deepEqual(readsOf(w, ranges, run), [1]);
    assert.equal(w.retval(caller), 5);
  });

  it('the name and the argument of asyn_enclave_call, and the name for get_report', () => {
    const w = newWorld();
    w.create(RETURN, { type: 'SERVER', name: 'server' });
    const source = `li t0, 0x2000\nli t1, 0x3800000000\nsd t1, 16(t0)\nli t1, ${PAGE}\nsd t1, 24(t0)
      li t1, 0x626f62\nsd t1, 256(t0)\nli t1, 0x726576726573\nsd t1, 512(t0)
      ${Code.call(EnclaveCall.GET_REPORT, 0x2200, 0x2400, 1)}
      ${Code.call(EnclaveCall.ASYN_ENCLAVE_CALL, 0x2100, 0x2000)}\n${Code.exitA0}`;
    const made = w.create(source);
    const relay = w.take();
    w.k.timer(40_000_000);
    const base = data(made);
    const ranges = [
      [base, CALL_ARG],
      [base + 256, 4],
      [base + 512, 7],
    ] as const;
    assert.deepEqual(
      readsOf(w, ranges, () => assert.equal(w.run(made, relay, PAGE), 0)),
      [1],
    );
    assert.equal(w.retval(made), 0);
  });

  it('where results go, nothing is read', () => {
    const w = newWorld();
    const source = `${Code.call(EnclaveCall.GET_KEY, 0, 0x2000, 64)}\n${Code.ocall(Ocall.GETRANDOM, 0x2100, 64)}
      ${Code.call(EnclaveCall.GET_REPORT, 0, 0x2200, 1)}\n${Code.exitA0}`;
    const made = w.create(source);
    const report = w.take();
    const attest = () => assert.equal(w.k.call(Sbi.ATTEST_ENCLAVE, made.eid, report, 1), 0);
    assert.deepEqual(readsOf(w, [[report, 328]], attest), [0]);
    w.k.timer(80_000_000);
    const [key, random] = [data(made), data(made) + 256];
    // The report about itself measures the page, once.
    const ranges = [
      [key, 64],
      [random, 64],
      [made.page + 1024, 40],
    ] as const;
    const times = readsOf(w, ranges, () => assert.equal(w.run(made), 0));
    assert.deepEqual(times, [0, 1]);
  });

  it('what the host answers to an ocall is in registers; where it was told of it, nothing is read', () => {
    const w = newWorld();
    const made = w.create(`${Code.ocall(Ocall.MMAP, 0, PAGE)}\n${Code.exitA0}`);
    w.runFor(made, 20_000_000);
    const block = w.take(2);
    const answer = () => assert.equal(w.resume(made.eid, ResumeReason.OCALL, Ocall.MMAP, block, 2 * PAGE), 0);
    assert.deepEqual(
      readsOf(
        w,
        [
          [made.page + 1024, 40],
          [block, 2 * PAGE],
        ],
        answer,
      ),
      [0],
    );
  });
});

describe('the driver reads each byte of an ioctl’s argument once', () => {
  it('the 112 bytes of CREATE and RUN', () => {
    const launch = tinyHost(Code.exit(0), { main: `run\n${END}` });
    const system = createSystemWithoutChecks(launch, {});
    const { user } = system.machine.supervisorPort(system.machine.harts[0]!);
    const reads: (readonly [number, number])[] = [];
    const original = user.read.bind(user);
    user.read = (address, length) => {
      const bytes = original(address, length);
      // Not when the page had to be brought in first: nothing was read then.
      reads.push([address, length]);
      return bytes;
    };
    for (const name of ['readU8', 'readU16', 'readU32', 'readI32', 'readI64', 'readU64'] as const) {
      const width = Number(/\d+/.exec(name)![0]) / 8;
      const read = user[name].bind(user) as (address: never) => never;
      user[name] = ((address: number) => {
        const value = read(address as never);
        reads.push([address, width]);
        return value;
      }) as never;
    }
    while (system.run(tick(system.tick + 10_000_000)).reason !== 'halted') assert.ok(system.tick < 2_000_000_000);
    const [argument] = reads.find(([, length]) => length === UserParam.SIZE)!;
    const overlapping = reads.filter(([at, length]) => at < argument + UserParam.SIZE && argument < at + length);
    assert.deepEqual(
      overlapping.map(([, length]) => length),
      [UserParam.SIZE, UserParam.SIZE],
      'once for CREATE, once for RUN',
    );
  });
});
