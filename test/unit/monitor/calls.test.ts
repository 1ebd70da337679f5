import assert from 'node:assert/strict';
import { Ocall, ResumeReason, Sbi } from '../../../monitor/abi';
import { Bench, Code } from './bench';

const PAGE = 4096;
const RELAY = 0x38_0000_0000;

/** The name "server" as a string of the program. */
const NAME = 'name:\n.dword 0x726576726573';
/** Acquires the server and calls it with the argument at 0x2000; what call_enclave returned is in a0. */
const CALL = 'la a0, name\nli a6, 0x100101\nli a7, 97\necall\nli a1, 0x2000\nli a7, 96\necall';
const store = (offset: number, value: number): string => `li t0, 0x2000\nli t1, ${value}\nsd t1, ${offset}(t0)`;
const CALLER = `${CALL}\n${Code.exitA0}\n${NAME}`;
/** Returns to its caller with 7 as the value. */
const SERVER = `${store(8, 7)}\n${Code.call(95, 0x2000)}`;

function pair(server: string, caller = CALLER, slice = 400_000) {
  const b = new Bench().start();
  const s = b.create(server, { type: 'SERVER', name: 'server' });
  const c = b.create(caller, { name: 'caller' });
  b.timerIn(slice);
  return { b, s, c, first: b.run(c) };
}

const chained = (b: Bench) => b.monitor.enclaves().map(({ state, caller, callee }) => ({ state, caller, callee }));
const IDLE = { state: 'RUNNABLE', caller: -1, callee: -1 };

