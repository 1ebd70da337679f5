import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HAZARDS, explainHazard, type HazardCode, type HazardEvent } from '../../../monitor/hazards';
import { tick } from '../../../emulator/units';
import { createSystem, loadSystem } from '../../../monitor/system/system';
import type { LaunchDescription, SystemEvent } from '../../../monitor/system/types';
import { build } from '../adapter/builds';
import { runToEnd } from '../system/sample';
import { compareWithGolden } from '../../tools/golden';

const SOURCES = join(process.cwd(), 'test/integration/misuse/programs');
const MILLION = 1_000_000;

/** What a program does, and the hazards it raises: the rows of negative cases and of faults that were observed on the real stack. */
const ROWS: Readonly<Record<string, readonly HazardCode[]>> = {
  'run-server': ['run-server'],
  'attest-server': ['attest-server'],
  'stop-server': ['stop-server'],
  'resume-server': ['resume-server'],
  'destroy-server-twice': ['gone-handle'],
  'server-name-taken': ['server-name-taken'],
  'destroy-working-server': ['destroy-working-server'],
  'stop-in-server': ['stop-in-server'],
  'destroy-in-server': ['destroy-in-server'],
  'stop-shadow': ['stop-shadow'],
  'resume-shadow': ['resume-shadow'],
  'run-instance-handle': ['run-instance-handle'],
  'destroy-instance-handle': ['destroy-instance-handle'],
  'faulting-instance': ['fault-null'],
  'destroy-forked-shadow': ['destroy-forked-shadow'],
  'fork-too-large': ['fork-too-large'],
  'stop-fresh': ['stop-fresh'],
  'resume-fresh': ['resume-fresh'],
  'resume-running': ['resume-running'],
  gone: ['gone-handle', 'gone-handle', 'gone-handle', 'gone-handle', 'gone-handle'],
  'stop-twice': [],
  'destroy-running': ['destroy-running'],
  'run-again': ['run-again'],
  'run-stopped': ['run-again'],
  'attest-running': ['attest-running'],
  'attest-returned': ['attest-running'],
  'attest-stopped': ['attest-stopped'],
  'stop-returned': ['stop-returned'],
  'run-without-rerun': ['run-without-rerun'],
  'rerun-reason': ['rerun-reason'],
  'rerun-not-returned': ['rerun-not-returned'],
  'destroy-foreign': ['foreign-enclave'],
  'kill-in-run': ['kill-in-run'],
  'owner-exited': ['owner-exited'],
  'relay-none-transferred': ['relay-none-transferred'],
  'relay-page-owned': ['relay-page-owned'],
  'relay-name-taken': ['relay-name-taken'],
  'relay-ignored': ['relay-ignored'],
  'shm-ignored': ['shm-ignored'],
  'type-7': ['create-type'],
  'name-of-17': ['create-type'],
  'elf-zeros': ['elf-bad'],
  'elf-text': ['elf-bad'],
  'elf-x86': ['elf-bad'],
  'elf-none': ['elf-bad'],
  'stack-none': ['stack-none', 'fault-stack'],
  'stack-huge': ['memory-bounds'],
  'bad-ioctl': ['bad-ioctl'],
  'bad-ioctl-size': ['bad-ioctl'],
  'region-size': ['region-size'],
  'region-unknown': ['region-unknown'],
  'region-removed-in-use': ['region-removed-in-use'],
  STORES_NULL: ['fault-null'],
  LOADS_NULL: ['fault-null'],
  LOADS_KERNEL: ['fault-kernel'],
  LOADS_NOWHERE: ['fault-address'],
  STORES_TEXT: ['fault-text'],
  STORES_ERRNO: ['fault-errno'],
  JUMPS: ['fault-jump'],
  OVERFLOWS: ['fault-stack'],
  EBREAKS: ['fault-ebreak'],
  WAITS: ['fault-wfi'],
  FLOATS: ['fault-fp'],
  WRITES_SATP: ['fault-csr'],
  READS_SATP: ['csr-read-satp'],
  ILLEGAL: ['fault-illegal'],
  COUNTS: [],
  CALLS_NUMBER: ['ecall-unknown'],
  CALLS_LINUX: ['ecall-linux'],
  CALLS_LINUX_IOCTL: [],
  OCALLS_NUMBER: ['ocall-unknown'],
  YIELDS: ['yield'],
  MAPS_HUGE: ['mmap-too-large', 'mmap-no-memory'],
  MAPS_CROOKED: ['mmap-address'],
  MAPS_ODD: ['mmap-size'],
  MAPS_ALL: ['mmap-no-memory'],
  UNMAPS: ['unmap-unknown'],
  GROWS_ODD: ['sbrk-size'],
  KEYS_TYPE: ['key-type'],
  KEYS_SIZE: ['key-size'],
  PRINTS_FORMAT: ['print-format'],
  PRINTS_LONG: ['print-truncated'],
  ACQUIRES: ['acquire-unknown'],
  CALLS_UNCHECKED: ['acquire-unknown', 'call-unchecked-handle'],
  CALLS_99: ['call-not-server'],
  CALLS_SELF: ['call-not-server'],
  CALLS_CROOKED: ['call-argument'],
  CALLS_UNMAPPED: ['call-argument'],
  CALLS_NULL: ['call-argument'],
  RETURNS_AS_SERVER: ['server-return-in-normal'],
  EXITS_AS_SERVER: ['exit-in-server', 'return-argument'],
  SERVES: [],
  SERVES_WRONG: ['return-argument'],
  SERVER_FAULTS: ['fault-null', 'server-fault'],
  SERVER_BUSY: ['server-busy'],
};

