/** Host programs with an enclave inside, assembled here: tests of the composed system that need neither compiler nor samples. */
import type { LaunchDescription } from '../../../monitor/system/types';
import { Ioctl } from '../../../monitor/abi';
import { assemble } from '../../unit/assembler';
import { call, CALL, text, tinyElf } from '../linux/tiny';

/** An enclave of one segment at 0x1000, read and execute. */
export function enclaveElf(source: string): Uint8Array {
  const code = assemble(0x1000, source).bytes;
  const bytes = new Uint8Array(0x1000 + code.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x7f454c46);
  bytes.set([2, 1, 1], 4);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setBigUint64(24, 0x1000n, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true);
  view.setUint32(68, 5, true);
  for (const [at, value] of [
    [72, 0x1000],
    [80, 0x1000],
    [96, code.length],
    [104, code.length],
  ] as const)
    view.setBigUint64(at, BigInt(value), true);
  bytes.set(code, 0x1000);
  return bytes;
}

/** penglai_enclave_user_param and where its fields lie. */
const PARAM_SIZE = 112;
const PARAM = { name: 8, elf: 32, elfSize: 40, stackSize: 48 } as const;
const ENCLAVE = '/root/enclave';
/** Everything a thread shares with its creator. */
const CLONE_THREAD = 0x50f00;
const CLONE = 220;

/** Ends the thread's program with exit_group(0). */
export const END = call(CALL.exitGroup, 0);
export { call, CALL };

/**
 * A host that maps the enclave's file, creates it, starts one more thread for each of `threads` and goes on with `main`; `data` are
 * further labels. `run` in `main` is the RUN ioctl of the enclave; s0 is the device, s1 the parameter block.
 */
export function tinyHost(
  enclave: string,
  { main, threads = [], data = '' }: { main: string; threads?: readonly string[]; data?: string },
  more: Partial<LaunchDescription> = {},
): LaunchDescription {
  const image = enclaveElf(enclave);
  const open = (path: string) => `li a0,-100\nla a1,${path}\nli a2,2\nli a3,0\nli a7,${CALL.openat}\necall`;
  const clones = threads.map(
    (_, i) =>
      `li a0,${CLONE_THREAD}\nla a1,stack${i}\nli a2,0\nli a3,0\nli a4,0\nli a7,${CLONE}\necall\nbeqz a0,thread${i}`,
  );
  const source = `
    start: ${open('file')}
    mv a4,a0
    li a0,0
    li a1,${image.length}
    li a2,1
    li a3,2
    li a5,0
    li a7,${CALL.mmap}
    ecall
    la s1,param
    sd a0,${PARAM.elf}(s1)
    li t0,${image.length}
    sd t0,${PARAM.elfSize}(s1)
    li t0,8192
    sw t0,${PARAM.stackSize}(s1)
    ${open('device')}
    mv s0,a0
    ${ioctl(Ioctl.CREATE_ENCLAVE)}
    ${clones.join('\n')}
    ${main.replace(/^\s*run$/gm, ioctl(Ioctl.RUN_ENCLAVE))}
    ${threads.map((code, i) => `thread${i}:\n${code.replace(/^\s*stop$/gm, ioctl(Ioctl.STOP_ENCLAVE))}`).join('\n')}
    ${data}
    .align 3
    param: .zero ${PARAM.name}
    .word 0x6576656c
    .zero ${PARAM_SIZE - PARAM.name - 4}
    file: ${text(ENCLAVE)}
    device: ${text('/dev/penglai_enclave_dev')}
    .align 4
    ${threads.map((_, i) => `.zero 512\nstack${i}: .zero 16`).join('\n')}`;
  return {
    program: '/root/host',
    args: [],
    cwd: '/root',
    memoryMiB: 64,
    files: [
      { path: '/root/host', bytes: tinyElf(source), mode: 0o755 },
      { path: ENCLAVE, bytes: image, mode: 0o755 },
    ],
    ...more,
  };
}

const ioctl = (command: number): string => `mv a0,s0\nli a1,${command >>> 0}\nmv a2,s1\nli a7,${CALL.ioctl}\necall`;
