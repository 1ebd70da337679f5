/** What hostile code tries: each scene fills RAM with code of one kind and stirs the machine between its runs. */
import { SHAPES, type Shape } from '../kinds';
import { RAM, shapesOf, type World } from './world';

const PAGE = 4096;

export interface Scene {
  readonly name: string;
  readonly harts?: number;
  /** The first content of a page of RAM. */
  readonly fill: (world: World, page: number) => void;
  /** What is changed before each run. */
  readonly stir: (world: World) => void;
}

/** Pages of code made of these shapes, some of them new at each stir. */
function made(
  name: string,
  shapes: readonly Shape[],
  enter: (world: World) => void,
  options: { readonly harts?: number } = {},
): Scene {
  const fill = (world: World, page: number): void => world.write(RAM + page * PAGE, world.code(shapes));
  return {
    name,
    ...options,
    fill,
    stir: (world) => {
      if (world.random.once(8)) world.restart();
      for (let i = 0; i < 3; i++) {
        const page = world.random.below(100);
        if (world.random.once(2)) fill(world, page);
      }
      world.registers();
      enter(world);
    },
  };
}

const STRAIGHT = shapesOf('plain').filter((_, i) => i % 8 === 0);
const MEMORY = shapesOf('load', 'store', 'reserve', 'conditional', 'atomic', 'block');
const JUMPS = shapesOf('branch', 'jump', 'jumpRegister');
const plainly = (world: World): void => world.enter({ pmp: 'open', satp: 0n });

/** Somewhere that a table of three or four levels may know. */
const anywhere = (world: World): bigint => BigInt.asIntN(world.random.once(4) ? 48 : 39, world.random.word64()) & ~1n;

const throughTables = (pmp: 'open' | 'random') => (world: World) =>
  world.enter({ pmp, satp: world.tables(), pc: anywhere(world), privilege: world.random.pick([0, 1, 1, 3]) });

const bytes: Scene = {
  name: 'random bytes as code',
  fill: (world, page) => world.write(RAM + page * PAGE, world.random.bytes(PAGE)),
  stir: (world) => {
    if (world.random.once(8)) world.restart();
    world.registers();
    plainly(world);
  },
};

export const SCENES: readonly Scene[] = [
  bytes,
  made('every instruction', SHAPES, plainly),
  made('page tables that point anywhere', [...SHAPES, ...MEMORY, ...JUMPS], throughTables('open')),
  made('every shape of PMP', [...SHAPES, ...MEMORY], (world) =>
    world.random.once(2) ? throughTables('random')(world) : world.enter({ pmp: 'random', satp: 0n }),
  ),
  made('misaligned everything', [...MEMORY, ...MEMORY, ...STRAIGHT], (world) =>
    world.random.once(2) ? throughTables('open')(world) : plainly(world),
  ),
  made(
    'code that writes itself',
    [...shapesOf('store', 'atomic'), ...JUMPS, ...shapesOf('fence'), ...STRAIGHT],
    (world) => {
      const page = RAM + world.random.below(64) * PAGE;
      for (const hart of world.machine.harts)
        for (let i = 1; i < 32; i++) if (!world.random.once(4)) hart.setX64(i, BigInt(page + world.random.below(PAGE)));
      world.enter({ pmp: 'open', satp: 0n, pc: BigInt(page + 2 * world.random.below(2048)) });
    },
  ),
  made('stores to page tables in use', [...shapesOf('store', 'load', 'atomic'), ...STRAIGHT], (world) => {
    const satp = world.tables();
    for (const hart of world.machine.harts)
      for (let i = 1; i < 32; i++)
        if (world.random.once(2))
          hart.setX64(i, BigInt(RAM + (117 + world.random.below(12)) * PAGE + world.random.below(PAGE)));
    world.enter({ pmp: 'open', satp, pc: anywhere(world), privilege: world.random.pick([0, 1, 3]) });
  }),
  made(
    'CSRs',
    [...Array.from({ length: 12 }, () => shapesOf('csr')).flat(), ...shapesOf('system'), ...STRAIGHT],
    (world) => world.enter({ pmp: 'open', satp: 0n, privilege: world.random.pick([1, 3, 3]) }),
  ),
  made('devices', [...MEMORY, ...STRAIGHT], (world) => {
    const devices = [0x2000000, 0x2004000, 0x200bff8, 0xc000000, 0xc002000, 0xc200000, 0x10000000, 0x100000, 0x1000];
    for (const hart of world.machine.harts)
      for (let i = 1; i < 32; i++)
        if (!world.random.once(3)) hart.setX64(i, BigInt(world.random.pick(devices) + 4 * world.random.below(8)));
    plainly(world);
  }),
  made(
    'two harts',
    [...SHAPES, ...MEMORY],
    (world) => (world.random.once(2) ? throughTables('open')(world) : plainly(world)),
    {
      harts: 2,
    },
  ),
];
