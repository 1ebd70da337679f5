/**
 * capget and capset (capabilities(7)): the three sets of a process are kept and told. Nothing is refused for want of a capability:
 * everybody is root here, and root's programs start with all of them again.
 */
import { ALL_CAPABILITIES, capabilitiesOf } from '../capabilities';
import { Errno } from '../errno';
import type { Core } from '../core';
import type { CapabilitySets } from '../state';
import type { Handler } from './call';

/** Versions of the header, and how many 32-bit words a set has in each. */
const VERSION_1 = 0x19980330;
const VERSION_2 = 0x20071026;
const VERSION_3 = 0x20080522;
const WORD = 0xffff_ffffn;
/** effective, permitted, inheritable: a word each. */
const RECORD = 12;

/** Words of a set in the header's version; undefined for none, and the header then says which version this kernel likes. */
function wordsOf(core: Core, header: number): number | undefined {
  const version = core.user.readU32(header);
  if (version === VERSION_1) return 1;
  if (version === VERSION_2 || version === VERSION_3) return 2;
  core.user.writeU32(header, VERSION_3);
  return undefined;
}

const capget: Handler = ({ core, process }, header, data) => {
  const words = wordsOf(core, header!);
  // A program that only asks for the version passes no data.
  if (words === undefined) return data === 0 ? 0 : -Errno.EINVAL;
  const tid = core.user.readI32(header! + 4);
  if (tid < 0) return -Errno.EINVAL;
  const pid = tid === 0 ? process.pid : core.state.threads.get(tid)?.pid;
  if (pid === undefined) return -Errno.ESRCH;
  if (data === 0) return 0;
  const { effective, permitted, inheritable } = capabilitiesOf(core.process(pid));
  const bytes = new DataView(new ArrayBuffer(RECORD * words));
  for (let word = 0; word < words; word++)
    [effective, permitted, inheritable].forEach((set, i) =>
      bytes.setUint32(RECORD * word + 4 * i, Number((set >> BigInt(32 * word)) & WORD), true),
    );
  core.user.write(data!, new Uint8Array(bytes.buffer));
  return 0;
};

/** The three sets a program passes; capabilities that do not exist are left out, as Linux does. */
function readSets(core: Core, data: number, words: number): CapabilitySets {
  const set = (index: number): bigint => {
    let value = 0n;
    for (let word = 0; word < words; word++)
      value |= BigInt(core.user.readU32(data + RECORD * word + 4 * index)) << BigInt(32 * word);
    return value & ALL_CAPABILITIES;
  };
  return { effective: set(0), permitted: set(1), inheritable: set(2) };
}

const isWithin = (set: bigint, of: bigint): boolean => (set & ~of) === 0n;

const capset: Handler = ({ core, thread, process }, header, data) => {
  const words = wordsOf(core, header!);
  if (words === undefined) return -Errno.EINVAL;
  const tid = core.user.readI32(header! + 4);
  if (tid !== 0 && tid !== thread.tid) return -Errno.EPERM;
  const wanted = readSets(core, data!, words);
  const old = capabilitiesOf(process);
  const allowed =
    isWithin(wanted.permitted, old.permitted) &&
    isWithin(wanted.effective, wanted.permitted) &&
    isWithin(wanted.inheritable, old.inheritable | old.permitted);
  if (!allowed) return -Errno.EPERM;
  core.setProcess(process.pid, { capabilities: wanted });
  return 0;
};

export const capabilityCalls: Readonly<Record<string, Handler>> = { capget, capset };
