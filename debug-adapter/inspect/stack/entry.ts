/** What a stitched stack consists of: frames of code, and labels where control crossed from one world into another. */
import type { Space } from '../../../emulator/units';
import type { Mapping, Owner } from '../../target/worlds';

/** Registers of a frame by DWARF number (x0 … x31: 0 … 31, f0 … f31: 32 … 63); undefined where they are not known. */
export type ReadRegister = (register: number) => bigint | undefined;

export interface CodeFrame {
  readonly kind: 'code';
  /** Position among the frames that are activations of their own; frames inlined into it share it. */
  readonly depth: number;
  /** Which world: 0 is the innermost. */
  readonly context: number;
  readonly owner: Owner;
  readonly space: Space;
  readonly mapping: Mapping | undefined;
  /** Address of the next instruction of this frame, as the program runs. */
  readonly pc: number;
  /** Link-time address to look things up at: of a frame that made a call, the call. */
  readonly lookup: number;
  /** Canonical frame address: what tells two activations of one function apart. */
  readonly cfa: bigint | undefined;
  readonly registers: ReadRegister;
  /** Function name, or symbol and offset, or the address. */
  readonly name: string;
  /** Function, with an inlined level counted from outside; undefined without debug information. */
  readonly level: number | undefined;
  readonly place:
    | {
        readonly image: Mapping['image'];
        readonly file: number;
        readonly path: string;
        readonly line: number;
        readonly column: number;
      }
    | undefined;
  /** Part of the plumbing between worlds, or code without source: shown, but not dwelt on. */
  readonly subtle: boolean;
  /** It is one of the SDK's functions that only carry a call across; steps pass through it. */
  readonly wrapper: boolean;
}

export interface LabelFrame {
  readonly kind: 'label';
  readonly text: string;
}

export type StackEntry = CodeFrame | LabelFrame;
