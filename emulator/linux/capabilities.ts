/** The capability sets of a process (capabilities(7)), which are told and never asked: everybody is root here. */
import type { CapabilitySets, Process } from './state';

/** CAP_CHECKPOINT_RESTORE, the last one of Linux 5.10. */
const LAST = 40;
export const ALL_CAPABILITIES = (1n << BigInt(LAST + 1)) - 1n;
const ROOT: CapabilitySets = { effective: ALL_CAPABILITIES, permitted: ALL_CAPABILITIES, inheritable: 0n };

export const capabilitiesOf = ({ capabilities }: Process): CapabilitySets => capabilities ?? ROOT;
