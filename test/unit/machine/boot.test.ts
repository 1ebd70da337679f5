import assert from 'node:assert/strict';
import { ISA_STRING } from '../../../emulator/isa/extensions';
import { bootFirmware } from '../../../emulator/machine/boot';
import { deviceTree } from '../../../emulator/machine/device-tree';
import { flatten, node } from '../../../emulator/machine/fdt';
import { createMachine } from '../../../emulator/machine/machine';
import { pa, tick } from '../../../emulator/units';
import { assemble } from '../assembler';

const MIB = 2 ** 20;

/** Reads a blob back by the specification, independently of what wrote it: a property's bytes by path. */
function unflatten(blob: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const [magic, total, structure, strings, reserved, version, compatible] = Array.from({ length: 7 }, (_, i) =>
    view.getUint32(4 * i),
  ) as [number, number, number, number, number, number, number];
  assert.deepEqual([magic, total, version, compatible], [0xd00dfeed, blob.length, 17, 16]);
  assert.equal(reserved % 8, 0);
  assert.deepEqual([...blob.subarray(reserved, reserved + 16)], Array<number>(16).fill(0), 'nothing is reserved');
  assert.equal(strings, structure + view.getUint32(36));
  assert.equal(strings + view.getUint32(32), total);
  const text = (at: number): string => Buffer.from(blob.subarray(at, blob.indexOf(0, at))).toString();
  const found = new Map<string, Uint8Array>();
  const path: string[] = [];
  for (let at = structure; ;) {
    const token = view.getUint32(at);
    at += 4;
    if (token === 1) {
      path.push(text(at));
      found.set(path.join('/') || '/', new Uint8Array(0));
      at += (text(at).length + 4) & ~3;
    } else if (token === 3) {
      const length = view.getUint32(at);
      found.set(`${path.join('/')}:${text(strings + view.getUint32(at + 4))}`, blob.subarray(at + 8, at + 8 + length));
      at += 8 + ((length + 3) & ~3);
    } else if (token === 2) path.pop();
    else {
      assert.equal(token, 9);
      assert.equal(at, strings);
      assert.equal(path.length, 0);
      return found;
    }
  }
}

const cells = (bytes: Uint8Array | undefined): number[] =>
  Array.from({ length: bytes!.length / 4 }, (_, i) => Buffer.from(bytes!).readUInt32BE(4 * i));
const strings = (bytes: Uint8Array | undefined): string => Buffer.from(bytes!).toString();

describe('The flattened device tree', () => {
  it('holds names and values of every length, aligned', () => {
    const tree = node('', { a: 'x', ab: [1, 0xffffffff], flag: true, list: ['one', 'two'] }, [
      node('child@1', { a: '' }, [node('grand', {})]),
    ]);
    const found = unflatten(flatten(tree));
    assert.equal(strings(found.get(':a')), 'x\0');
    assert.deepEqual(cells(found.get(':ab')), [1, 0xffffffff]);
    assert.equal(found.get(':flag')!.length, 0);
    assert.equal(strings(found.get(':list')), 'one\0two\0');
    assert.equal(strings(found.get('/child@1:a')), '\0');
    assert.ok(found.has('/child@1/grand'));
  });

  it('describes the machine: memory, harts, devices, console, power', () => {
    const found = unflatten(flatten(deviceTree({ ramBytes: 3072 * MIB, harts: 3, bootargs: 'quiet' })));
    assert.deepEqual(cells(found.get('/memory@80000000:reg')), [0, 0x80000000, 0, 0xc0000000]);
    assert.deepEqual(cells(found.get('/cpus:timebase-frequency')), [10_000_000]);
    const phandles = new Map([...found].filter(([path]) => path.endsWith(':phandle')).map(([path, value]) => [cells(value)[0]!, path.slice(0, -8)])); // prettier-ignore
    for (const hart of [0, 1, 2]) {
      const cpu = `/cpus/cpu@${hart}`;
      assert.deepEqual(cells(found.get(`${cpu}:reg`)), [hart]);
      assert.equal(strings(found.get(`${cpu}:riscv,isa`)), `${ISA_STRING}\0`);
      assert.ok(found.has(`${cpu}/interrupt-controller:interrupt-controller`));
    }
    assert.ok(!found.has('/cpus/cpu@3'));
    const lines = cells(found.get('/soc/plic@c000000:interrupts-extended'));
    assert.deepEqual(lines.filter((_, i) => i % 2 === 1), [11, 9, 11, 9, 11, 9]); // prettier-ignore
    assert.deepEqual(lines.filter((_, i) => i % 4 === 0).map((handle) => phandles.get(handle)), [0, 1, 2].map((hart) => `/cpus/cpu@${hart}/interrupt-controller`)); // prettier-ignore
    assert.deepEqual(cells(found.get('/soc/clint@2000000:interrupts-extended')).filter((_, i) => i % 2 === 1), [3, 7, 3, 7, 3, 7]); // prettier-ignore
    assert.equal(phandles.get(cells(found.get('/soc/serial@10000000:interrupt-parent'))[0]!), '/soc/plic@c000000');
    assert.equal(strings(found.get('/chosen:stdout-path')), '/soc/serial@10000000\0');
    assert.equal(strings(found.get('/chosen:bootargs')), 'quiet\0');
    for (const [name, value] of [['poweroff', 0x5555], ['reboot', 0x7777]] as const) {
      assert.deepEqual(cells(found.get(`/${name}:value`)), [value]);
      assert.equal(phandles.get(cells(found.get(`/${name}:regmap`))[0]!), '/soc/test@100000');
    } // prettier-ignore
  });
});

