/**
 * Puts software that nobody here wrote into a machine at power-on, as QEMU's `virt` does: firmware at the start of RAM, what it is to start
 * at the next 2 MiB boundary behind it, the device tree near the end of RAM, and in the ROM the reset vector, where all harts begin with
 * a0 = their id, a1 = the device tree, a2 = OpenSBI's `fw_dynamic_info`. No personality: guest code in M and S.
 */
import { pa, va, type PhysicalAddress } from '../units';
import { deviceTree } from './device-tree';
import { imageMissesRam, imagesOverlap } from './errors';
import { flatten } from './fdt';
import { readImage, type Image } from './image';
import { RAM_START } from './layout';
import type { SoftwareMachine } from './machine';
import { ROM_START } from './rom';

export interface Software {
  /** What runs in M-mode at reset: an ELF file, or a raw image for the start of RAM. */
  readonly bios: Uint8Array;
  /** What the firmware starts in S-mode: an ELF file, or a raw image. */
  readonly kernel?: Uint8Array;
  /** The kernel's command line. */
  readonly bootargs?: string;
}

/** Where things were put. */
export interface Booted {
  readonly biosEntry: PhysicalAddress;
  readonly kernelEntry: PhysicalAddress | undefined;
  readonly deviceTree: PhysicalAddress;
}

const MIB = 2 ** 20;
/** The device tree stays below it, so that a kernel that maps little at first sees it. */
const TREE_BELOW = 3072 * MIB;
const PRIVILEGE_S = 1;
/** "OSBI", and the version of `struct fw_dynamic_info` (OpenSBI, docs/firmware/fw_dynamic.md). */
const INFO_MAGIC = 0x4942534f;
const INFO_VERSION = 2;

const up = (address: number, to: number): number => Math.ceil(address / to) * to;

/** The reset vector: six instructions, then the words they load, then the info for the firmware. */
function resetVector(entry: number, tree: number, next: number): Uint8Array {
  const code = [
    0x00000297, // auipc t0, 0
    0x02828613, // addi  a2, t0, 40: the info
    0xf1402573, // csrr  a0, mhartid
    0x0202b583, // ld    a1, 32(t0)
    0x0182b283, // ld    t0, 24(t0)
    0x00028067, // jr    t0
  ];
  const data = [entry, tree, INFO_MAGIC, INFO_VERSION, next, PRIVILEGE_S, 0 /* options */, 0 /* hart that boots */];
  const bytes = new DataView(new ArrayBuffer(4 * code.length + 8 * data.length));
  code.forEach((word, i) => bytes.setUint32(4 * i, word, true));
  data.forEach((word, i) => bytes.setBigUint64(4 * code.length + 8 * i, BigInt(word), true));
  return new Uint8Array(bytes.buffer);
}

function place(machine: SoftwareMachine, image: Image, taken: Image[]): void {
  const end = RAM_START + machine.ramSize;
  if (image.start < RAM_START || image.end > end)
    throw imageMissesRam(image.name, image.start, image.end, machine.ramSize);
  const other = taken.find((that) => image.start < that.end && that.start < image.end);
  if (other) throw imagesOverlap(image.name, other.name);
  taken.push(image);
  for (const { address, bytes } of image.parts) machine.machinePort.write(pa(address), bytes);
}

/**
 * @throws MachineError when an image can't be read, does not fit into RAM, or overlaps another; the machine is then not to be used
 */
export function bootFirmware(machine: SoftwareMachine, software: Software): Booted {
  if (machine.tick > 0) throw new Error('software is booted into a machine at power-on');
  const { bios, kernel, bootargs } = software;
  const taken: Image[] = [];
  const firmware = readImage('the firmware', bios, RAM_START);
  place(machine, firmware, taken);
  const next = kernel && readImage('the kernel', kernel, up(firmware.end, 2 * MIB));
  if (next) place(machine, next, taken);
  const tree = flatten(
    deviceTree({
      ramBytes: machine.ramSize,
      harts: machine.harts.length,
      ...(bootargs === undefined ? {} : { bootargs }),
    }),
  );
  const top = Math.min(RAM_START + machine.ramSize, TREE_BELOW);
  const treeAt = Math.floor((top - tree.length) / (2 * MIB)) * 2 * MIB;
  place(machine, readImage('the device tree', tree, treeAt), taken);
  machine.rom.burn(resetVector(firmware.entry, treeAt, next?.entry ?? 0));
  for (const hart of machine.harts) hart.pc = va(ROM_START);
  return { biosEntry: pa(firmware.entry), kernelEntry: next && pa(next.entry), deviceTree: pa(treeAt) };
}
