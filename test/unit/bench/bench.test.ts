import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ENGINE_NAMES } from '../../../emulator/machine/machine';
import { EVERY } from '../../../monitor/system/recording';
import { differences } from '../../bench/hosts';
import { runOnMachine } from '../../bench/machine';
import type { Measured } from '../../bench/measure';
import { geomean, reportOf, tableFoot, tableHead, tableRow } from '../../bench/report';
import { imageOf, imagesAreCurrent, KINDS, workloads, type Workload } from '../../bench/workloads';

const list = workloads();
const measured = (workload: Workload, vsQemuUser: number | null, vsQemuSystem: number | null): Measured => ({
  workload,
  engine: 'wasm',
  instructions: 1000,
  seconds: 2,
  memoryMiB: 90.5,
  dirtyPages: 300,
  vsQemuUser,
  vsQemuSystem,
  recording: 1.05,
});
const [integer, float, fma] = KINDS.map((kind) => list.find((workload) => workload.kind === kind)!);

describe('benchmark', () => {
  it('has at least ten workloads of every kind, whose images are those of the sources', () => {
    assert.ok(list.length >= 10);
    for (const kind of KINDS) assert.ok(list.filter((workload) => workload.kind === kind).length >= 2, kind);
    assert.equal(new Set(list.map(({ name }) => name)).size, list.length);
    assert.ok(imagesAreCurrent(), 'npm run bench -- --build makes the images anew');
  });

  for (const workload of list)
    it(`${workload.name} comes to its checksum, and a round to its number of instructions, on every engine`, () => {
      const image = new Uint8Array(readFileSync(imageOf(workload)));
      const [once, ...others] = ENGINE_NAMES.map((engine) => runOnMachine(image, { rounds: 1, engine }));
      for (const [i, other] of others.entries())
        assert.deepEqual({ ...other, engine: once!.engine, translated: once!.translated }, once, ENGINE_NAMES[i + 1]);
      const twice = runOnMachine(image, { rounds: 2 });
      for (const { output, exitStatus } of [once!, twice]) {
        assert.equal(output, `checksum ${workload.checksum}\n`);
        assert.equal(exitStatus, 0);
      }
      assert.equal(twice.instructions - once!.instructions, workload.instructions);
      assert.ok(once!.dirtyPages > 100 && once!.dirtyPages < 100_000);
    });

  it('a recording keeps snapshots and changes nothing else', () => {
    const image = new Uint8Array(readFileSync(imageOf(integer!)));
    const rounds = Math.ceil((3 * EVERY) / integer!.instructions);
    const plain = runOnMachine(image, { rounds });
    const recorded = runOnMachine(image, { rounds, recording: true });
    assert.ok(recorded.snapshots >= 2);
    assert.deepEqual({ ...recorded, snapshots: 0 }, plain);
  });

  it('a geometric mean is of what is there', () => {
    assert.equal(geomean([]), null);
    assert.equal(geomean([null]), null);
    assert.ok(Math.abs(geomean([2, null, 8])! - 4) < 1e-12);
  });

  it('the JSON has the names and shapes that later work reads', () => {
    const report = reportOf([measured(integer!, 2, 4), measured(integer!, 8, null), measured(float!, 3, 3)]);
    const rounded = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toFixed(6)) : value);
    assert.deepEqual(JSON.parse(JSON.stringify(report), rounded), {
      workloads: [
        { name: integer!.name, kind: 'integer', instructions: 1000, vsQemuUser: 2, vsQemuSystem: 4, memoryMiB: 90.5 },
        {
          name: integer!.name,
          kind: 'integer',
          instructions: 1000,
          vsQemuUser: 8,
          vsQemuSystem: null,
          memoryMiB: 90.5,
        },
        { name: float!.name, kind: 'float', instructions: 1000, vsQemuUser: 3, vsQemuSystem: 3, memoryMiB: 90.5 },
      ],
      geomeans: {
        integer: { vsQemuUser: 4, vsQemuSystem: 4 },
        float: { vsQemuUser: 3, vsQemuSystem: 3 },
        fma: { vsQemuUser: null, vsQemuSystem: null },
        all: { vsQemuUser: Number((48 ** (1 / 3)).toFixed(6)), vsQemuSystem: Number(Math.sqrt(12).toFixed(6)) },
      },
    });
  });

  it('a host that interprets, or translates nothing, is told apart from one that does as Node.js does', () => {
    const node = { engine: 'translator', regions: 3, fused: true } as const;
    const ran = {
      node,
      chromium: { ...node, regions: 4 },
      adapter: { ...node, regions: 0 },
      'extension host': { engine: 'wasm', regions: 0, fused: false },
    } as const;
    assert.deepEqual(differences({ name: 'sort', ran }), [
      'sort in adapter: nothing was translated',
      'sort in extension host: the engine is wasm, not translator',
      'sort in extension host: nothing was translated',
      'extension host: no fused multiply-add',
    ]);
    assert.deepEqual(differences({ name: 'sort', ran: { node } }), []);
  });

  it('what a run tells of itself has the regions that were made', () => {
    const image = new Uint8Array(readFileSync(imageOf(integer!)));
    const rounds = Math.ceil(20_000_000 / integer!.instructions);
    assert.ok(runOnMachine(image, { rounds, engine: 'translator' }).translated!.made > 0);
    assert.equal(runOnMachine(image, { rounds: 1, engine: 'wasm' }).translated, undefined);
  });

  it('the table shows an opponent that is missing as a dash', () => {
    const rows = [measured(integer!, null, null), measured(fma!, 0.25, 1.5)];
    const [head, ...lines] = [tableHead(), ...rows.map(tableRow), ...tableFoot(rows)];
    assert.match(head!, /MIPS.*vs qemu-user.*vs qemu-system.*RSS MiB.*dirty pages.*recording/);
    assert.match(lines[0]!, /integer +wasm +0 +- +- +91 +300 +\+5\.0 %$/);
    assert.match(lines[1]!, /fma +wasm +0 +0\.250x +1\.500x +91 +300 +\+5\.0 %$/);
    assert.match(lines.at(-1)!, /recording costs 5\.0 %/);
  });
});
