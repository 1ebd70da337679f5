import assert from 'node:assert/strict';
import { MachineError } from '../../../emulator/machine/errors';
import { createMachine } from '../../../emulator/machine/machine';
import { Area } from '../../../emulator/machine/layout';
import { PhysicalMemory, type NewMemory } from '../../../emulator/machine/memory';
import { pa, tick, va } from '../../../emulator/units';
import { assemble } from '../assembler';
import { ORIGIN } from '../engine/bare';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

describe('RAM', () => {
  it('of 3 GiB reaches to its last byte for guest code, and takes no memory of the host before it is touched', () => {
    const machine = createMachine({ ramBytes: 3 * GIB });
    const before = process.memoryUsage.rss();
    const last = 0x80000000 + 3 * GIB - 8;
    const { bytes } = assemble(ORIGIN, 'sd a0,0(a1)\nld a2,0(a1)\namoadd.d a3,a0,(a1)\nsd a0,8(a1)');
    machine.machinePort.write(pa(ORIGIN), bytes);
    const hart = machine.harts[0]!;
    hart.pc = va(ORIGIN);
    hart.setX64(10, 0x1234_5678_9abc_def0n);
    hart.setX64(11, BigInt(last));
    machine.run(tick(4));
    assert.equal(hart.getX64(12), 0x1234_5678_9abc_def0n);
    assert.equal(machine.machinePort.readU64(pa(last)), 0x1234_5678_9abc_def0n * 2n);
    assert.deepEqual([hart.mcause, hart.mtval], [7, last + 8], 'beyond it is an access fault');
    assert.ok(process.memoryUsage.rss() - before < 500 * MIB);
  });

  it('the code of a program at its end runs too', () => {
    const machine = createMachine({ ramBytes: 3 * GIB });
    const start = 0x80000000 + 3 * GIB - 8;
    machine.machinePort.write(pa(start), assemble(start, 'addi a0,a0,1\naddi a0,a0,1').bytes);
    const hart = machine.harts[0]!;
    hart.pc = va(start);
    machine.run(tick(3));
    assert.equal(hart.getX(10), 2);
    assert.deepEqual([hart.mcause, hart.mepc], [1, start + 8], 'and ends there');
  });

  /** A host that gives so many bytes. */
  const poor =
    (bytes: number): NewMemory =>
    ({ initial }) => {
      const give = (pages: number): ArrayBuffer => {
        if (pages * 65536 > bytes) throw new RangeError('no');
        return new ArrayBuffer(pages * 65536);
      };
      let buffer = give(initial);
      return {
        get buffer() {
          return buffer;
        },
        grow(pages) {
          buffer = give(buffer.byteLength / 65536 + pages);
          return 0;
        },
      };
    };

  it('that the host can’t give is an error which says so and what to do', () => {
    assert.throws(
      () => new PhysicalMemory(GIB, poor(MIB)),
      (error) =>
        error instanceof MachineError &&
        error.code === 'no-host-memory' &&
        /can't reserve the 1024 MiB.*"memoryMiB"/.test(error.message),
    );
    // Twice 32 MiB are more than there is, 48 are not.
    const memory = new PhysicalMemory(GIB, poor(Area.RAM + 60 * MIB));
    memory.ensure(40 * 256);
    assert.throws(() => memory.ensure(200 * 256), /48 of 1024 MiB exist.*smaller RAM/);
  });

  it('that was never written is read as zeros, and does not come into being by that', () => {
    const { machinePort, ...machine } = createMachine({ ramBytes: GIB });
    const { memory } = machine as unknown as { memory: PhysicalMemory };
    const before = memory.buffer.byteLength;
    const far = pa(0x80000000 + 900 * MIB - 4);
    assert.deepEqual(machinePort.read(far, 4096), new Uint8Array(4096));
    assert.equal(memory.buffer.byteLength, before);
    machinePort.write(far, Uint8Array.of(1));
    assert.deepEqual(machinePort.read(far, 2), Uint8Array.of(1, 0));
  });
});
