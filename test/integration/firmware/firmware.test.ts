/** Software that nobody here wrote: OpenSBI and U-Boot as Debian builds them for QEMU's `virt`. */
import assert from 'node:assert/strict';
import { bootFirmware } from '../../../emulator/machine/boot';
import { createMachine, ENGINE_NAMES } from '../../../emulator/machine/machine';
import type { EngineName } from '../../../emulator/machine/types';
import { random } from '../../unit/engine/programs';
import { tick } from '../../../emulator/units';
import { firmware, hasQemu, MISSING, pathOf, qemuSession, type Package } from './packages';
import { Terminal } from './terminal';

const MIB = 2 ** 20;
const COMMANDS = ['version', 'bdinfo', 'printenv', 'md 80200000 8', 'echo $arch; base; fdt list /cpus'];

/** Lines that tell of what the machines differ in: the model and its extensions, devices that are not here, the size of the tree. */
const DIFFERENT = [
  /^Platform Name /, // the model of the device tree
  /^Domain0 Boot HART /, // QEMU runs its harts at once: who is first is chance there
  /^Boot HART (ID|Base ISA|ISA Extensions|MHPM Count|MIDELEG|MEDELEG) /, // hypervisor, Sstc and counters of QEMU's; who won the lottery
  /^(CPU|Model|Core): /,
  /^Flash: /, // no flash here
  /^flash(start|size|offset) /,
  /^(fdt_blob|new_fdt|fdt_size|fdt_addr|fdtaddr|fdtcontroladdr)\b/,
  /^Working FDT set to /,
  /^ reserved\[\d\]/, // by the size of the tree
  /^Hit any key/, // how far the count went before the key
  /^Environment size: /,
];

const lines = (text: string): string[] =>
  text.split('\n').map((line) => line.trimEnd()).filter((line) => !DIFFERENT.some((different) => different.test(line))); // prettier-ignore

interface Session {
  readonly bios: Package;
  readonly kernel?: Package;
  readonly harts: number;
}

function started({ bios, kernel, harts }: Session, engine: EngineName = ENGINE_NAMES[0]!): Terminal {
  const machine = createMachine({ ramBytes: 256 * MIB, harts, engine });
  const payload = kernel && firmware(kernel)!;
  bootFirmware(machine, { bios: firmware(bios)!, ...(payload ? { kernel: payload } : {}) });
  return new Terminal(machine);
}

/** To the prompt, and each of the commands. */
function converse(terminal: Terminal): void {
  terminal.expect('stop autoboot');
  terminal.type(' ');
  terminal.expect('\n=> ');
  for (const command of COMMANDS) terminal.command(command);
}

/** What QEMU prints in a session; asked once. */
const known = new Map<Session, Promise<string>>();

async function compareWithQemu(session: Session, text: string): Promise<void> {
  const kernel = session.kernel === undefined ? [] : ['-kernel', pathOf(session.kernel)];
  const machine = ['-m', '256', '-smp', String(session.harts), '-bios', pathOf(session.bios), ...kernel];
  const theirs = known.get(session) ?? qemuSession(machine, COMMANDS);
  known.set(session, theirs);
  assert.deepEqual(lines(text), lines(await theirs));
}

const MACHINE: Session = { bios: 'ubootMachine', harts: 1 };
const SUPERVISOR: Session = { bios: 'opensbi', kernel: 'ubootSupervisor', harts: 4 };

describe('Firmware', function () {
  before(function () {
    for (const name of ['opensbi', 'opensbiElf', 'ubootSupervisor', 'ubootMachine'] as const)
      if (!firmware(name)) {
        console.log(`      skipped: ${MISSING}`);
        this.skip();
      }
  });

  for (const engine of ENGINE_NAMES) {
    it(`U-Boot in M-mode comes to its prompt, answers what is typed, and powers the machine off (${engine} engine)`, async () => {
      const terminal = started(MACHINE, engine);
      converse(terminal);
      assert.match(terminal.text, /DRAM: {2}256 MiB/);
      assert.match(terminal.text, /=> version\nU-Boot 20\d\d/);
      assert.match(terminal.text, /\[0x80000000-0x8fffffff\], 0x10000000 bytes/);
      if (hasQemu()) await compareWithQemu(MACHINE, terminal.text);
      terminal.type('poweroff\r');
      terminal.run(500_000_000);
      assert.deepEqual(terminal.machine.ending, { kind: 'pass', code: 0 });
      assert.equal(terminal.machine.run(tick(terminal.machine.tick + 1)).reason, 'halted');
    });

    it(`OpenSBI starts four harts and U-Boot in S-mode, which comes to its prompt and resets the machine (${engine} engine)`, async () => {
      const terminal = started(SUPERVISOR, engine);
      converse(terminal);
      assert.match(terminal.text, /^Platform HART Count +: 4$/m);
      assert.match(terminal.text, /^Domain0 HARTs +: 0\*,1\*,2\*,3\*$/m);
      assert.match(terminal.text, /^Domain0 Next Mode +: S-mode$/m);
      assert.match(terminal.text, /=> version\nU-Boot 20\d\d/);
      assert.match(terminal.text, /\tcpu@3 \{/);
      if (hasQemu()) await compareWithQemu(SUPERVISOR, terminal.text);
      terminal.type('reset\r');
      terminal.run(500_000_000);
      assert.deepEqual(terminal.machine.ending, { kind: 'reset', code: 0 });
    });
  }

  it('an ELF file of OpenSBI goes where its program headers say', () => {
    const terminal = started({ bios: 'opensbiElf', kernel: 'ubootSupervisor', harts: 1 });
    assert.match(terminal.expect('stop autoboot'), /Firmware Base +: 0x80000000/);
  });

  it('boots bit for bit alike when it is cut, put back, and carried into another machine or to another engine', () => {
    const session: Session = { bios: 'opensbi', kernel: 'ubootSupervisor', harts: 2 };
    const straight = started(session);
    straight.expect('stop autoboot');
    const typed = straight.machine.tick;
    straight.type(' ');
    straight.expect('\n=> ');
    const end = straight.machine.tick;
    const next = random(5);
    let cut = started(session);
    for (const until of [typed, end]) {
      while (cut.machine.tick < until) {
        const snapshot = cut.machine.snapshot();
        cut.machine.useEngine(ENGINE_NAMES[next(ENGINE_NAMES.length)]!);
        const to = Math.min(until, cut.machine.tick + 1 + next(10_000_000));
        cut.run(to - cut.machine.tick);
        if (next(2)) {
          cut.machine.restore(snapshot);
          cut.run(Math.floor((to - cut.machine.tick) / 2));
          cut.run(to - cut.machine.tick);
        }
        if (next(3) > 0) continue;
        const other = new Terminal(createMachine({ ramBytes: 256 * MIB, harts: 2 }));
        other.machine.load(structuredClone(cut.machine.save()));
        other.machine.outbox.assumeDelivered();
        other.text = cut.text;
        cut = other;
      }
      if (until === typed) cut.type(' ');
    }
    assert.equal(cut.text, straight.text);
    assert.equal(cut.machine.hash(), straight.machine.hash());
  });
});
