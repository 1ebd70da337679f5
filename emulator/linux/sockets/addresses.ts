/** struct sockaddr_un, _in and _in6 in user memory, and what addresses there are on this machine: the loopback's. */
import type { Core } from '../core';
import { Errno } from '../errno';
import { Family, type Address, type InetAddress } from './types';

const UNIX_SIZE = 110;
const INET_SIZE = 16;
const INET6_SIZE = 28;
/** struct sockaddr_storage. */
const STORAGE = 128;

const MAPPED = '00000000000000000000ffff';
export const ANY4 = `${MAPPED}00000000`;
export const ANY6 = '0'.repeat(32);
const LOOPBACK4 = `${MAPPED}7f000001`;
const LOOPBACK6 = `${'0'.repeat(31)}1`;

export const isAny = (host: string): boolean => host === ANY4 || host === ANY6;
export const isMapped = (host: string): boolean => host.startsWith(MAPPED);
/** Reaches this machine: 127.0.0.0/8, ::1, or the address that stands for any. */
export const isLocal = (host: string): boolean =>
  isAny(host) || host === LOOPBACK6 || (isMapped(host) && host.slice(24, 26) === '7f');
/** Where a packet to `host` goes: any address means the loopback. */
export const destination = (host: string): string => (host === ANY4 ? LOOPBACK4 : host === ANY6 ? LOOPBACK6 : host);
/** The address a socket speaks from when it has none and talks to `host`. */
export const sourceFor = (host: string): string => (isMapped(host) ? LOOPBACK4 : LOOPBACK6);

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const unhex = (text: string): Uint8Array =>
  Uint8Array.from({ length: text.length / 2 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));
const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** The address at a user address for a socket of `family`; a negative errno when it is none; undefined for AF_UNSPEC. */
export function readAddress(core: Core, address: number, length: number, family: Family): Address | number | undefined {
  if (length < 2 || length > STORAGE) return -Errno.EINVAL;
  const bytes = core.user.read(address, length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  const given = view.getUint16(0, true);
  if (given === Family.UNSPEC) return undefined;
  if (family === Family.UNIX) {
    if (given !== Family.UNIX || length > UNIX_SIZE) return -Errno.EINVAL;
    const raw = latin1(bytes.subarray(2));
    if (raw.startsWith('\0')) return { family, path: raw };
    const end = raw.indexOf('\0');
    return { family, path: end < 0 ? raw : raw.slice(0, end) };
  }
  if (given === Family.INET6 && family === Family.INET6) {
    if (length < 24) return -Errno.EINVAL;
    return { family, host: hex(bytes.subarray(8, 24)), port: view.getUint16(2) };
  }
  if (given !== Family.INET || family !== Family.INET) return -Errno.EAFNOSUPPORT;
  if (length < INET_SIZE) return -Errno.EINVAL;
  return { family, host: MAPPED + hex(bytes.subarray(4, 8)), port: view.getUint16(2) };
}

export const unboundName = (family: Family): Address =>
  family === Family.UNIX
    ? { family, path: '' }
    : { family: family as InetAddress['family'], host: family === Family.INET ? ANY4 : ANY6, port: 0 };

export function addressBytes(address: Address): Uint8Array {
  if (address.family === Family.UNIX) {
    const { path } = address;
    // A path is told with its NUL.
    const named = path !== '' && !path.startsWith('\0');
    const bytes = new Uint8Array(2 + path.length + (named ? 1 : 0));
    bytes[0] = Family.UNIX;
    for (let i = 0; i < path.length; i++) bytes[2 + i] = path.charCodeAt(i);
    return bytes;
  }
  const six = address.family === Family.INET6;
  const bytes = new Uint8Array(six ? INET6_SIZE : INET_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, address.family, true);
  view.setUint16(2, address.port);
  if (six) bytes.set(unhex(address.host), 8);
  else bytes.set(unhex(address.host.slice(24)), 4);
  return bytes;
}

/** An address for a caller that gave a buffer and its length: as much as fits, and how long it is. */
export function writeAddress(core: Core, address: Address | undefined, at: number, lengthAt: number): number {
  const room = core.user.readI32(lengthAt);
  if (room < 0) return -Errno.EINVAL;
  const bytes = address ? addressBytes(address) : new Uint8Array(0);
  if (at && room > 0) core.user.write(at, bytes.subarray(0, room));
  core.user.writeU32(lengthAt, bytes.length);
  return 0;
}

/** As the other end of a socket of `family` sees it. */
export const seenBy = (family: Family, address: Address | undefined): Address | undefined =>
  address && address.family !== Family.UNIX ? { ...address, family: family as InetAddress['family'] } : address;
