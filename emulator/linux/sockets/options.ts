/** Socket options (socket(7), tcp(7), ip(7), ipv6(7)): those with an effect here, and those that are only kept. */
import type { Socket } from './types';

export const SOL_SOCKET = 1;
export const SOL_TCP = 6;
const IP = 0;
const IPV6 = 41;

/** Options whose value the kernel looks at, by `level:name`. */
export const Option = {
  REUSEADDR: '1:2',
  SNDBUF: '1:7',
  RCVBUF: '1:8',
  LINGER: '1:13',
  REUSEPORT: '1:15',
  PASSCRED: '1:16',
  RCVLOWAT: '1:18',
  V6ONLY: '41:26',
} as const;

/** net.core.rmem_default, wmem_default. */
const BUFFER = 212_992;

/** Integer options that may be set, with what they are before; a getsockopt returns what was set. */
const DEFAULTS: Readonly<Record<string, number>> = {
  [Option.REUSEADDR]: 0,
  [Option.SNDBUF]: BUFFER,
  [Option.RCVBUF]: BUFFER,
  [Option.REUSEPORT]: 0,
  [Option.PASSCRED]: 0,
  [Option.RCVLOWAT]: 1,
  [Option.V6ONLY]: 0,
  /** Switches: SO_DONTROUTE, BROADCAST, KEEPALIVE, OOBINLINE, TIMESTAMP; PRIORITY. */
  [`${SOL_SOCKET}:5`]: 0,
  [`${SOL_SOCKET}:6`]: 0,
  [`${SOL_SOCKET}:9`]: 0,
  [`${SOL_SOCKET}:10`]: 0,
  [`${SOL_SOCKET}:29`]: 0,
  [`${SOL_SOCKET}:12`]: 0,
  /** TCP_NODELAY, CORK, KEEPIDLE, KEEPINTVL, KEEPCNT, SYNCNT, DEFER_ACCEPT, QUICKACK, USER_TIMEOUT, FASTOPEN. */
  [`${SOL_TCP}:1`]: 0,
  [`${SOL_TCP}:3`]: 0,
  [`${SOL_TCP}:4`]: 7200,
  [`${SOL_TCP}:5`]: 75,
  [`${SOL_TCP}:6`]: 9,
  [`${SOL_TCP}:7`]: 6,
  [`${SOL_TCP}:9`]: 0,
  [`${SOL_TCP}:12`]: 1,
  [`${SOL_TCP}:18`]: 0,
  [`${SOL_TCP}:23`]: 0,
  /** IP_TOS, TTL, RECVERR, PKTINFO, MTU_DISCOVER; IPV6_UNICAST_HOPS, RECVPKTINFO, TCLASS. */
  [`${IP}:1`]: 0,
  [`${IP}:2`]: 64,
  [`${IP}:11`]: 0,
  [`${IP}:8`]: 0,
  [`${IP}:10`]: 1,
  [`${IPV6}:16`]: 64,
  [`${IPV6}:49`]: 0,
  [`${IPV6}:67`]: 0,
};
/** Options that are on or off. */
const SWITCHES = new Set<string>([
  Option.REUSEADDR,
  Option.REUSEPORT,
  Option.PASSCRED,
  Option.V6ONLY,
  ...['5', '6', '9', '10', '29'].map((name) => `${SOL_SOCKET}:${name}`),
  `${SOL_TCP}:1`,
  `${SOL_TCP}:3`,
]);
/** What setting a buffer's size may come to: SOCK_MIN_RCVBUF, and twice net.core.rmem_max. */
const MIN_BUFFER = 2304;
const MAX_BUFFER = 425_984;

/** A socket's option; undefined when there is none of that name. */
export const optionOf = (socket: Socket, key: string): number | undefined => socket.options.get(key) ?? DEFAULTS[key];

/** The value that setting an option leads to; undefined when there is none of that name. */
export function normalized(key: string, value: number): number | undefined {
  if (DEFAULTS[key] === undefined) return undefined;
  if (SWITCHES.has(key)) return value === 0 ? 0 : 1;
  // Linux doubles the size, to have room for its own records.
  if (key === Option.RCVBUF || key === Option.SNDBUF)
    return Math.min(MAX_BUFFER, Math.max(MIN_BUFFER, Math.max(0, value) * 2));
  return value;
}

/** Bytes a socket takes in before its senders wait. */
export const capacityOf = (socket: Socket): number => optionOf(socket, Option.RCVBUF)!;
