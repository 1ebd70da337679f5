/**
 * The source files that the line tables of one ELF file mention, one entry per path. Names come from the compiler: they are
 * text to compare and to show, and may name anything on any machine.
 */
import type { FileEntry, ProgramHeader } from './header';
import { isAbsolutePath, joinPath, normalisePath } from './paths';

export interface SourceFile {
  /** Normalised; absolute when the compilation directory is known. */
  readonly path: string;
  /** The name as the compiler wrote it. */
  readonly name: string;
  /** The directory as the compiler wrote it; empty for the compilation directory before DWARF 5. */
  readonly directory: string;
  /** MD5 of the source that was compiled, in hexadecimal (DWARF 5, clang). */
  readonly md5?: string;
}

/** Number of a file that a program refers to but does not declare. */
export const NO_FILE = -1;

export class FileTable {
  readonly files: SourceFile[] = [];
  private readonly byPath = new Map<string, number>();

  /** Number of the file with exactly this (normalised) path. */
  numberOf(path: string): number | undefined {
    return this.byPath.get(path);
  }

  /** Gives the file register of one program its meaning. */
  translator(header: ProgramHeader, compDir: string | undefined): (file: number) => number {
    const numbers: number[] = [];
    return (file) => {
      const entry = header.files[file];
      if (!entry) return NO_FILE;
      return (numbers[file] ??= this.add(header, entry, compDir));
    };
  }

  private add(header: ProgramHeader, entry: FileEntry, compDir: string | undefined): number {
    const directory = header.directories[entry.directory] ?? '';
    const own = header.directories[0] ?? ''; // the compilation directory, from version 5
    const base = isAbsolutePath(own) ? own : joinPath(compDir, own);
    const path = normalisePath(joinPath(joinPath(base, entry.directory === 0 ? '' : directory), entry.name));
    const known = this.byPath.get(path);
    if (known !== undefined) return known;
    const { name, md5 } = entry;
    this.files.push(md5 === undefined ? { path, name, directory } : { path, name, directory, md5 });
    this.byPath.set(path, this.files.length - 1);
    return this.files.length - 1;
  }
}
