/**
 * The enclaves of the fuzz: a program that waits at an ecall, where the harness fills its registers, and what it is made to do there. Every
 * call is a real ecall of real code, with arguments that the program itself stored to its memory.
 */
import type { Hart } from '../../../emulator/hart/types';
import { PAGE_SIZE, va } from '../../../emulator/units';
import { CallArg, EnclaveCall, EnclaveVa, Ocall, SBI_EXT_PENGLAI_ENCLAVE } from '../../../monitor/abi';
import { enclavesOf, type Enclave, type MonitorState } from '../../../monitor/state';
import type { Random } from '../../differential/random';
import { mostly, odd, textWords, weighted } from '../values';

export const ENTRY = 0x1000;
/** Stores s2 … s7 to s0 before the ecall; a loop of t0 turns; a load from s0; what is no instruction; a breakpoint; a store of s2 to s0. */
const At = { poke: 8, spin: 40, load: 52, illegal: 60, ebreak: 64, store: 68 } as const;
export const AGENT = `loop: ecall
  j loop
  ${[2, 3, 4, 5, 6, 7].map((s, i) => `sd s${s}, ${8 * i}(s0)`).join('\n')}
  ecall
  j loop
  spin: addi t0, t0, -1
  bnez t0, spin
  j loop
  ld t1, 0(s0)
  j loop
  .word 0
  ebreak
  sd s2, 0(s0)
  j loop`;
/** Where it keeps arguments: in its stack. */
const DATA = EnclaveVa.STACK_TOP - 0x800;
export const NAMES = ['a', 'b', 'c', 'relay', 'server', 'server1'] as const;

/** What an enclave is made to do at its ecall. */
export interface Deed {
  readonly name: string;
  readonly a: readonly bigint[];
  readonly call: number;
  readonly extension: number;
  /** Words stored to `at` first. */
  readonly poke?: { readonly at: bigint; readonly words: readonly bigint[] };
  readonly jump?: keyof typeof At;
  /** Did it succeed, by its result in a0? */
  readonly good: (result: bigint) => boolean;
}

const signed = (value: bigint): bigint => BigInt.asIntN(64, value);
const notNegative = (result: bigint): boolean => signed(result) >= 0n;
const nonZero = (result: bigint): boolean => signed(result) > 0n;

type Choice = (
  r: Random,
  self: Enclave,
  state: MonitorState,
) => Omit<Deed, 'name' | 'extension'> & { extension?: number };

const call = (number: number, a: readonly (number | bigint)[], good = notNegative, poke?: Deed['poke']) => ({
  call: number,
  a: a.map(BigInt),
  good,
  ...(poke ? { poke } : {}),
});
const ocall = (id: number, a1: number | bigint = 0, a2: number | bigint = 0, good = notNegative) =>
  call(EnclaveCall.OCALL, [id, a1, a2], good);
const stored = (words: readonly bigint[]) => ({ at: BigInt(DATA), words });

/** call_enclave_arg_t about an area or a relay region of the enclave, or none. */
function argument(r: Random, self: Enclave): bigint[] {
  const areas = [...self.areas.map(({ start, size }) => [start, size] as const), [0, 0] as const];
  const relays = self.relays.map(({ va: start, size }) => [start, size] as const);
  const one = () => r.pick([...areas, ...relays]);
  const [[request, requestSize], [response, responseSize]] = [one(), r.once(2) ? [0, 0] : one()];
  const words = [
    r.word64(),
    0n,
    mostly(r, request),
    mostly(r, requestSize),
    mostly(r, response),
    mostly(r, responseSize),
  ];
  return words.slice(0, CallArg.SIZE / 8);
}

const name = (r: Random): string => (r.once(20) ? r.pick(['', 'no-such', 'sixteen-letters!x']) : r.pick(NAMES));
const keyOf = (r: Random): bigint => (r.once(20) ? r.word64() : BigInt(r.below(4)));
const areaOf = (r: Random, self: Enclave) =>
  self.areas.length > 0 ? r.pick(self.areas) : { start: 0, size: PAGE_SIZE };
const place = (r: Random): bigint => mostly(r, DATA + 8 * r.below(16), 8);
const servers = (state: MonitorState): number[] =>
  enclavesOf(state).flatMap(({ type, eid }) => (type === 'SERVER' ? [eid] : []));

