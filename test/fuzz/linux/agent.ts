/**
 * The host programs of the fuzz: a program that waits at an ecall, where the harness fills the registers of whichever thread comes there. It
 * stores its arguments to its memory itself; buffers and the images of enclaves and programs lie behind its code.
 */
import type { Hart } from '../../../emulator/hart/types';
import { va } from '../../../emulator/units';
import { assemble } from '../../unit/assembler';
import { tinyElf } from '../../integration/linux/tiny';
import { enclaveImage } from '../elf';

export const WORDS = 14;
/** The registers that hold the words to store. */
const REGISTERS = [18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31];
const NAMES = ['s2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10', 's11', 't3', 't4', 't5', 't6'];
const STORES = NAMES.map((name, i) => `sd ${name}, ${8 * i}(s0)`).join('\n');
const CODE = 0x10078;
/** Bytes behind the code: parameter blocks of threads, a buffer. */
const EXTRA = 3 * 4096;

export const SMALL_PROGRAM = tinyElf('start: li a0, 7\nli a7, 93\necall', 64);

const pad = (bytes: Uint8Array): bigint[] => {
  const whole = new Uint8Array(Math.ceil(bytes.length / 8) * 8);
  whole.set(bytes);
  const view = new DataView(whole.buffer);
  return Array.from({ length: whole.length / 8 }, (_, i) => view.getBigInt64(8 * i, true));
};
const data = (bytes: Uint8Array): string => `.dword ${pad(bytes).join(', ')}`;

const SOURCE = `start: ecall
  j start
  poke: ${STORES}
  ecall
  j start
  put: ${STORES}
  j start
  look: ld t1, 0(s0)
  j start
  spin: addi t0, t0, -1
  bnez t0, spin
  j start
  .align 12
  program: ${data(SMALL_PROGRAM)}
  device: ${data(new TextEncoder().encode('/dev/penglai_enclave_dev\0'))}
  agent: ${data(new TextEncoder().encode('/root/agent\0'))}
  mutant: ${data(new TextEncoder().encode('/root/mutant\0'))}
  .align 12
  image: ${data(enclaveImage())}
  end:`;

export const AGENT_ELF = tinyElf(SOURCE, EXTRA);
const { labels } = assemble(CODE, SOURCE);
const at = (label: string): number => labels.get(label)!;

/** Addresses in the agent. */
export const Place = {
  loop: at('start'),
  program: at('program'),
  device: at('device'),
  agent: at('agent'),
  mutant: at('mutant'),
  image: at('image'),
  /** Parameter blocks: 256 bytes for a thread. */
  blocks: at('end'),
  buffer: at('end') + 4096,
  end: at('end') + EXTRA,
} as const;
const Entry = { poke: at('poke'), put: at('put'), look: at('look'), spin: at('spin') } as const;

/** What a thread is made to do at its ecall. */
export interface Act {
  readonly name: string;
  readonly number: number;
  readonly a: readonly (number | bigint)[];
  readonly poke?: { readonly at: number | bigint; readonly words: readonly bigint[] };
  readonly jump?: keyof typeof Entry;
}

const set = (hart: Hart, register: number, value: number | bigint): void =>
  hart.setX64(register, BigInt.asUintN(64, BigInt(value)));

/** Puts an act into the registers of the thread that is at its ecall. */
export function perform(hart: Hart, act: Act): void {
  for (let i = 0; i < 6; i++) set(hart, 10 + i, act.a[i] ?? 0);
  set(hart, 17, act.number);
  set(hart, 5, 2000);
  if (act.poke) {
    set(hart, 8, act.poke.at);
    for (let i = 0; i < WORDS; i++) set(hart, REGISTERS[i]!, act.poke.words[i] ?? 0n);
  }
  const jump = act.jump ?? (act.poke ? 'poke' : undefined);
  if (jump) hart.pc = va(Entry[jump]);
}
