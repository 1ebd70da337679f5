/** The trace of the samples: golden, its schema, that its numbers add up, and that neither the machine nor a replay is changed by it. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stamped } from '../../../emulator/machine/outbox';
import { tick } from '../../../emulator/units';
import { createSystem, loadSystem } from '../../../monitor/system/system';
import type { System, SystemEvent } from '../../../monitor/system/types';
import { isWanted } from '../../../monitor/trace/filter';
import type { MonitorRecord, TraceRecord } from '../../../monitor/trace/records';
import { TraceText } from '../../../monitor/trace/text';
import { Tracer } from '../../../monitor/trace/tracer';
import { needsSamples, runToEnd, sampleLaunch } from './sample';

const GOLDEN = join(process.cwd(), 'test/integration/system/golden');
const TRACED = { trace: { transitions: true, systemCalls: false } } as const;

function golden(name: string, text: string): void {
  const file = join(GOLDEN, name);
  if (process.env['GOLDEN'] === 'write') writeFileSync(file, text);
  assert.ok(existsSync(file), `${file} exists; GOLDEN=write writes it`);
  assert.equal(text, readFileSync(file, 'utf8'));
}

/** The records of a whole run. */
function recordsOf(system: System): TraceRecord[] {
  const tracer = new Tracer(system.clockHz);
  const events = runToEnd(system) as Stamped<SystemEvent>[];
  return [...events.flatMap((event) => tracer.take(event)), tracer.summary(system.tick)];
}

function textOf(records: readonly TraceRecord[]): string {
  const text = new TraceText();
  return records.map((record) => text.write(record)).join('') + text.end();
}

/** What the compiler of the samples decides: addresses and sizes of images, and which pages are written. */
const OF_THE_COMPILER = new Set(['elf_ptr', 'elf_size', 'entry_point', 'mm_arg_addr', 'paddr']);
const ofTheCompiler = (record: TraceRecord): boolean =>
  record.kind === 'monitor' &&
  (record.op === 'copy_on_write' || record.op === 'timer' || record.args['reason'] === 'TIMER');

/** A record without what depends on the compiler and on time. */
function settled(record: TraceRecord): TraceRecord {
  const zero = { tick: 0, seconds: 0 };
  if (record.kind === 'monitor') {
    const { ran, total, ...rest } = record;
    const spent = { ...(ran === undefined ? {} : { ran: 0 }), ...(total === undefined ? {} : { total: 0 }) };
    const pool = record.op === 'create' ? { size: '_' } : {};
    const block = record.op === 'memory_reclaim' && typeof record.result === 'string' ? { result: '_' } : {};
    return { ...rest, ...zero, ...spent, ...block, cost: 0, args: { ...settledArguments(record.args), ...pool } };
  }
  if (record.kind === 'ioctl') return { ...record, ...zero, args: settledArguments(record.args) };
  if (record.kind === 'ioctl-end') return { ...record, ...zero, total: 0 };
  return { ...record, ...zero };
}

const settledArguments = (args: MonitorRecord['args']): MonitorRecord['args'] =>
  Object.fromEntries(Object.entries(args).map(([name, value]) => [name, OF_THE_COMPILER.has(name) ? '_' : value]));

const stable = (records: readonly TraceRecord[]): TraceRecord[] =>
  records.filter((record) => record.kind !== 'summary' && !ofTheCompiler(record)).map(settled);

// ---- the schema ---------------------------------------------------------------------------------------------------------------

type Check = (value: unknown) => boolean;
const isNumber: Check = (value) => typeof value === 'number' && Number.isSafeInteger(value);
const isText: Check = (value) => typeof value === 'string';
const isValue: Check = (value) => isNumber(value) || isText(value);
const isArguments: Check = (value) =>
  typeof value === 'object' && value !== null && Object.values(value).every(isValue);
const WHO = {
  instance: isNumber,
  name: isText,
  eid: (value: unknown) => /^0x[0-9a-f]+$/.test(String(value)),
  monitorEid: isNumber,
};
const isWho: Check = (value) => fits(value, WHO, {});
const isPlace: Check = (value) => value === 'host' || isWho(value);
const COMMON = {
  version: (value: unknown) => value === 1,
  tick: isNumber,
  seconds: (value: unknown) => typeof value === 'number',
  tid: isNumber,
  depth: isNumber,
  kind: isText,
};
const listOf =
  (need: Record<string, Check>, may: Record<string, Check> = {}): Check =>
  (value) =>
    Array.isArray(value) && value.every((one) => fits(one, need, may));

