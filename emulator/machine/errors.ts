/** Errors of the machine that a user can meet: each with a code, its cause and the remedy. */

export class MachineError extends Error {
  constructor(
    readonly code: string,
    cause: string,
    remedy: string,
  ) {
    super(`${cause} ${remedy}`);
    this.name = 'MachineError';
  }
}

const MIB = 2 ** 20;

/** The host refused memory: at the start, or when a frame was touched for the first time. */
export const noHostMemory = (ramBytes: number, grown: number): MachineError =>
  new MachineError(
    'no-host-memory',
    grown === 0
      ? `This computer can't reserve the ${Math.ceil(ramBytes / MIB)} MiB of the machine's RAM.`
      : `This computer has no memory left for the machine's RAM: ${Math.ceil(grown / MIB)} of ${Math.ceil(ramBytes / MIB)} MiB exist.`,
    'Choose a smaller RAM ("memoryMiB"), or close other programs.',
  );

export const imageMissesRam = (name: string, from: number, to: number, ramBytes: number): MachineError =>
  new MachineError(
    'image-misses-ram',
    `${name} takes the physical addresses 0x${from.toString(16)} to 0x${to.toString(16)}; RAM has ${Math.floor(ramBytes / MIB)} MiB from 0x80000000 on.`,
    'Give the machine more RAM, or link the image for an address in it.',
  );

export const imagesOverlap = (name: string, other: string): MachineError =>
  new MachineError(
    'images-overlap',
    `${name} and ${other} take the same memory.`,
    'Link one of them for another address.',
  );

export const badImage = (name: string, what: string): MachineError =>
  new MachineError('bad-image', `${name} can't be booted: ${what}.`, 'Give a raw image or a 64-bit RISC-V ELF file.');
