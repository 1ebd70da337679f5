/**
 * Lines as they are typed into a shell, for machines that have none: words, quotes, and the few commands that an installation needs. What only
 * a shell can do is refused before anything runs. Owns the syntax; program.ts does what the lines say.
 */

export type Command = { readonly line: string } & (
  | { readonly kind: 'insmod'; readonly file: string; readonly parameters: string }
  | { readonly kind: 'mknod'; readonly path: string; readonly mode: number; readonly device: number }
  | { readonly kind: 'mkdir'; readonly path: string }
  | {
      readonly kind: 'mount';
      readonly source: string;
      readonly target: string;
      readonly type: string;
      readonly flags: number;
    }
  | { readonly kind: 'umount'; readonly target: string }
  | { readonly kind: 'cd'; readonly path: string }
  /** `paths`: where the program is looked for, in turn. */
  | { readonly kind: 'run'; readonly argv: readonly string[]; readonly paths: readonly string[] }
);

/** A line that can't be run: why, and what to do. */
export class CommandError extends Error {
  constructor(
    readonly line: string,
    readonly why: string,
    readonly remedy: string,
  ) {
    super(`${line}: ${why} ${remedy}`);
  }
}

const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;
const MODE = 0o644;
const MS_RDONLY = 1;
const PATH = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'];
/** What stands for itself in no shell. */
const SPECIAL = /[|&;<>()$`*?[\]{}~!\\]/;
export const COMMANDS_MAX = 1000;

/** The commands of lines; empty ones and comments are none. */
export function parseCommands(lines: readonly string[]): Command[] {
  if (lines.length > COMMANDS_MAX)
    throw new CommandError(`${lines.length} lines`, 'They are too many.', `Give at most ${COMMANDS_MAX}.`);
  return lines.flatMap((text) => {
    const line = text.trim();
    if (line === '' || line.startsWith('#')) return [];
    return [parse(line, wordsOf(line))];
  });
}

/** Words, between blanks or in quotes. */
function wordsOf(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (c === ' ' || c === '\t') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (c === "'" || c === '"') {
      const end = line.indexOf(c, i + 1);
      if (end < 0) throw new CommandError(line, `The quote ${c} is not closed.`, 'Close it.');
      const inside = line.slice(i + 1, end);
      if (c === '"' && /[$`\\]/.test(inside)) throw needsShell(line, inside.match(/[$`\\]/)![0]);
      word = (word ?? '') + inside;
      i = end;
    } else if (c === '\0' || c === '\n')
      throw new CommandError(line, 'It holds a NUL or a line break.', 'Give one line each.');
    else if (SPECIAL.test(c)) throw needsShell(line, c);
    else word = (word ?? '') + c;
  }
  if (word !== undefined) words.push(word);
  return words;
}

const needsShell = (line: string, what: string): CommandError =>
  new CommandError(
    line,
    `${what} needs a shell.`,
    'Quote it, put the line into words without it, or give the machine a shell with "root" or "mounts" and run: sh -c "…".',
  );

function parse(line: string, words: readonly string[]): Command {
  const [name, ...rest] = words;
  const usage = (text: string) => new CommandError(line, 'That is not how it is called.', `Usage: ${text}`);
  switch (name) {
    case 'insmod':
      if (rest.length < 1) throw usage('insmod FILE [NAME=VALUE …]');
      return { line, kind: 'insmod', file: rest[0]!, parameters: rest.slice(1).join(' ') };
    case 'mknod':
      return mknod(line, rest) ?? raise(usage('mknod PATH c|b MAJOR MINOR'));
    case 'mkdir': {
      const paths = rest.filter((word) => word !== '-p');
      if (paths.length !== 1) throw usage('mkdir PATH');
      return { line, kind: 'mkdir', path: paths[0]! };
    }
    case 'mount':
      return mount(line, rest) ?? raise(usage('mount [-t TYPE] [-o ro|rw] DEVICE PLACE'));
    case 'umount':
      if (rest.length !== 1) throw usage('umount PLACE');
      return { line, kind: 'umount', target: rest[0]! };
    case 'cd':
      if (rest.length !== 1) throw usage('cd PATH');
      return { line, kind: 'cd', path: rest[0]! };
    default:
      if (!name || /^[A-Za-z_]\w*=/.test(name))
        throw new CommandError(line, 'It names no program.', 'Set variables with "env" in launch.json.');
      return {
        line,
        kind: 'run',
        argv: words,
        paths: name.includes('/') ? [name] : PATH.map((folder) => `${folder}/${name}`),
      };
  }
}

function raise(error: Error): never {
  throw error;
}

const numberOf = (text: string | undefined): number =>
  text !== undefined && /^\d{1,7}$/.test(text) ? Number(text) : NaN;

function mknod(line: string, words: readonly string[]): Command | undefined {
  const [path, type, major, minor, ...more] = words;
  const [high, low] = [numberOf(major), numberOf(minor)];
  const format = type === 'c' ? S_IFCHR : type === 'b' ? S_IFBLK : undefined;
  if (!path || format === undefined || more.length > 0 || !(high < 2 ** 12) || !(low < 2 ** 8)) return undefined;
  return { line, kind: 'mknod', path, mode: format | MODE, device: (high << 8) | low };
}

function mount(line: string, words: readonly string[]): Command | undefined {
  let type = 'ext4';
  let flags = 0;
  const places: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === '-t') type = words[++i] ?? '';
    else if (word === '-o') {
      const how = words[++i];
      if (how !== 'ro' && how !== 'rw') return undefined;
      flags = how === 'ro' ? MS_RDONLY : 0;
    } else if (word.startsWith('-')) return undefined;
    else places.push(word);
  }
  if (places.length !== 2 || type === '') return undefined;
  return { line, kind: 'mount', source: places[0]!, target: places[1]!, type, flags };
}
