import assert from 'node:assert/strict';
import { Ocall, Result, ResumeReason, Sbi, SbiExtension } from '../../../monitor/abi';
import { isRefused, ruleFor, type Operation } from '../../../monitor/operations';
import type { EnclaveState, EnclaveType } from '../../../monitor/types';
import { Bench, Code } from './bench';

/** What the host can do to an enclave, by the row of the table it is. */
const HOST: Partial<Record<Operation, (b: Bench, made: { eid: number; page: number }, type: EnclaveType) => number>> = {
  run: (b, made) => {
    b.timerIn(20_000);
    return b.run(made);
  },
  resumeTimer: (b, { eid }) => {
    b.timerIn(20_000);
    return b.resumeTimer(eid);
  },
  resumeStop: (b, { eid }) => b.call(Sbi.RESUME_ENCLAVE, eid, ResumeReason.STOP),
  resumeOcall: (b, { eid }) => {
    b.timerIn(20_000);
    return b.call(Sbi.RESUME_ENCLAVE, eid, ResumeReason.OCALL, Ocall.SYS_WRITE);
  },
  stop: (b, { eid }) => b.call(Sbi.STOP_ENCLAVE, eid),
  destroy: (b, { eid }, type) => b.call(type === 'SERVER' ? Sbi.DESTROY_SERVER_ENCLAVE : Sbi.DESTROY_ENCLAVE, eid),
  attest: (b, { eid, page }) => b.call(Sbi.ATTEST_ENCLAVE, eid, page + 2048, 7),
};

/** Prints, then loops: reaches OCALLING and then runs for good. */
const PROGRAM = `${Code.ocall(Ocall.SYS_WRITE)}\n${Code.loop}`;

/** Puts a normal enclave into a state. On one hart the host never sees RUNNING; ATTESTING lasts for less than a call. */
const REACH: Partial<Record<EnclaveState, (b: Bench) => { eid: number; page: number }>> = {
  FRESH: (b) => b.create(PROGRAM),
  OCALLING: (b) => {
    const made = b.create(PROGRAM);
    assert.equal(b.run(made), 2);
    return made;
  },
  RUNNABLE: (b) => {
    const made = b.create(Code.loop);
    b.timerIn(20_000);
    assert.equal(b.run(made), 1);
    return made;
  },
  STOPPED: (b) => {
    const made = REACH.RUNNABLE!(b);
    assert.equal(b.call(Sbi.STOP_ENCLAVE, made.eid), 0);
    return made;
  },
};

/** Allowed operations that enter the enclave come back with this result, and leave it RUNNABLE after a timer interrupt. */
const ENTERS: Partial<Record<Operation, number>> = { run: 2, resumeTimer: 1, resumeOcall: 1 };

