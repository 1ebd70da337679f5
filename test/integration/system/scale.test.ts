/**
 * Many instances on the composed system: what they share, what they give back, what happens when memory ends, and that a run of them can
 * be cut. The programs are those of the bench (test/bench/scale), in smaller numbers.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buddyFreePages } from '../../../emulator/linux/memory/buddy';
import type { State as LinuxState } from '../../../emulator/linux/state';
import { PAGE_SIZE, tick } from '../../../emulator/units';
import type { DriverState } from '../../../monitor/driver/state';
import type { MonitorState } from '../../../monitor/state';
import { ComposedSystem } from '../../../monitor/system/system';
import { build } from '../adapter/builds';
import { root } from '../adapter/client';

const MIB = 2 ** 20;
const source = (name: string): string => join(root, 'test/bench/scale', `${name}.c`);
const host = () => build('host', source('host'), 'scale-host');
const instance = (name: string, ...flags: string[]) => build('eapp', source('instance'), `scale-${name}`, flags);

function systemOf(hostFile: string, enclave: string, args: readonly string[], memoryMiB: number): ComposedSystem {
  const file = (path: string, from: string) => ({ path, bytes: new Uint8Array(readFileSync(from)), mode: 0o755 });
  const files = [file('/root/host', hostFile), file('/root/enclave', enclave)];
  const [what, count] = args;
  const launch = { program: '/root/host', args: [what!, '/root/enclave', count!], cwd: '/root', files, memoryMiB };
  return new ComposedSystem({ ...launch, schedule: { quantum: 20_000 } }, {});
}

interface Run {
  readonly output: string;
  readonly hellos: number;
  readonly log: string;
}

/** Runs until the machine ends or nothing happens any more. */
function finish(system: ComposedSystem, until = Infinity): Run {
  let [output, console, log] = ['', '', ''];
  for (;;) {
    const { reason } = system.run(tick(Math.min(until, system.tick + 5_000_000)));
    for (const event of system.drain()) {
      if (event.kind === 'output') output += new TextDecoder().decode(event.bytes);
      else if (event.kind === 'console') console += event.text;
      else if (event.kind === 'monitor-log') log += `${event.text}\n`;
    }
    if (reason === 'halted' || reason === 'idle' || system.tick >= until)
      return { output, log, hellos: console.split('hello world!').length - 1 };
  }
}

const monitorOf = (system: ComposedSystem) => system.monitor.snapshot() as MonitorState;
const driverOf = (system: ComposedSystem) => system.device.snapshot() as DriverState;
const kernelPages = (system: ComposedSystem): number => {
  const { buddy } = system.linux.snapshot() as LinuxState;
  return buddyFreePages(buddy, Math.ceil(Math.log2(system.machine.ramSize / PAGE_SIZE)));
};

describe('many instances', function () {
  it('a template with 8 MiB of writable data forks; its instances write their own page of it', async () => {
    const system = systemOf(await host(), await instance('data', `-DSIZE=${8 * MIB}`, '-DENDS'), ['forks', '5'], 128);
    const { output, hellos, log } = finish(system);
    assert.equal(system.exitStatus, 0, `${output}${log}`);
    assert.equal(hellos, 5);
  });

  it('stay as long as they are stopped, each with its own thread inside RUN; a kill takes them all, and their memory', async () => {
    const system = systemOf(await host(), await instance('stays'), ['crowd', '60'], 128);
    const { output, hellos } = finish(system);
    assert.equal(output, '60 instances\n');
    assert.equal(hellos, 60);
    const alive = system.enclaves().filter(({ template }) => template !== undefined);
    assert.equal(alive.length, 60);
    assert.equal(new Set(alive.map(({ tid }) => tid)).size, 60);
    assert.ok(alive.every(({ state, tid }) => state === 'STOPPED' && system.contexts(tid!).length === 2));
    const { memory, owned } = monitorOf(system);
    const pages = memory.total - memory.free;
    assert.equal(
      pages,
      owned.reduce((sum, list) => sum + list.size, 0),
    );
    assert.ok(pages <= 60 * 16, `${pages} pages for 60 instances`);
    system.post({ kind: 'signal', signal: 'SIGKILL' });
    finish(system);
    const [monitor, driver] = [monitorOf(system), driverOf(system)];
    for (const table of ['enclaves', 'shadows', 'byInstance', 'names', 'servers', 'owned', 'hidden'] as const)
      assert.equal(monitor[table].size, 0, table);
    for (const table of ['enclaves', 'byShared', 'byMonitorEid', 'byRunner', 'byOwner', 'blocks', 'extended'] as const)
      assert.equal(driver[table].size, 0, table);
    assert.deepEqual([monitor.memory.free, monitor.memory.total], [0, 0]);
  });

  it('cycles of create, run and exit leave memory and tables as they were', async () => {
    const system = systemOf(await host(), await instance('ends', '-DENDS'), ['cycles', '12'], 128);
    const levels: string[] = [];
    system.onEvent = (event) => event.kind === 'enclave-gone';
    for (let reason = ''; reason !== 'halted';) {
      ({ reason } = system.run(tick(system.tick + 5_000_000)));
      if (reason !== 'event') continue;
      const { memory, enclaves, eids, hidden } = monitorOf(system);
      levels.push(JSON.stringify([kernelPages(system), memory.free, enclaves.size, eids.next, hidden.size]));
    }
    assert.equal(system.exitStatus, 0);
    assert.equal(levels.length, 12);
    assert.equal(new Set(levels.slice(1)).size, 1, levels.join('\n'));
  });

  it('when memory ends RUN fails with ENOMEM and the machine goes on', async () => {
    const system = systemOf(await host(), await instance('stays'), ['crowd', '4000'], 32);
    const { log } = finish(system, 3_000_000_000);
    assert.match(log, /no memory left for the monitor/);
    assert.match(log, /needs memory and there is none/);
  });

  it('a run that is cut at any tick, put back and continued, elsewhere too, ends as the whole run', async () => {
    const make = async () => systemOf(await host(), await instance('stays'), ['crowd', '8'], 128);
    const whole = await make();
    finish(whole);
    const [end, hash] = [whole.tick, whole.hash()];
    const times: number[] = [];
    const probe = await make();
    probe.onEvent = (event) => {
      if (event.kind === 'enclave-created') times.push(probe.tick);
      return false;
    };
    finish(probe);
    for (const at of [times[1]! - 1, times[1]!, times[1]! + 300, times[3]! + 2_000, times[5]! + 9_000]) {
      const system = await make();
      system.run(tick(at));
      const snapshot = system.snapshot();
      system.run(tick(at + 50_000));
      system.restore(snapshot);
      const other = await make();
      other.load(system.save());
      finish(other);
      assert.deepEqual([other.tick, other.hash()], [end, hash], `cut at ${at}`);
    }
  });
});
