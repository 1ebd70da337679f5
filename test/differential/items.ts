import { assembleLine } from '../unit/assembler';

/** The instructions of a generated program, as the generators make them and the minimiser takes them away. */
export interface Item {
  readonly bits: number;
  /** Part of a loop, a call or of the setting up of an address: taken away only together with what it belongs to. */
  readonly keep?: boolean;
}

const known = new Map<string, number>();

/** The word of one line of assembly. The same lines come again and again. */
export function line(text: string): number {
  let bits = known.get(text);
  if (bits === undefined) known.set(text, (bits = assembleLine(text, 0, new Map()).bits));
  return bits;
}