describe('calls between enclaves', () => {
  it('a server starts at its entry with fresh registers, and its value arrives in the caller’s argument', () => {
    const caller = `${store(0, 41)}\n${CALL}\nli t0, 0x2000\nld a0, 8(t0)\n${Code.exitA0}\n${NAME}`;
    const { b, c, first } = pair(`li t0, 0x2000\naddi a0, a0, 1\nsd a0, 8(t0)\n${Code.call(95, 0x2000)}`, caller);
    assert.equal(first, 0);
    assert.equal(b.retval(c), 42n);
    assert.deepEqual(chained(b), [IDLE]);
    const names = b.events.flatMap((event) =>
      event.kind === 'transition' ? [[event.name, event.from, event.to]] : [],
    );
    assert.deepEqual(names, [
      ['run', undefined, 2],
      ['call_enclave', 2, 1],
      ['SERVER_RETURN', 1, 2],
      ['exit', 2, undefined],
    ]);
  });

  it('an unknown name, a bad handle and a bad argument pointer are errors, and the server stays idle', () => {
    const cases = [
      ['unknown name', `la a0, name\nli a6, 0x100101\nli a7, 97\necall\n${Code.exitA0}\nname:\n.dword 0x6e6f6e`],
      ['name pointer', `${Code.call(97, 0x999000)}\n${Code.exitA0}`],
      ['handle -1', `${Code.call(96, -1, 0x2000)}\n${Code.exitA0}`],
      ['handle 77', `${Code.call(96, 77, 0x2000)}\n${Code.exitA0}`],
      ['itself', `${Code.call(96, 1, 0x2000)}\n${Code.exitA0}`],
      ['null argument', `${Code.call(96, 0, 0)}\n${Code.exitA0}`],
      ['argument in text', `${Code.call(96, 0, 0x1000)}\n${Code.exitA0}`],
      ['argument across the end of memory', `${Code.call(96, 0, 0x2ff0)}\n${Code.exitA0}`],
      ['unaligned request', `${store(16, 0x2001)}\n${store(24, PAGE)}\n${Code.call(96, 0, 0x2000)}\n${Code.exitA0}`],
      [
        'request on the stack',
        `${store(16, 0x37fffff000)}\n${store(24, PAGE)}\n${Code.call(96, 0, 0x2000)}\n${Code.exitA0}`,
      ],
      ['huge request', `${store(16, 0x2000)}\n${store(24, -4096)}\n${Code.call(96, 0, 0x2000)}\n${Code.exitA0}`],
    ] as const;
    for (const [what, program] of cases) {
      const { b, c, first } = pair(SERVER, program);
      assert.equal(first, 0, what);
      assert.equal(b.retval(c), 2n ** 64n - 1n, what);
      assert.deepEqual(chained(b), [IDLE], what);
    }
  });

  it('a server that works for one enclave is busy for another', () => {
    const { b, c, first } = pair(Code.loop);
    assert.equal(first, 1);
    const other = b.create(CALLER, { name: 'other' });
    b.timerIn(400_000);
    assert.equal(b.run(other), 0);
    assert.equal(b.retval(other), 2n ** 64n - 2n);
    assert.equal(b.resumeTimer(c.eid), 1);
  });

  it('stopping the caller stops the server that works for it; resuming resumes both', () => {
    const { b, s, c } = pair(Code.loop);
    const registers = () => b.enclave(s.eid).registers!.words.slice();
    const before = registers();
    assert.equal(b.call(Sbi.STOP_ENCLAVE, c.eid), 0);
    assert.deepEqual(chained(b), [
      { state: 'STOPPED', caller: c.eid, callee: -1 },
      { state: 'STOPPED', caller: -1, callee: s.eid },
    ]);
    assert.equal(b.resumeTimer(c.eid), 1, 'TIMER_IRQ, without running');
    assert.deepEqual(registers(), before);
    assert.equal(b.call(Sbi.STOP_ENCLAVE, s.eid), -1, 'a server by itself');
    assert.equal(b.call(Sbi.RESUME_ENCLAVE, c.eid, ResumeReason.STOP), 0);
    assert.equal(b.enclave(s.eid).state, 'RUNNABLE');
    b.timerIn(10_000);
    assert.equal(b.resumeTimer(c.eid), 1);
  });

  it('destroying the caller makes its server idle, and the next enclave can call it', () => {
    const { b, s, c } = pair(
      `lui t0, 2\nlw t1, 256(t0)\nsw t0, 256(t0)\nbnez t1, back\n${Code.loop}\nback:\n${SERVER}`,
    );
    assert.equal(b.call(Sbi.DESTROY_SERVER_ENCLAVE, s.eid), -1, 'a server at work');
    assert.equal(b.call(Sbi.DESTROY_ENCLAVE, c.eid), 0);
    assert.deepEqual(chained(b), [IDLE]);
    assert.equal(b.resumeTimer(c.eid), 0);
    const next = b.create(CALLER, { name: 'next' });
    b.timerIn(400_000);
    assert.equal(b.run(next), 0);
    assert.equal(b.retval(next), 0n);
    assert.equal(b.call(Sbi.DESTROY_SERVER_ENCLAVE, s.eid), 0);
  });

  it('a fault in a server ends the caller with an error; the server is idle again', () => {
    const { b, c, first } = pair('lw t0, 0(zero)');
    assert.equal(first, -1);
    assert.deepEqual(chained(b), [IDLE]);
    const fault = b.events.find((event) => event.kind === 'enclave-fault');
    assert.deepEqual([fault?.instance, fault?.cause, fault?.address], [1, 13, 0]);
    const goneEvent = b.events.find((event) => event.kind === 'enclave-gone');
    assert.deepEqual([goneEvent?.instance, goneEvent?.why], [2, 'fault']);
    assert.equal(b.resumeTimer(c.eid), 0);
  });

  it('in a chain of three a fault ends the first, and both servers are idle', () => {
    const b = new Bench().start();
    b.create('lw t0, 0(zero)', { type: 'SERVER', name: 'server' });
    b.create(`${CALL}\n${Code.loop}\n${NAME}`, { type: 'SERVER', name: 'middle' });
    const c = b.create(`${CALL}\n${Code.exitA0}\nname:\n.dword 0x656c6464696d`, { name: 'caller' });
    b.timerIn(900_000);
    assert.equal(b.run(c), -1);
    assert.deepEqual(chained(b), [IDLE, IDLE]);
  });

  it('the relay window moves to the server and back', () => {
    const b = new Bench().start();
    b.create(
      `li t0, ${RELAY}\nlw t1, 0(t0)\naddi t1, t1, 1\nsw t1, 0(t0)\nli t2, 0x2000\nsd a1, 16(t2)\nsd a2, 24(t2)\n${Code.call(95, 0x2000)}`,
      {
        type: 'SERVER',
        name: 'server',
      },
    );
    const program = `${store(16, RELAY)}\n${store(24, PAGE)}\n${CALL}\nli t0, ${RELAY}\nlw a0, 0(t0)\n${Code.exitA0}\n${NAME}`;
    const c = b.create(program, { name: 'caller' });
    const memory = b.take(1);
    b.writeWords(memory, [31]);
    b.timerIn(900_000);
    assert.equal(b.run(c, memory, PAGE), 0);
    assert.equal(b.retval(c), 32n);
    assert.equal(b.port.readI64(memory as never), 32);
  });

  it('SERVER_RETURN outside of a call, and EAPP_RETURN in a server, return -1', () => {
    const b = new Bench().start();
    const c = b.create(`${Code.call(95, 0x2000)}\n${Code.exitA0}`);
    b.timerIn(400_000);
    assert.equal(b.run(c), 0);
    assert.equal(b.retval(c), 2n ** 64n - 1n);
    const { b: second, c: caller } = pair(
      `${Code.exit(5)}\nli t0, 0x2000\nsd a0, 8(t0)\n${Code.call(95, 0x2000)}`,
      `${CALL}\nli t0, 0x2000\nld a0, 8(t0)\n${Code.exitA0}\n${NAME}`,
    );
    assert.equal(second.retval(caller), 2n ** 64n - 1n);
  });

  it('a server’s name is its own until it is destroyed', () => {
    const b = new Bench().start();
    const s = b.create(SERVER, { type: 'SERVER', name: 'server' });
    assert.equal(b.create(SERVER, { type: 'SERVER', name: 'server' }).result, -1);
    assert.equal(b.create(SERVER, { name: 'server' }).result, 0, 'a normal enclave may have it');
    assert.equal(b.call(Sbi.DESTROY_SERVER_ENCLAVE, s.eid), 0);
    assert.equal(b.create(SERVER, { type: 'SERVER', name: 'server' }).result, 0);
  });
});

