/**
 * The machine as a device tree: what firmware and kernels learn of it. Node names, compatible strings and addresses are those of QEMU's
 * `virt` (its dumped tree, version 7.2) for the devices that this machine has; there is no PCI, virtio, flash, RTC or fw-cfg.
 * Bindings: riscv/cpus, sifive,clint, sifive,plic, ns16550a, syscon-poweroff and -reboot of the Linux kernel's documentation.
 */
import { ISA_STRING } from '../isa/extensions';
import { CACHE_BLOCK } from '../engine/access';
import { Interrupt } from '../hart/types';
import { TIMEBASE_HZ } from './clock';
import { node, type Node } from './fdt';
import { RAM_START } from './layout';
import { PLIC_SIZE, PLIC_SOURCES, PLIC_START } from './plic';
import { UART_SOURCE, UART_START } from './uart';

export interface DeviceTreeOptions {
  readonly ramBytes: number;
  readonly harts: number;
  /** For /chosen: what a kernel takes as its command line. */
  readonly bootargs?: string;
}

const CLINT = 0x2000000;
const TEST = 0x100000;
/** Clock of the UART in Hz, from which software computes the divisor of a baud rate. */
const UART_CLOCK = 3_686_400;
/** What is written to the finisher: finisher.ts. */
const POWER_OFF = 0x5555;
const REBOOT = 0x7777;

/** A 64-bit number as two cells. */
const wide = (value: number): number[] => [Math.floor(value / 2 ** 32), value % 2 ** 32];
const region = (start: number, size: number): number[] => [...wide(start), ...wide(size)];
const at = (name: string, start: number): string => `${name}@${start.toString(16)}`;

const PLIC_HANDLE = 1;
const TEST_HANDLE = 2;
const cpuHandle = (hart: number): number => 3 + 2 * hart;
const controllerHandle = (hart: number): number => 4 + 2 * hart;

function cpu(hart: number): Node {
  return node(
    at('cpu', hart),
    {
      phandle: [cpuHandle(hart)],
      device_type: 'cpu',
      reg: [hart],
      status: 'okay',
      compatible: 'riscv',
      'riscv,isa': ISA_STRING,
      'riscv,cbom-block-size': [CACHE_BLOCK],
      'riscv,cboz-block-size': [CACHE_BLOCK],
      'mmu-type': 'riscv,sv48',
    },
    [
      node('interrupt-controller', {
        '#address-cells': [0],
        '#interrupt-cells': [1],
        'interrupt-controller': true,
        compatible: 'riscv,cpu-intc',
        phandle: [controllerHandle(hart)],
      }),
    ],
  );
}

function cpus(harts: readonly number[]): Node {
  const cores = harts.map((hart) => node(`core${hart}`, { cpu: [cpuHandle(hart)] }));
  return node('cpus', { '#address-cells': [1], '#size-cells': [0], 'timebase-frequency': [TIMEBASE_HZ] }, [
    ...harts.map(cpu),
    node('cpu-map', {}, [node('cluster0', {}, cores)]),
  ]);
}

/** For each hart its two lines of an interrupt controller. */
const lines = (harts: readonly number[], first: Interrupt, second: Interrupt): number[] =>
  harts.flatMap((hart) => [controllerHandle(hart), first, controllerHandle(hart), second]);

function soc(harts: readonly number[]): Node {
  return node('soc', { '#address-cells': [2], '#size-cells': [2], compatible: 'simple-bus', ranges: true }, [
    node(at('serial', UART_START), {
      interrupts: [UART_SOURCE],
      'interrupt-parent': [PLIC_HANDLE],
      'clock-frequency': [UART_CLOCK],
      reg: region(UART_START, 0x100),
      compatible: 'ns16550a',
    }),
    node(at('test', TEST), {
      phandle: [TEST_HANDLE],
      reg: region(TEST, 0x1000),
      compatible: ['sifive,test1', 'sifive,test0', 'syscon'],
    }),
    node(at('plic', PLIC_START), {
      phandle: [PLIC_HANDLE],
      'riscv,ndev': [PLIC_SOURCES],
      reg: region(PLIC_START, PLIC_SIZE),
      'interrupts-extended': lines(harts, Interrupt.MachineExternal, Interrupt.SupervisorExternal),
      'interrupt-controller': true,
      compatible: ['sifive,plic-1.0.0', 'riscv,plic0'],
      '#address-cells': [0],
      '#interrupt-cells': [1],
    }),
    node(at('clint', CLINT), {
      'interrupts-extended': lines(harts, Interrupt.MachineSoftware, Interrupt.MachineTimer),
      reg: region(CLINT, 0x10000),
      compatible: ['sifive,clint0', 'riscv,clint0'],
    }),
  ]);
}

const syscon = (name: string, value: number): Node =>
  node(name, { value: [value], offset: [0], regmap: [TEST_HANDLE], compatible: `syscon-${name}` });

export function deviceTree({ ramBytes, harts: count, bootargs }: DeviceTreeOptions): Node {
  const harts = Array.from({ length: count }, (_, hart) => hart);
  return node(
    '',
    { '#address-cells': [2], '#size-cells': [2], compatible: 'riscv-virtio', model: 'riscv-virtio,penglai' },
    [
      node('chosen', {
        'stdout-path': `/soc/${at('serial', UART_START)}`,
        ...(bootargs === undefined ? {} : { bootargs }),
      }),
      syscon('poweroff', POWER_OFF),
      syscon('reboot', REBOOT),
      node(at('memory', RAM_START), { device_type: 'memory', reg: region(RAM_START, ramBytes) }),
      cpus(harts),
      soc(harts),
    ],
  );
}
