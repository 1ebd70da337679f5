/**
 * What programs do with their own address space while they are hot, where there is one: code is also mapped writable elsewhere, the page
 * table lies in the window of addresses, one page of data and one of code show now this frame, now that one. The machine needs no fence
 * to see such a change, so every engine must see it at the next instruction.
 */
import type { Random } from '../random';
import { bitsOf, Label } from './layout';
import { line } from '../items';
import { Rare } from './rare';
import { Place, WINDOW_POINTER } from './straight';

const PAGE = 4096;
/** Entries of the table of the far page that nobody uses, near to that of the page. */
const UNUSED: readonly number[] = [17, 18, 20, 30];
/** Bits of a page-table entry. */
const [A, D] = [0x40, 0x80];
/** Places whose pages' entries lose them. */
const TOUCHABLE: readonly number[] = [
  Place.CODE, Place.CODE + PAGE, Place.WINDOW, Place.WINDOW + PAGE, Place.STACK + PAGE, Place.VIEW, Place.TURN, Place.TABLE,
]; // prettier-ignore
/** Bytes from one function of a page of them to the next, and how many of them a page has. */
const APART = 256;
const FUNCTIONS = 8;
/** Registers of those functions: nobody needs them where they are called. */
const SCRATCH = [10, 11, 12, 13, 14, 15, 28, 29, 30, 31];
/** Return addresses of the functions of a page, by turns. */
const LINKS = [1, 5];

/** Offset of mtime from the page that it lies in. */
const MTIME = 0xff8;

export abstract class Mapping extends Rare {
  /** The label of a place. */
  protected place(distance: number): Label {
    const label = new Label();
    label.address = this.base + distance;
    return label;
  }

  /** Offset of the entry of a place's page in the page table. */
  private entryOf(distance: number): number {
    const page = (this.base + distance) / PAGE;
    return 8 * (((page % 512) + 512) % 512);
  }

  /** Two pages of small functions that stand at the same offsets and do different things. */
  protected functionPages(): Uint8Array {
    const pages = new Uint8Array(2 * PAGE);
    for (let at = 0; at < pages.length; at += APART) {
      const index = (at / APART) % FUNCTIONS;
      if (at % PAGE >= APART * FUNCTIONS) continue;
      new Uint32Array(pages.buffer, at).set(functionWords(this.random, LINKS[index % 2]!).map((word) => word >>> 0));
    }
    return pages;
  }

  protected mapping(): void {
    const { random } = this;
    const { nested, room } = this;
    const kinds: (() => void)[] = [
      () => this.touch(),
      () => this.view(random.once(2)),
      () => this.turn(!random.once(3)),
      () => this.far(),
      () => this.clock(),
    ];
    if (nested && room > 3000)
      kinds.push(
        () => this.hot(),
        () => this.hot(),
      );
    random.pick(kinds)();
  }

  /** Nothing writes a register while `body` makes its code. */
  private holding(register: number, body: () => void): void {
    const { locked } = this;
    this.locked = new Set([...locked, register]);
    body();
    this.locked = locked;
  }

  /** Entries lose A and D, which come back with the next access. */
  private touch(): void {
    const { random } = this;
    const table = this.target();
    const entry = this.target(table);
    this.address(table, this.place(Place.TABLE));
    this.holding(table, () => {
      for (let n = random.between(1, 3); n > 0; n--) {
        const at = this.entryOf(random.pick(TOUCHABLE));
        this.lines(
          `ld x${entry},${at}(x${table})`,
          `andi x${entry},x${entry},${random.pick([~(A | D), ~A, ~D])}`,
          `sd x${entry},${at}(x${table})`,
        );
        if (random.once(2)) this.access();
      }
    });
    this.spent += 20;
  }

  /** One page of the window is seen at another address, too: now the first, now the second. */
  private view(changes: boolean): void {
    const { random } = this;
    const table = this.target();
    const entry = this.target(table);
    this.address(table, this.place(Place.TABLE));
    const from = this.entryOf(Place.WINDOW + PAGE * random.below(2));
    if (changes) this.lines(`ld x${entry},${from}(x${table})`, `sd x${entry},${this.entryOf(Place.VIEW)}(x${table})`);
    this.address(table, this.place(Place.VIEW));
    this.holding(table, () => {
      for (let n = random.between(2, 6); n > 0; n--)
        if (random.once(3)) this.access();
        else this.accessAt(table, 2040);
    });
    this.spent += 20;
  }