describe('the table of operations', () => {
  for (const [state, reach] of Object.entries(REACH) as [EnclaveState, (b: Bench) => { eid: number; page: number }][])
    for (const [operation, act] of Object.entries(HOST) as [Operation, NonNullable<(typeof HOST)['run']>][]) {
      const rule = ruleFor(operation, 'NORMAL', state);
      const text = isRefused(rule) ? `returns ${rule.value} and changes nothing` : `leads to ${rule.next}`;
      it(`${operation} of a ${state} enclave ${text}`, () => {
        const b = new Bench().start();
        const made = reach(b);
        const result = act(b, made, 'NORMAL');
        if (isRefused(rule)) {
          assert.equal(result, rule.value);
          assert.equal(b.enclave(made.eid).state, state);
        } else if (rule.next === 'GONE') {
          assert.equal(result, 0);
          assert.equal(b.monitor.enclaves().length, 0);
        } else {
          assert.equal(result, ENTERS[operation] ?? 0);
          const left = operation === 'run' ? 'OCALLING' : operation in ENTERS ? 'RUNNABLE' : rule.next;
          assert.equal(b.enclave(made.eid).state, left);
        }
      });
    }

  for (const [operation, act] of Object.entries(HOST) as [Operation, NonNullable<(typeof HOST)['run']>][]) {
    // An idle server is resumed only as part of a chain, which the host addresses by its head.
    const rule = ruleFor(operation, 'SERVER', 'RUNNABLE');
    const refused = isRefused(rule) || operation === 'resumeTimer';
    it(`${operation} of an idle server ${refused ? 'is refused' : 'is allowed'}`, () => {
      const b = new Bench().start();
      const made = b.create(Code.loop, { type: 'SERVER', name: 'server' });
      assert.equal(act(b, made, 'SERVER'), refused ? -1 : 0);
      assert.equal(b.monitor.enclaves().length, refused ? 1 : 0);
    });
  }

  it('an enclave that exits is gone, its value with the host; its number is free again', () => {
    const b = new Bench().start();
    const made = b.create(Code.exit(-5));
    assert.equal(b.run(made), 0);
    assert.equal(b.retval(made), 2n ** 64n - 5n);
    assert.equal(b.monitor.enclaves().length, 0);
    assert.equal(b.resumeTimer(made.eid), 0, 'resume of a free slot');
    assert.equal(b.create(Code.exit(0)).eid, made.eid);
  });

  it('instance numbers are never used again', () => {
    const b = new Bench().start();
    for (const instance of [1, 2, 3]) {
      const made = b.create(Code.exit(0));
      assert.equal(made.eid, 0);
      assert.equal(b.enclave(0).instance, instance);
      b.run(made);
    }
  });

  it('another process may not stop or destroy an enclave', () => {
    const b = new Bench().start();
    const made = b.create(Code.loop);
    const other = 0x12345;
    assert.equal(b.call(Sbi.STOP_ENCLAVE, made.eid, other), -1);
    assert.equal(b.call(Sbi.DESTROY_ENCLAVE, made.eid, other), -1);
    assert.equal(b.enclave(made.eid).state, 'FRESH');
    assert.equal(b.call(Sbi.DESTROY_ENCLAVE, made.eid), 0);
  });

  it('numbers of templates and of enclaves do not meet', () => {
    const b = new Bench().start();
    const shadow = b.create(Code.loop, { type: 'SHADOW' });
    const made = b.create(Code.loop);
    assert.equal(shadow.eid, made.eid);
    b.timerIn(20_000);
    b.run(made);
    assert.equal(b.call(Sbi.DESTROY_SHADOW_ENCLAVE, shadow.eid), 0);
    assert.equal(b.enclave(made.eid).state, 'RUNNABLE');
  });

  it('a template stays while an instance uses its pages', () => {
    const b = new Bench().start();
    const shadow = b.create(Code.loop, { type: 'SHADOW' });
    b.timerIn(200_000);
    const instance = b.fork(shadow.eid);
    assert.equal(instance.result, 1);
    assert.equal(b.call(Sbi.DESTROY_SHADOW_ENCLAVE, shadow.eid), -1);
    assert.equal(b.call(Sbi.DESTROY_ENCLAVE, instance.eid), 0);
    assert.equal(b.call(Sbi.DESTROY_SHADOW_ENCLAVE, shadow.eid), 0);
  });

  it('an instance has its own copy of what is writable; a pool too small for it is not taken', () => {
    const b = new Bench().start();
    const program = `li t0, 0x2000\nlw a0, 0(t0)\naddi a0, a0, 1\nsw a0, 0(t0)\n${Code.exitA0}`;
    const shadow = b.create(program, { type: 'SHADOW' });
    const small = b.fork(shadow.eid, { size: 3 * 4096 });
    assert.equal(small.result, -1);
    assert.equal(b.monitor.enclaves().length, 0);
    b.port.writeI64((small.base + 4096) as never, 1);
    for (const name of ['first', 'second']) {
      const instance = b.fork(shadow.eid, { name });
      assert.equal(instance.result, 0);
      assert.equal(b.retval(instance), 1n, name);
    }
    assert.equal(b.call(Sbi.DESTROY_SHADOW_ENCLAVE, shadow.eid), 0);
  });

  it('set_timer counts in units of the time CSR; -1 is never', () => {
    const b = new Bench().start();
    b.sbi(SbiExtension.TIME, 0, 1_234_567);
    assert.equal(b.machine.timer(b.hart), 12_345_670);
    b.sbi(SbiExtension.TIME, 0, -1);
    assert.equal(b.machine.timer(b.hart), Infinity);
  });

  it('an enclave that is entered after the deadline of the host comes off the hart before its first instruction', () => {
    const b = new Bench().start();
    const made = b.create(`li t0, 0x2000\nagain:\nlw t1, 0(t0)\naddi t1, t1, 1\nsw t1, 0(t0)\nj again`);
    b.timerIn(20_000);
    assert.equal(b.run(made), Result.TIMER_IRQ);
    const count = () => b.peek(made.base + 4 * 4096);
    const before = count();
    assert.ok(before > 0);
    assert.equal(b.resumeTimer(made.eid), Result.TIMER_IRQ);
    assert.equal(count(), before);
    b.timerIn(20_000);
    assert.equal(b.resumeTimer(made.eid), Result.TIMER_IRQ);
    assert.ok(count() > before);
  });

  it('functions that the published monitor declares but lacks return NO_MEM', () => {
    const b = new Bench().start();
    for (const fid of [93, 91, 88, 82, 1, -1]) assert.equal(b.call(fid), -2);
  });

  it('unknown numbers are refused everywhere', () => {
    const b = new Bench().start();
    for (const eid of [-1, 5, 2 ** 40, 1.5 * 2]) {
      for (const fid of [
        Sbi.RUN_ENCLAVE,
        Sbi.STOP_ENCLAVE,
        Sbi.DESTROY_ENCLAVE,
        Sbi.ATTEST_ENCLAVE,
        Sbi.RUN_SHADOW_ENCLAVE,
      ])
        assert.equal(b.call(fid, eid, Number.MAX_SAFE_INTEGER), -1, `${fid} ${eid}`);
      assert.equal(b.call(Sbi.RESUME_ENCLAVE, eid, ResumeReason.OCALL), -1);
    }
  });
});
