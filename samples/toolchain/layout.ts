/**
 * Where samples, SDK and build outputs lie below the package's root. Owns these paths; nothing else may spell them out.
 */
import { join } from 'node:path';

export interface Layout {
  /** Folder of the samples' sources. */
  readonly samples: string;
  /** SDK: `host/` and `eapp/`, each with `include/` and `src/`, and the linker script `eapp/eapp.lds`. */
  readonly sdk: string;
  /** Outputs, one folder per sample. Not in version control. */
  readonly build: string;
  /** Compiled SDK, compiler caches and what is known about the compiler; below `build`. */
  readonly cache: string;
  /** Package that brings a compiler along where the machine has none. */
  readonly toolchain: string;
}

/** @param root absolute path of the package, the folder with `dist/` and `samples/` */
export function layoutOf(root: string): Layout {
  const samples = join(root, 'samples');
  const build = join(samples, 'build');
  return {
    samples,
    sdk: join(samples, 'sdk'),
    build,
    cache: join(build, '.toolchain'),
    toolchain: join(samples, 'toolchain'),
  };
}