  /** A call into a page whose code is now this, now that: by turns of a loop, or for good. */
  private turn(changes: boolean, index = this.random.below(FUNCTIONS)): void {
    const { random } = this;
    const link = LINKS[index % 2]!;
    if (this.locked.has(link) || SCRATCH.some((register) => this.locked.has(register))) return this.plain();
    const table = this.target(link);
    const entry = this.target(link, table);
    if (changes) {
      this.address(table, this.place(Place.TABLE));
      const turning = random.once(2) ? this.any() : (random.pick([...this.turning, 0]) as number);
      this.lines(`andi x${entry},x${turning},1`, `sh3add x${entry},x${entry},x${table}`);
      this.lines(`ld x${entry},${this.entryOf(Place.FUNCTIONS)}(x${entry})`);
      this.lines(`sd x${entry},${this.entryOf(Place.TURN)}(x${table})`);
      if (random.once(6)) this.lines('fence.i');
    }
    const direct = random.once(3) && link === 1;
    if (direct) this.jump(this.place(Place.TURN + APART * index), link);
    else {
      this.address(table, this.place(Place.TURN + APART * index));
      this.bits(bitsOf('jalr', { rd: link, rs1: table, imm: 0 }));
    }
    this.spent += 60;
  }

  /** What a hot loop works with becomes something else between two of its runs. */
  private hot(): void {
    const { random } = this;
    const index = random.below(FUNCTIONS);
    const use = random.pick<(changes: boolean) => void>([
      (changes) => this.turn(changes, index),
      (changes) => this.view(changes),
      (changes) => (changes ? this.touchFar() : this.far()),
    ]);
    this.counted(random.between(2, 6), () => {
      use(true);
      // A change of the table leaves the region; one is entered again by a jump.
      if (random.once(2)) this.counted(random.between(2, 4), () => this.plain());
      this.counted(random.between(5, 40), () => {
        use(false);
        if (random.once(2)) this.access();
      });
    });
  }

  /** A page that has its own table, which is data, too: it is a table from the first access to the page on. */
  private far(): void {
    const { random } = this;
    const table = this.target();
    const page = this.target(table);
    const entry = this.target(table, page);
    const at = this.entryOf(Place.FAR);
    this.address(table, this.place(Place.FAR_TABLE));
    this.address(page, this.place(Place.FAR));
    this.holding(table, () =>
      this.holding(page, () => {
        for (let n = random.between(3, 8); n > 0; n--) {
          const kind = random.below(5);
          if (kind < 2) this.accessAt(page, 2040);
          else if (kind === 2) this.unused(table, entry);
          else
            this.lines(
              `ld x${entry},${at}(x${table})`,
              `andi x${entry},x${entry},${random.pick([~(A | D), ~A, ~D])}`,
              `sd x${entry},${at}(x${table})`,
            );
        }
      }),
    );
    this.spent += 30;
  }

  /** No translation is known any more, and then those of the table of the far page. */
  private touchFar(): void {
    this.touch();
    const table = this.target();
    this.address(table, this.place(Place.FAR_TABLE));
    const value = this.target(table);
    for (let n = 0; n < 3; n++) this.unused(table, value);
  }

  private unused(table: number, value: number): void {
    const { random } = this;
    this.lines(`${random.pick(['sd', 'ld'])} x${value},${8 * random.pick(UNUSED)}(x${table})`);
  }

  /** Registers that count the turns of the loops around. */
  protected abstract get turning(): readonly number[];
  /** May there be loops here, and ticks for them? */
  protected abstract get nested(): boolean;
  protected abstract get room(): number;
  /** A loop of so many turns. */
  protected abstract counted(times: number, body: () => void): void;

  /** The time, as a load of a device. */
  private clock(): void {
    const at = this.target();
    this.address(at, this.place(Place.CLOCK + MTIME));
    this.lines(`ld x${this.target()},0(x${at})`);
  }
}

/** Up to 30 instructions that end in a return. */
function functionWords(random: Random, link: number): number[] {
  const register = (): number => random.pick(SCRATCH);
  const words: number[] = [];
  const some = (): void => {
    for (let n = random.between(1, 4); n > 0; n--)
      words.push(
        line(
          random.pick([
            `addi x${register()},x${register()},${random.below(2000)}`,
            `xori x${register()},x${register()},${random.below(2000)}`,
            `add x${register()},x${register()},x${register()}`,
            `mul x${register()},x${register()},x${register()}`,
            `sd x${register()},${8 * random.below(200)}(x${WINDOW_POINTER})`,
            `ld x${register()},${8 * random.below(200)}(x${WINDOW_POINTER})`,
            `auipc x${register()},${random.below(9)}`,
          ]),
        ),
      );
  };
  some();
  if (random.once(2)) {
    const [counter, ...others] = SCRATCH as [number, ...number[]];
    words.push(line(`addi x${counter},zero,${random.between(1, 6)}`));
    words.push(line(`addi x${random.pick(others)},x${random.pick(others)},1`));
    words.push(line(`addi x${counter},x${counter},-1`));
    words.push(bitsOf('bne', { rs1: counter, rs2: 0, imm: -8 }));
  }
  some();
  words.push(line(`jalr zero,0(x${link})`));
  return words;
}
