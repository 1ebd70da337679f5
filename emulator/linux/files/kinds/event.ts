/** eventfd(2): a counter that is added to by writing and taken, whole or by one, by reading. */
import { Errno } from '../../errno';
import { wake } from '../../scheduler';
import { setOpenFile } from '../open-files';
import { Poll, type FileOf, type Kind } from './kind';

const NEVER = 0xffff_ffff_ffff_ffffn;
const readQueue = (id: number): string => `file:${id}:read`;
const writeQueue = (id: number): string => `file:${id}:write`;

export const event: Kind<FileOf<'event'>> = {
  read(core, id, file, length) {
    if (length < 8) return -Errno.EINVAL;
    if (file.count === 0n) return { wait: readQueue(id) };
    const value = file.semaphore ? 1n : file.count;
    setOpenFile(core, id, { ...file, count: file.count - value });
    wake(core, writeQueue(id));
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, value, true);
    return new Uint8Array(view.buffer);
  },
  write(core, id, file, bytes) {
    if (bytes.length < 8) return -Errno.EINVAL;
    const value = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
    if (value === NEVER) return -Errno.EINVAL;
    if (file.count + value >= NEVER) return { wait: writeQueue(id) };
    setOpenFile(core, id, { ...file, count: file.count + value });
    wake(core, readQueue(id));
    return 8;
  },
  ready: (_core, id, { count }) => ({
    events: (count > 0n ? Poll.IN : 0) | (count < NEVER - 1n ? Poll.OUT : 0),
    reading: readQueue(id),
    writing: writeQueue(id),
  }),
};
