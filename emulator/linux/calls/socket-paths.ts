/** Unix sockets under a path or an abstract name: binding them and finding who is bound. */
import { AT_FDCWD, Errno } from '../errno';
import { create } from '../files/tree';
import { inodeOf } from '../files/walk';
import { enter, holderOf, inodeKey, nameKey } from '../sockets/names';
import { setSocket, socketOf } from '../sockets/sockets';
import type { SocketType, UnixAddress } from '../sockets/types';
import type { CallContext } from './call';
import { isReadOnly, walkPath } from './paths';

/** A path as it stands in a socket address: a character per byte. */
const pathOf = ({ path }: UnixAddress): string =>
  new TextDecoder().decode(Uint8Array.from(path, (character) => character.charCodeAt(0)));

const isAbstract = ({ path }: UnixAddress): boolean => path.startsWith('\0');

/** A name nobody has: five hexadecimal digits, as Linux gives to a socket that is bound to none. */
function freeName({ core }: CallContext, type: SocketType): string {
  let name: string;
  do name = `\0${(core.random() & 0xfffff).toString(16).padStart(5, '0')}`;
  while (holderOf(core, nameKey(type, name)) !== undefined);
  return name;
}

export function bindUnix(context: CallContext, id: number, given: UnixAddress): number {
  const { core, process } = context;
  const { type, bound } = socketOf(core, id)!;
  if (given.path === '' && bound !== undefined) return 0;
  const address = given.path === '' ? { ...given, path: freeName(context, type) } : given;
  if (isAbstract(address)) {
    if (bound !== undefined) return -Errno.EINVAL;
    if (holderOf(core, nameKey(type, address.path)) !== undefined) return -Errno.EADDRINUSE;
    enter(core, nameKey(type, address.path), id);
  } else {
    const at = walkPath(context, AT_FDCWD, pathOf(address), true);
    if (typeof at === 'number') return at;
    if (at.inode !== undefined) return -Errno.EADDRINUSE;
    if (isReadOnly(core, at.parent)) return -Errno.EROFS;
    if (bound !== undefined) return -Errno.EINVAL;
    const mode = 0o777 & ~process.umask;
    const inode = create(core, at.parent, at.name, { type: 'socket', mode, links: 1, changed: core.now });
    enter(core, inodeKey(inode), id);
  }
  setSocket(core, id, { name: address });
  return 0;
}

/** The socket (of a type, where names are abstract) bound to an address; no id when the path is no socket, or nobody has it open any more. Or a negative errno. */
export function unixTarget(
  context: CallContext,
  type: SocketType,
  address: UnixAddress,
): { readonly id: number | undefined } | number {
  const { core } = context;
  if (address.path === '') return -Errno.EINVAL;
  if (isAbstract(address)) return { id: holderOf(core, nameKey(type, address.path)) };
  const at = walkPath(context, AT_FDCWD, pathOf(address), true);
  if (typeof at === 'number') return at;
  if (at.inode === undefined) return -Errno.ENOENT;
  return { id: inodeOf(core, at.inode).type === 'socket' ? holderOf(core, inodeKey(at.inode)) : undefined };
}
