/** Errors of a launch that a user can meet: each with a code, its cause and the remedy. */

export class LaunchError extends Error {
  constructor(
    readonly code: string,
    cause: string,
    remedy: string,
  ) {
    super(`${cause} ${remedy}`);
    this.name = 'LaunchError';
  }
}

const BUILD_REMEDY = 'Build it with a riscv64 Linux compiler, for example riscv64-linux-gnu-gcc -static.';

export const programMissing = (path: string): LaunchError =>
  new LaunchError(
    'program-missing',
    `The program ${path} is not among the guest's files.`,
    'Check "program" in the launch configuration, and that the file exists and has been built.',
  );

export const notElf = (path: string): LaunchError =>
  new LaunchError(
    'not-elf',
    `${path} is not an ELF file.`,
    `Choose the program itself, not a script or a source. ${BUILD_REMEDY}`,
  );

export const wrongMachine = (path: string, machine: string): LaunchError =>
  new LaunchError('wrong-machine', `${path} is a program for ${machine}, not for 64-bit RISC-V.`, BUILD_REMEDY);

export const notExecutable = (path: string, what: string): LaunchError =>
  new LaunchError('not-executable', `${path} is ${what}, not an executable program.`, 'Link it into a program first.');

export const damagedElf = (path: string, what: string): LaunchError =>
  new LaunchError('damaged-elf', `${path} is cut off or damaged: ${what}.`, 'Build or copy it again.');

export const interpreterMissing = (path: string, interpreter: string): LaunchError =>
  new LaunchError(
    'interpreter-missing',
    `${path} is dynamically linked and asks for the loader ${interpreter}, which is not among the guest's files.`,
    'Link it with -static, or give the machine its libraries with "root" or "mounts".',
  );

export const interpreterDamaged = (path: string, what: string): LaunchError =>
  new LaunchError(
    'interpreter-damaged',
    `${path} is dynamically linked, and its loader can't be used: ${what}`,
    'Give the guest the loader and the libraries of the compiler that built the program.',
  );

export const argumentsTooLong = (bytes: number, limit: number): LaunchError =>
  new LaunchError(
    'arguments-too-long',
    `Arguments and environment take ${bytes} bytes; the host OS passes at most ${limit}.`,
    'Pass less, or put it into a file.',
  );