describe('memory for enclaves', () => {
  const MMAP_TOP = 0x30_0000_0000;
  const HEAP = 0x10_0000_0000;

  /** Runs, answering memory ocalls as the driver does; the exit value. */
  function served(program: string): { value: bigint; b: Bench } {
    const b = new Bench().start();
    const made = b.create(program);
    b.timerIn(2_000_000);
    let result = b.run(made);
    for (let i = 0; result === 2 && i < 20; i++) {
      const out = (index: number) => b.port.readI64((made.page + 1024 + 8 * index) as never);
      const [ocall, arg0, arg1] = [out(0), out(1), out(2)] as [number, number, number];
      const grows = ocall === Ocall.MMAP || (ocall === Ocall.SBRK && arg0 === 0);
      const pages = grows ? 2 ** Math.ceil(Math.log2(arg1 / PAGE)) : 0;
      const block = grows ? b.take(pages) : 0;
      result = b.call(Sbi.RESUME_ENCLAVE, made.eid, ResumeReason.OCALL, ocall, block, pages * PAGE);
    }
    assert.equal(result, 0);
    return { value: b.retval(made), b };
  }

  it('sbrk returns the new top; an area has 2^n − 1 pages', () => {
    const grow = (size: number) => Code.ocall(Ocall.SBRK, size);
    assert.equal(served(`${grow(PAGE)}\n${Code.exitA0}`).value, BigInt(HEAP + PAGE));
    assert.equal(served(`${grow(PAGE)}\n${grow(-PAGE)}\n${Code.exitA0}`).value, BigInt(HEAP));
    assert.equal(served(`${grow(4 * PAGE)}\n${Code.exitA0}`).value, BigInt(HEAP + 7 * PAGE));
    assert.equal(served(`${grow(4 * PAGE)}\n${grow(PAGE)}\n${Code.exitA0}`).value, BigInt(HEAP + 8 * PAGE));
    assert.equal(served(`${grow(4 * PAGE)}\n${grow(PAGE)}\n${grow(-10 * PAGE)}\n${Code.exitA0}`).value, BigInt(HEAP));
    assert.equal(served(`${grow(0)}\n${Code.exitA0}`).value, BigInt(HEAP));
    assert.equal(served(`${grow(0x123)}\n${Code.exitA0}`).value, 2n ** 64n - 1n);
  });

  it('mmap places areas below each other, the top first, and unmap takes whole areas', () => {
    const map = (address: number, size: number) => Code.ocall(Ocall.MMAP, address, size);
    assert.equal(served(`${map(0, PAGE)}\n${Code.exitA0}`).value, BigInt(MMAP_TOP - PAGE));
    assert.equal(served(`${map(0, 2 * PAGE)}\n${Code.exitA0}`).value, BigInt(MMAP_TOP - 3 * PAGE));
    assert.equal(served(`${map(0, PAGE)}\n${map(0, PAGE)}\n${Code.exitA0}`).value, BigInt(MMAP_TOP - 2 * PAGE));
    assert.equal(served(`${map(0x20_0000_0000, PAGE)}\n${Code.exitA0}`).value, 0x20_0000_0000n);
    assert.equal(served(`${map(0x20_0000_0001, PAGE)}\n${Code.exitA0}`).value, 0n);
    assert.equal(served(`${map(0, 0)}\n${Code.exitA0}`).value, 0n);
    assert.equal(served(`${map(0, -1)}\n${Code.exitA0}`).value, 0n);
    const unmap = Code.ocall(Ocall.UNMAP, MMAP_TOP - PAGE, PAGE);
    assert.equal(served(`${map(0, PAGE)}\n${unmap}\n${map(0, PAGE)}\n${Code.exitA0}`).value, BigInt(MMAP_TOP - PAGE));
    assert.equal(served(`${unmap}\n${Code.exitA0}`).value, 2n ** 64n - 1n);
  });

  it('new areas are zero and writable, and gone ones fault', () => {
    const map = Code.ocall(Ocall.MMAP, 0, PAGE);
    assert.equal(
      served(`${map}\nld t0, 8(a0)\naddi t0, t0, 9\nsd t0, 16(a0)\nld a0, 16(a0)\n${Code.exitA0}`).value,
      9n,
    );
  });

  it('a block that is private, too small, or not given by the rules is refused, and the enclave waits on', () => {
    const b = new Bench().start();
    const made = b.create(`${Code.ocall(Ocall.MMAP, 0, 2 * PAGE)}\n${Code.exitA0}`);
    assert.equal(b.run(made), 2);
    const give = (block: number, size: number, ocall: number = Ocall.MMAP) =>
      b.call(Sbi.RESUME_ENCLAVE, made.eid, ResumeReason.OCALL, ocall, block, size);
    assert.equal(give(made.base, 4 * PAGE), -1);
    assert.equal(give(0x8000_0000, 4 * PAGE), -1);
    assert.equal(give(b.take(1), PAGE), -1);
    assert.equal(give(b.take(4) + 1, 4 * PAGE), -1);
    assert.equal(give(b.take(4), 4 * PAGE, Ocall.SBRK), -1, 'another ocall than it waits for');
    assert.equal(b.enclave(made.eid).state, 'OCALLING');
    assert.equal(give(b.take(4), 4 * PAGE), 0);
    assert.equal(b.retval(made), BigInt(MMAP_TOP - 3 * PAGE));
  });

  it('getrandom is the same in every run with the same seed, and never the same twice in a run', () => {
    const program = `${Code.ocall(Ocall.GETRANDOM, 0x2000, 8)}\nli t0, 0x2000\nld a0, 0(t0)\n${Code.exitA0}`;
    const first = served(program).value;
    assert.equal(served(program).value, first);
    const b = new Bench().start();
    const values = [1, 2].map(() => {
      const made = b.create(program);
      b.run(made);
      return b.retval(made);
    });
    assert.equal(values[0], first);
    assert.notEqual(values[1], first);
  });
});