/** Looks at what the reset vector leaves: a0 … a2 into RAM by hart id. */
const LOOK = `
  csrr t0,mhartid
  slli t0,t0,6
  li t1,0x80010000
  add t1,t1,t0
  sd a0,0(t1)
  sd a1,8(t1)
  ld t2,0(a2)
  sd t2,16(t1)
  ld t2,8(a2)
  sd t2,24(t1)
  ld t2,16(a2)
  sd t2,32(t1)
  ld t2,24(a2)
  sd t2,40(t1)
stay: j stay`;

describe('Booting', () => {
  const bios = assemble(0x80000000, LOOK).bytes;

  it('every hart enters the firmware with its id, the device tree, and what to start next', () => {
    const machine = createMachine({ ramBytes: 256 * MIB, harts: 2 });
    const where = bootFirmware(machine, { bios, kernel: Uint8Array.of(1, 2, 3, 4) });
    assert.deepEqual(where, { biosEntry: 0x80000000, kernelEntry: 0x80200000, deviceTree: 0x8fe00000 });
    machine.run(tick(20_000));
    for (const id of [0, 1]) {
      const seen = Array.from({ length: 6 }, (_, i) => machine.machinePort.readU64(pa(0x80010000 + 64 * id + 8 * i)));
      assert.deepEqual(seen, [BigInt(id), 0x8fe00000n, 0x4942534fn, 2n, 0x80200000n, 1n]);
    }
    assert.deepEqual([...machine.machinePort.read(pa(0x80200000), 4)], [1, 2, 3, 4]);
    const size = machine.machinePort.readU32(pa(0x8fe00004));
    const total = ((size & 0xff) << 24) | ((size & 0xff00) << 8) | ((size >> 8) & 0xff00) | (size >>> 24);
    assert.ok(unflatten(machine.machinePort.read(pa(0x8fe00000), total)).has('/cpus/cpu@1'));
  });

  it('an ELF file is loaded by its physical addresses', () => {
    const elf = new Uint8Array(64 + 56 + bios.length);
    const view = new DataView(elf.buffer);
    view.setUint32(0, 0x7f454c46);
    elf.set([2, 1, 1], 4);
    view.setUint16(18, 243, true);
    view.setBigUint64(24, 0x80004000n, true); // e_entry
    view.setBigUint64(32, 64n, true);
    view.setUint16(54, 56, true);
    view.setUint16(56, 1, true);
    view.setUint32(64, 1, true);
    const header = [0x78, 0xffff_0000, 0x8000_4000, bios.length, 0x30_0000];
    header.forEach((value, i) => view.setBigUint64(72 + 8 * i, BigInt(i === 0 ? 120 : value), true));
    elf.set(bios, 120);
    const machine = createMachine({ ramBytes: 16 * MIB });
    const where = bootFirmware(machine, { bios: elf, kernel: Uint8Array.of(9) });
    // Behind the zero-initialised data, on a boundary of 2 MiB.
    assert.deepEqual([where.biosEntry, where.kernelEntry], [0x80004000, 0x80400000]);
    machine.run(tick(30));
    assert.equal(machine.machinePort.readU64(pa(0x80010020)), 0x80400000n);
    for (const [at, byte] of [[18, 62], [4, 1], [56, 200], [72, 255], [96, 255]] as const) {
      const damaged = elf.slice();
      damaged[at] = byte;
      if (at === 96) damaged[97] = 255;
      assert.throws(() => bootFirmware(createMachine({ ramBytes: 16 * MIB }), { bios: damaged }), /the firmware can't be booted/);
    } // prettier-ignore
  });

  it('says what does not fit', () => {
    const boot = (ramBytes: number, software: Parameters<typeof bootFirmware>[1]): unknown =>
      bootFirmware(createMachine({ ramBytes }), software);
    assert.throws(() => boot(MIB, { bios: new Uint8Array(2 * MIB) }), /the firmware takes .* RAM has 1 MiB/);
    assert.throws(() => boot(2 * MIB, { bios, kernel: Uint8Array.of(1) }), /the kernel takes .*0x80200000/);
    assert.throws(
      () => boot(2 * MIB, { bios: new Uint8Array(MIB) }),
      /the device tree and the firmware take the same memory/,
    );
    assert.throws(() => boot(2 * MIB, { bios: new Uint8Array(0) }), /it is empty/);
    const machine = createMachine({ ramBytes: 16 * MIB });
    machine.run(tick(1));
    assert.throws(() => bootFirmware(machine, { bios }), /power-on/);
  });
});
