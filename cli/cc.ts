/**
 * `penglai cc`: compiles a host program or an enclave against the SDK.
 */
import type { Command } from 'commander';
import { resolve } from 'node:path';
import { compile } from '../samples/toolchain/compile';
import { findCompiler } from '../samples/toolchain/find';
import { layoutOf } from '../samples/toolchain/layout';

interface Options {
  host?: true;
  eapp?: true;
  output: string;
  O?: string | true;
}

export function registerCc(program: Command): void {
  program
    .command('cc')
    .description('compile C sources to a RISC-V host program or enclave, with the SDK and debug information')
    .argument('<sources...>', 'C and assembly files; behind --, further flags for the compiler and the linker')
    .option('--host', 'a host program: static, for riscv64 Linux')
    .option('--eapp', "an enclave: rv64imac, freestanding, in the SDK's layout")
    .requiredOption('-o, --output <file>', 'the program to write')
    .option('-O [level]', 'optimise (0, 1, 2, 3, s, g); 0 if not given')
    .addHelpText('after', '\nExample: penglai cc --eapp hello.c -o hello -O1 -- -DROUNDS=3 -Wall')
    .action(async (_sources: string[], options: Options, command: Command) => {
      const { sources, flags } = operands(command.args);
      if (Boolean(options.host) === Boolean(options.eapp)) command.error('error: give either --host or --eapp');
      if (sources.length === 0) command.error('error: give at least one source file');
      const say = (line: string): void => console.error(`penglai: ${line}`);
      // The package is one folder up from dist/penglai.js.
      const layout = layoutOf(resolve(__dirname, '..'));
      const compiler = await findCompiler({ layout, env: process.env, say });
      const optimise = options.O === undefined ? [] : [`-O${options.O === true ? '' : options.O}`];
      await compile(
        { compiler, layout, say },
        {
          kind: options.host ? 'host' : 'eapp',
          sources,
          out: options.output,
          flags: [...optimise, ...flags],
        },
      );
    });
}

/** commander drops the first `--`; what stood behind it are the operands that begin with a dash, and all that follow one. */
function operands(args: readonly string[]): { sources: string[]; flags: string[] } {
  const first = args.findIndex((arg) => arg.startsWith('-'));
  return first < 0 ? { sources: [...args], flags: [] } : { sources: args.slice(0, first), flags: args.slice(first) };
}
