/** Firmware as Debian ships it, and QEMU to compare with. A test skips, saying why, where they are not installed. */
import { existsSync, readFileSync } from 'node:fs';
import { spawn, spawnSync } from 'node:child_process';

const PATHS = {
  opensbi: '/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin',
  opensbiElf: '/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.elf',
  ubootSupervisor: '/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin',
  ubootMachine: '/usr/lib/u-boot/qemu-riscv64/u-boot.bin',
} as const;

export type Package = keyof typeof PATHS;

export function firmware(name: Package): Uint8Array | undefined {
  return existsSync(PATHS[name]) ? readFileSync(PATHS[name]) : undefined;
}

export const MISSING = 'the Debian packages opensbi and u-boot-qemu are not installed';

export const hasQemu = (): boolean => spawnSync('qemu-system-riscv64', ['--version']).status === 0;

/** Output of QEMU's `virt` when autoboot is stopped and commands are typed at the prompt, without carriage returns. */
export function qemuSession(options: readonly string[], commands: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const qemu = spawn('qemu-system-riscv64', ['-M', 'virt', '-nographic', '-no-reboot', ...options]);
    const todo = [' ', ...commands.map((command) => `${command}\r`)];
    const prompts = ['stop autoboot', ...commands.map(() => '\n=> ')];
    let text = '';
    let seen = 0;
    const timer = setTimeout(() => {
      qemu.kill('SIGKILL');
      reject(new Error(`QEMU did not get to the end:\n${text}`));
    }, 100_000);
    qemu.stdout.on('data', (data: Buffer) => {
      text += data.toString('latin1').replaceAll('\r', '');
      for (;;) {
        const prompt = prompts[0] ?? '\n=> ';
        const at = text.indexOf(prompt, seen);
        if (at < 0) return;
        seen = at + prompt.length;
        prompts.shift();
        const next = todo.shift();
        if (next === undefined) return void qemu.kill('SIGKILL');
        qemu.stdin.write(next);
      }
    });
    qemu.on('error', reject);
    qemu.on('exit', () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}

export const pathOf = (name: Package): string => PATHS[name];
