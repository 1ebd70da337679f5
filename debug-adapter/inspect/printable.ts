/**
 * Names that the debuggee chose, as text for people. A program or an enclave may be called anything; what is shown is one
 * line of bounded length without characters that steer a terminal or turn the text around them.
 */

const LENGTH_MAX = 300;
/** Unassigned or invisible characters, line and paragraph separators. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Unsafe characters become symbols for control characters, or `\u{…}`. */
export function printable(name: string): string {
  const cut = name.length > LENGTH_MAX ? `${name.slice(0, LENGTH_MAX)}…` : name;
  return cut.replace(UNSAFE, (character) => {
    const code = character.codePointAt(0)!;
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : `\\u{${code.toString(16)}}`;
  });
}