/** Raised in other tests: in the middle of an ocall, after 230 runs, from files no linker makes, and of causes an enclave can't produce. */
const ELSEWHERE = new Set(['stop-in-ocall', 'runs-exhausted', 'elf-alignment', 'fault-other']);
/** Of a destroyed enclave or of one that is left behind, where that is not what the row is about. */
const CLEANING = new Set(['destroy-running', 'owner-exited', 'destroy-in-server', 'gone-handle']);

const text = (event: SystemEvent): string =>
  event.kind === 'output'
    ? new TextDecoder().decode(event.bytes)
    : event.kind === 'console' && event.source !== undefined
      ? event.text
      : '';

/** The ticks from each "#begin" to its "#end". */
function spans(events: readonly (SystemEvent & { tick: number })[]): number[] {
  const at = (mark: string) => events.filter((event) => text(event) === `${mark}\n`).map(({ tick }) => tick);
  const ends = at('#end');
  return at('#begin').map((tick, i) => ends[i]! - tick);
}

describe('what goes wrong on a device', function () {
  let files: LaunchDescription['files'];
  const said: string[] = [];
  const raised = new Set<string>();

  before(async () => {
    const enclave = join(SOURCES, 'enclave.c');
    const [host, small, big] = await Promise.all([
      build('host', join(SOURCES, 'host.c'), 'misuse/host'),
      build('eapp', enclave, 'misuse/enclave'),
      build('eapp', enclave, 'misuse/big', ['-DBIG']),
    ]);
    const file = (path: string, name: string) => ({
      path: `/root/${name}`,
      bytes: new Uint8Array(readFileSync(path)),
      mode: 0o755,
    });
    files = [file(host, 'host'), file(small, 'enclave'), file(big, 'big')];
  });

  for (const [row, expected] of Object.entries(ROWS))
    it(`${row}: comes back, and says ${expected.join(', ') || 'nothing'}`, () => {
      const memoryMiB = row === 'MAPS_ALL' ? 256 : 128;
      const schedule = { quantum: 50_000 };
      const system = createSystem({ program: '/root/host', args: [row], cwd: '/root', memoryMiB, schedule, files });
      const events = runToEnd(system) as (SystemEvent & { tick: number })[];
      for (const ticks of spans(events)) assert.ok(ticks > 0 && ticks < MILLION, `${ticks} ticks`);
      const hazards = events.filter(
        (event): event is HazardEvent & SystemEvent & { tick: number } => event.kind === 'hazard',
      );
      const codes = hazards.map(({ code }) => code).filter((code) => expected.includes(code) || !CLEANING.has(code));
      assert.deepEqual(codes, expected);
      for (const hazard of hazards) {
        raised.add(hazard.code);
        assert.ok(!explainHazard(hazard).did.includes('unknown'), explainHazard(hazard).did);
      }
      const output = events
        .map(text)
        .join('')
        .replace(/#(begin|end)\n/g, '');
      said.push(`== ${row}\n${output}status ${system.exitStatus}\n${codes.map((code) => `hazard ${code}\n`).join('')}`);
    });

  it('comes at the same ticks in a run that is cut, saved and continued, and is told once; so does a program’s end', () => {
    const launch = (row: string, hazards: 'explain' | 'end'): LaunchDescription => ({
      ...{
        program: '/root/host',
        args: [row],
        cwd: '/root',
        memoryMiB: 128,
        schedule: { quantum: 50_000 },
        files,
        hazards,
      },
    });
    const told = (events: readonly SystemEvent[]) =>
      events.filter(({ kind }) => kind === 'hazard').map((event) => JSON.stringify(event));
    for (const [row, hazards] of [
      ['SERVER_FAULTS', 'explain'],
      ['run-again', 'end'],
    ] as const) {
      const whole = createSystem(launch(row, hazards));
      const all = told(runToEnd(whole));
      const first = createSystem(launch(row, hazards));
      const at = Number((JSON.parse(all[0]!) as { tick: number }).tick);
      for (const cut of [at - 1, at + 1]) {
        first.run(tick(cut));
        const before = told(first.drain());
        const second = loadSystem(launch(row, hazards), first.save());
        const after = second.machine.run(second.tick).reason === 'halted' ? [] : told(runToEnd(second));
        assert.equal(second.exitStatus, whole.exitStatus, row);
        assert.equal(second.endedBy, whole.endedBy, row);
        assert.equal(second.hash(), whole.hash(), row);
        assert.deepEqual([...before, ...after], all.slice(all.length - before.length - after.length), row);
      }
    }
  });

  it('prints what the golden file says', () => {
    compareWithGolden('test/integration/misuse/golden/misuse.txt', said.join('\n'));
  });

  it('has a row for every hazard there is', () => {
    const missing = Object.keys(HAZARDS).filter((code) => !raised.has(code) && !ELSEWHERE.has(code));
    assert.deepEqual(missing, []);
  });
});