const CHOICES: readonly (readonly [number, string, Choice])[] = [
  [9, 'mmap', (r) => ocall(Ocall.MMAP, 0, mostly(r, PAGE_SIZE * r.between(1, 3)), nonZero)],
  [
    2,
    'mmap at',
    (r, self) =>
      ocall(Ocall.MMAP, mostly(r, (self.areas[0]?.start ?? EnclaveVa.MMAP_TOP) - 16 * PAGE_SIZE), PAGE_SIZE, nonZero),
  ],
  [
    7,
    'unmap',
    (r, self) => {
      const { start, size } = areaOf(r, self);
      return ocall(Ocall.UNMAP, mostly(r, start), mostly(r, size));
    },
  ],
  [4, 'sbrk', (r) => ocall(Ocall.SBRK, mostly(r, PAGE_SIZE * r.between(-3, 3)))],
  [4, 'write', (r) => ocall(Ocall.SYS_WRITE, mostly(r, 0))],
  [2, 'read sector', (r) => ocall(Ocall.READ_SECT, mostly(r, r.below(8)))],
  [2, 'write sector', (r) => ocall(Ocall.WRITE_SECT, mostly(r, r.below(8)))],
  [3, 'return relay page', () => ocall(Ocall.RETURN_RELAY_PAGE)],
  [3, 'getrandom', (r) => ocall(Ocall.GETRANDOM, place(r), mostly(r, r.between(1, 64), 6), nonZero)],
  [4, 'shm get', (r) => ocall(Ocall.SHM_GET, keyOf(r), mostly(r, PAGE_SIZE * r.between(1, 3)), nonZero)],
  [4, 'shm attach', (r) => call(EnclaveCall.SHM_ATTACH, [keyOf(r)], nonZero)],
  [2, 'shm stat', (r) => call(EnclaveCall.SHM_STAT, [keyOf(r), place(r)])],
  [3, 'shm detach', (r) => ocall(Ocall.SHM_DETACH, keyOf(r))],
  [2, 'shm destroy', (r) => ocall(Ocall.SHM_DESTROY, keyOf(r))],
  [
    4,
    'acquire',
    (r) => call(EnclaveCall.ACQUIRE_ENCLAVE, [mostly(r, DATA, 20)], notNegative, stored(textWords(name(r)))),
  ],
  [
    8,
    'call_enclave',
    (r, self, state) =>
      call(
        EnclaveCall.CALL_ENCLAVE,
        [mostly(r, r.pick([...servers(state), 0])), mostly(r, DATA, 20)],
        (v) => signed(v) === 0n,
        stored(argument(r, self)),
      ),
  ],
  [
    1,
    'SERVER_RETURN',
    (r, self) => call(EnclaveCall.ENCLAVE_RETURN, [mostly(r, DATA, 20)], notNegative, stored(argument(r, self))),
  ],
  [
    2,
    'get_report',
    (r) =>
      call(EnclaveCall.GET_REPORT, [r.once(2) ? 0 : DATA, place(r), r.word()], notNegative, stored(textWords(name(r)))),
  ],
  [2, 'get_key', (r) => call(EnclaveCall.GET_KEY, [0, place(r), mostly(r, 16, 6)])],
  [
    2,
    'asyn_enclave_call',
    (r, self) =>
      call(
        EnclaveCall.ASYN_ENCLAVE_CALL,
        [DATA, mostly(r, DATA + 16, 20)],
        notNegative,
        stored([...textWords(r.pick(NAMES)), 0n, 0n, ...argument(r, self).slice(2, 4)]),
      ),
  ],
  [
    3,
    'split_mem_region',
    (r, self) => {
      const { va: start, size } = self.relays.length > 0 ? r.pick(self.relays) : { va: 0, size: PAGE_SIZE };
      return call(EnclaveCall.SPLIT_MEM_REGION, [
        mostly(r, start),
        mostly(r, size),
        mostly(r, start + PAGE_SIZE * r.below(size / PAGE_SIZE)),
      ]);
    },
  ],
  [2, 'get caller id', () => call(EnclaveCall.GET_CALLER_ID, [])],
  [2, 'get enclave id', () => call(EnclaveCall.GET_ENCLAVE_ID, [])],
  [3, 'yield', () => call(EnclaveCall.YIELD, [])],
  [1, 'ioctl', () => ({ ...call(EnclaveCall.LINUX_IOCTL, []), extension: 0 })],
  [1, 'unknown ocall', (r) => ocall(Number(odd(r) & 0xffn) + 13)],
  [3, 'exit', (r) => call(EnclaveCall.EXIT, [odd(r)])],
];
const WEIGHTED = CHOICES.map((choice) => [choice[0], choice] as const);
const ANYTHING: Deed['good'] = () => true;

/** The next thing for the enclave on the hart; `jump` alone is no call. */
export function chooseDeed(r: Random, self: Enclave, state: MonitorState): Deed {
  const nothing = { a: [], call: 0, extension: 0, good: ANYTHING };
  if (r.once(400)) {
    const jump = r.pick(['load', 'illegal', 'ebreak', 'store'] as const);
    return { name: 'fault', ...nothing, jump, poke: { at: odd(r), words: [0n] } };
  }
  if (r.once(500))
    return { name: 'unknown call', ...nothing, call: r.between(30, 120), extension: SBI_EXT_PENGLAI_ENCLAVE };
  if (r.once(500)) return { name: 'linux call', ...nothing, call: r.between(0, 300) };
  const writes = { at: BigInt(EnclaveVa.STACK_TOP - 8 * r.between(1, 512)), words: [r.word64()] };
  if (r.once(12)) return { name: 'store', ...nothing, jump: 'store', poke: writes };
  if (r.once(8)) return { name: 'spin', ...nothing, jump: 'spin' };
  // A server that works for somebody comes to an end some time, and so does everybody.
  const [, title, choose] = weighted(r, self.caller >= 0 && r.once(4) ? [WEIGHTED[16]!] : WEIGHTED);
  return { name: title, extension: SBI_EXT_PENGLAI_ENCLAVE, ...choose(r, self, state) };
}

const set = (hart: Hart, register: number, value: bigint): void => hart.setX64(register, BigInt.asUintN(64, value));

/** Puts a deed into the registers of the enclave that is at its ecall. */
export function perform(hart: Hart, deed: Deed): void {
  for (let i = 0; i < 6; i++) set(hart, 10 + i, deed.a[i] ?? 0n);
  set(hart, 16, BigInt(deed.extension));
  set(hart, 17, BigInt(deed.call));
  if (deed.poke) {
    set(hart, 8, deed.poke.at);
    for (let i = 0; i < 6; i++) set(hart, 18 + i, deed.poke.words[i] ?? 0n);
  }
  if (deed.jump) {
    set(hart, 5, 3000n);
    hart.pc = va(ENTRY + At[deed.jump]);
  } else if (deed.poke) hart.pc = va(ENTRY + At.poke);
}

export const resultOf = (hart: Hart): bigint => hart.getX64(10);
