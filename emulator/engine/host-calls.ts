/** From a host function of the row language to the host's method: `amoLoad32` is `amoLoad` of 4 bytes. */
import type { HostName } from '../isa/language/ir';

type WithoutWidth<Name extends string> = Name extends `${infer Method}${32 | 64}` ? Method : Name;

/** A method of engine/host.ts. */
export type HostMethod = WithoutWidth<HostName>;

/** @returns the method, and, of one for several sizes, the bytes it is told */
export function hostCall(name: HostName): { readonly method: HostMethod; readonly bytes: number | undefined } {
  const [, method, width] = /^(.*?)(32|64)?$/.exec(name)!;
  return { method: method as HostMethod, bytes: width === undefined ? undefined : Number(width) / 8 };
}
