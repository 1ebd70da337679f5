/** Plain data of sockets (socket(7), unix(7), ip(7)); this machine has one network, the loopback. */
import { List, Map } from 'immutable';

export const enum Family {
  UNSPEC = 0,
  UNIX = 1,
  INET = 2,
  INET6 = 10,
}
export const enum SocketType {
  STREAM = 1,
  DGRAM = 2,
  SEQPACKET = 5,
}

/** `path` is sun_path, a character per byte: a path, or a name that begins with NUL; empty for none. */
export interface UnixAddress {
  readonly family: Family.UNIX;
  readonly path: string;
}
/** `host` is an IPv6 address as 32 hexadecimal digits; IPv4 addresses are mapped into it (::ffff:a.b.c.d). */
export interface InetAddress {
  readonly family: Family.INET | Family.INET6;
  readonly host: string;
  readonly port: number;
}
export type Address = UnixAddress | InetAddress;

export interface Credentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** What was sent in one piece. Streams join pieces again, up to one with files. */
export interface Packet {
  readonly bytes: Uint8Array;
  readonly from: Address | undefined;
  /** Open files on their way (SCM_RIGHTS); each holds a reference. */
  readonly files: readonly number[];
  readonly sender: Credentials;
}

export const enum Shut {
  RECEIVE = 1,
  SEND = 2,
  BOTH = 3,
}

export interface Socket {
  readonly family: Family;
  readonly type: SocketType;
  readonly protocol: number;
  /** `connecting`: a listener has no room yet. */
  readonly state: 'open' | 'listening' | 'connecting' | 'connected';
  /** A non-blocking connect has succeeded or failed, and its caller has not asked again. */
  readonly untold: boolean;
  readonly name: Address | undefined;
  /** Its key in `Sockets.names`. */
  readonly bound: string | undefined;
  /** It was given its port when it first talked. */
  readonly automatic: boolean;
  readonly peerName: Address | undefined;
  /** The other end; 0 when there is none (any more). */
  readonly peer: number;
  readonly received: List<Packet>;
  /** Bytes in `received`. */
  readonly length: number;
  /** Shut bits. */
  readonly shut: number;
  /** SO_ERROR: an errno, 0 for none. */
  readonly error: number;
  /** Of a listener: how many may wait, who is connected and waits to be accepted, who waits for room. */
  readonly backlog: number;
  readonly pending: List<number>;
  readonly waiting: List<number>;
  /** By `level:name`; see options.ts. */
  readonly options: Map<string, number>;
  /** Ticks that receiving and sending may block; 0 for ever. */
  readonly receiveTimeout: number;
  readonly sendTimeout: number;
  readonly owner: Credentials;
  readonly peerCredentials: Credentials | undefined;
  /** Its open file; 0 while it waits to be accepted. */
  readonly file: number;
}

export interface Sockets {
  readonly all: Map<number, Socket>;
  readonly next: number;
  /** Who is found under a name: `tcp:80`, `udp:53`, `unix:inode:7`, `unix:1:…`. */
  readonly names: Map<string, List<number>>;
  /** Port tried next for a socket that has not been bound. */
  readonly nextPort: number;
  /** Sockets among the files on their way, with the number of times. */
  readonly inFlight: Map<number, number>;
  /** The console has been told that there is no network. */
  readonly hinted: boolean;
}

export const FIRST_PORT = 32768;
export const LAST_PORT = 60999;
export const NO_SOCKETS: Sockets = {
  all: Map(),
  next: 1,
  names: Map(),
  nextPort: FIRST_PORT,
  inFlight: Map(),
  hinted: false,
};
