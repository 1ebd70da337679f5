/** Text of the few /proc files that programs read about themselves; made when the file is opened. */
import type { Core } from '../core';
import { PAGE_SIZE } from '../../units';
import { buddyFreePages } from '../memory/buddy';
import { RAM_BASE } from '../memory/layout';
import { Prot, type Process } from '../state';
import type { Inode } from './types';

type What = Extract<Inode, { type: 'proc' }>['what'];

const hex = (value: number, width: number): string => value.toString(16).padStart(width, '0');

function maps(process: Process): string {
  return process.memory.areas
    .map((area) => {
      const { prot } = area;
      const bits = `${prot & Prot.READ ? 'r' : '-'}${prot & Prot.WRITE ? 'w' : '-'}${prot & Prot.EXEC ? 'x' : '-'}${area.shared ? 's' : 'p'}`;
      const offset = area.backing.kind === 'file' ? area.backing.offset : 0;
      const range = `${hex(area.start, 8)}-${hex(area.end, 8)} ${bits} ${hex(offset, 8)} 00:00 0`;
      return area.name === '' ? range : `${range.padEnd(73)}${area.name}`;
    })
    .map((line) => `${line}\n`)
    .join('');
}

export function freePages(core: Core): number {
  return buddyFreePages(core.state.buddy, Math.ceil(Math.log2((core.layout.ramEnd - RAM_BASE) / PAGE_SIZE)));
}

function meminfo(core: Core): string {
  const line = (name: string, kb: number): string => `${`${name}:`.padEnd(16)}${String(kb).padStart(8)} kB\n`;
  const free = freePages(core) * 4;
  return line('MemTotal', (core.layout.ramEnd - RAM_BASE) / 1024) + line('MemFree', free) + line('MemAvailable', free);
}

function status(process: Process): string {
  const size = process.memory.areas.reduce((sum, area) => sum + area.end - area.start, 0) / 1024;
  return [
    `Name:\t${process.name}`,
    'State:\tR (running)',
    `Tgid:\t${process.pid}`,
    `Pid:\t${process.pid}`,
    `PPid:\t${process.parent}`,
    `VmSize:\t${size} kB`,
    `VmRSS:\t${process.memory.pages.size * 4} kB`,
    `Threads:\t${process.threads.length}`,
    '',
  ].join('\n');
}

export function procText(core: Core, process: Process, what: What): string {
  switch (what) {
    case 'maps':
      return maps(process);
    case 'status':
      return status(process);
    case 'cmdline':
      return process.arguments.map((argument) => `${argument}\0`).join('');
    case 'meminfo':
      return meminfo(core);
    case 'exe':
      return '';
  }
}