function fits(value: unknown, need: Readonly<Record<string, Check>>, may: Readonly<Record<string, Check>>): boolean {
  const given = Object.entries(value as object);
  const known = given.every(([key, field]) => (need[key] ?? may[key])?.(field) === true);
  return known && Object.keys(need).every((key) => given.some(([name]) => name === key));
}

const SCHEMA: Readonly<Record<TraceRecord['kind'], readonly [Record<string, Check>, Record<string, Check>]>> = {
  ioctl: [{ op: isText, args: isArguments }, { about: isWho }],
  'ioctl-end': [
    { op: isText, result: isNumber, out: isArguments, total: isNumber },
    { error: isText, about: isWho },
  ],
  monitor: [
    { by: isText, op: isText, args: isArguments, from: isPlace, to: isPlace, cost: isNumber },
    {
      ...{
        transition: isText,
        about: isWho,
        result: isValue,
        ocall: isText,
        fault: isText,
        ran: isNumber,
        total: isNumber,
      },
      created: (value) => fits(value, { ...WHO, type: isText }, { template: isNumber }),
      gone: listOf({ ...WHO, why: isText }, { retval: isValue }),
    },
  ],
  hazard: [{ code: isText, args: isArguments, text: isText }, { about: isWho }],
  syscall: [
    { pid: isNumber, op: isText, args: isArguments, text: isText, total: isNumber },
    { result: isNumber, error: isText },
  ],
  summary: [
    {
      host: isNumber,
      monitor: isNumber,
      enclaves: listOf({ name: isText, instances: isNumber, ticks: isNumber }),
      calls: listOf({ op: isText, count: isNumber, cost: isNumber }),
    },
    {},
  ],
};

describe('The trace', function () {
  before(function () {
    needsSamples(this);
  });

  const CHAIN = ['server-chain', ['caller', 'server', 'server1']] as const;
  const FORK = ['shadow-fork', ['hello-world', '2']] as const;

  for (const [name, args] of [CHAIN, FORK])
    it(`of ${name} is what it should be, as text and as JSON lines`, () => {
      const records = stable(recordsOf(createSystem(sampleLaunch(name, args, TRACED))));
      golden(`trace-${name}.txt`, textOf(records));
      golden(`trace-${name}.jsonl`, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    });

  it('keeps to the schema that docs/tracing.md describes, whatever is traced', () => {
    const all = { trace: { transitions: true, systemCalls: true } };
    const docs = readFileSync(join(process.cwd(), 'docs/tracing.md'), 'utf8');
    const kinds = new Set<string>();
    for (const [name, args] of [CHAIN, FORK, ['stop-resume', ['loop']] as const])
      for (const record of recordsOf(createSystem(sampleLaunch(name, args, all)))) {
        const read = JSON.parse(JSON.stringify(record)) as TraceRecord;
        const [need, may] = SCHEMA[read.kind];
        assert.ok(fits(read, { ...COMMON, ...need }, may), JSON.stringify(read));
        kinds.add(read.kind);
      }
    assert.deepEqual([...kinds].sort(), ['hazard', 'ioctl', 'ioctl-end', 'monitor', 'summary', 'syscall']);
    for (const [kind, [need, may]] of Object.entries(SCHEMA))
      for (const word of [kind, ...Object.keys(need), ...Object.keys(may), ...Object.keys(COMMON), ...Object.keys(WHO)])
        assert.ok(docs.includes(`\`${word}\``), `docs/tracing.md has ${word}`);
  });

  it('adds up: between RUN and exit the monitor’s costs, what enclaves ran and what the host did are the time that passed', () => {
    const records = recordsOf(createSystem(sampleLaunch(...CHAIN, TRACED)));
    const visits = records.filter((record) => record.kind === 'monitor');
    const first = visits.findIndex(({ transition }) => transition === 'run');
    const last = visits.findIndex(({ transition }) => transition === 'exit');
    const inside = visits.slice(first, last + 1);
    // Where an enclave leaves, the host has the hart until it resumes it.
    let host = 0;
    for (const [i, visit] of inside.entries()) {
      const next = inside[i + 1];
      const end = visit.tick + visit.cost;
      if (next && visit.to === 'host') host += next.tick - end;
      else if (next) assert.equal(next.tick - end, next.ran, 'an enclave runs until its next visit');
    }
    const spent = inside.reduce((sum, { cost, ran }) => sum + cost + (ran ?? 0), 0);
    assert.equal(inside.at(-1)!.total, spent + host);
    const returns = inside.filter(({ op }) => op === 'SERVER_RETURN');
    const calls = inside.filter(({ op }) => op === 'call_enclave');
    assert.equal(returns.length, 2);
    assert.equal(returns[0]!.total, returns[0]!.tick + returns[0]!.cost - calls[1]!.tick, 'the inner call');
    assert.equal(returns[1]!.total, returns[1]!.tick + returns[1]!.cost - calls[0]!.tick, 'the outer call');
    assert.deepEqual([calls[0]!.depth, calls[1]!.depth, returns[0]!.depth, returns[1]!.depth], [2, 3, 4, 3]);
  });

  it('agrees with the log of system calls on how long an ioctl takes', () => {
    const trace = { transitions: true, systemCalls: ['ioctl'] };
    const records = recordsOf(createSystem(sampleLaunch(...FORK, { trace })));
    const calls = records.filter(
      (record) => record.kind === 'syscall' && 'request' in record.args && /0x[48]\w+a4/.test(record.args['request']!),
    );
    const ioctls = records.filter((record) => record.kind === 'ioctl-end');
    assert.equal(calls.length, ioctls.length);
    for (const [i, ioctl] of ioctls.entries()) {
      const call = calls[i]! as TraceRecord & { kind: 'syscall' };
      assert.equal(call.tid, ioctl.tid);
      assert.ok(call.tick <= ioctl.tick - ioctl.total && ioctl.tick <= call.tick + call.total, call.text);
      assert.ok(call.total - ioctl.total < 200, 'only entering and leaving the kernel is beside it');
    }
  });

  it('takes no ticks and sees every tick once', () => {
    const plain = createSystem(sampleLaunch(...CHAIN));
    runToEnd(plain);
    const traced = createSystem(sampleLaunch(...CHAIN, TRACED));
    const records = recordsOf(traced);
    assert.equal(traced.tick, plain.tick);
    const summary = records.at(-1)! as TraceRecord & { kind: 'summary' };
    const visits = records.filter((record) => record.kind === 'monitor');
    assert.equal(
      summary.monitor,
      visits.reduce((sum, { cost }) => sum + cost, 0),
    );
    // Visits never overlap.
    for (const [i, visit] of visits.entries())
      assert.ok(i === 0 || visits[i - 1]!.tick + visits[i - 1]!.cost <= visit.tick);
    assert.ok(summary.host > 0);
  });

  it('is the same when the run is cut anywhere, taken back and saved', () => {
    const launch = sampleLaunch(...FORK, TRACED);
    const whole = recordsOf(createSystem(launch));
    const end = whole.at(-1)!.tick;
    const events: Stamped<SystemEvent>[] = [];
    let system = createSystem(launch);
    for (let cut = 1; cut < 12; cut++) {
      const at = Math.floor((end * cut) / 12) + cut;
      const before = system.snapshot();
      system.run(tick(at));
      events.push(...system.drain());
      // Back, and there again: nothing is told twice.
      system.restore(before);
      system.run(tick(at));
      assert.deepEqual(system.drain(), []);
      if (cut % 4 === 0) system = loadSystem(launch, structuredClone(system.save()));
    }
    events.push(...(runToEnd(system) as Stamped<SystemEvent>[]));
    const tracer = new Tracer(system.clockHz);
    const records = [...events.flatMap((event) => tracer.take(event)), tracer.summary(system.tick)];
    assert.equal(textOf(records), textOf(whole));
  });

  it('is filtered by what happens and by who takes part', () => {
    const records = recordsOf(createSystem(sampleLaunch(...FORK, TRACED)));
    const shown = (filter: Parameters<typeof isWanted>[1]) =>
      records.filter((record) => record.kind !== 'summary' && isWanted(record, filter));
    assert.ok(shown({ only: ['ocalls'] }).every((record) => record.kind === 'monitor' && record.op === 'SYS_WRITE'));
    assert.equal(shown({ only: ['ocalls'] }).length, 2);
    assert.ok(
      shown({ only: ['transitions'] }).every(
        (record) => record.kind === 'monitor' && (record.transition ?? record.gone),
      ),
    );
    assert.deepEqual(shown({ only: ['hazards', 'syscalls'] }), []);
    const second = shown({ instance: 3 });
    assert.ok(second.length > 3 && second.length < records.length / 2);
    assert.ok(second.every((record) => JSON.stringify(record).includes('"instance":3')));
    assert.deepEqual(shown({ name: 'test-enclave2' }), second);
  });
});
