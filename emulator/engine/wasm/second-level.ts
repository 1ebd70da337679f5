/**
 * The second level of translations (machine/layout.ts, Second): functions of the interpreter's module that look there when a bank has no
 * answer, before the host is asked. What they find goes back into the bank. 0 is the answer that says: ask the host.
 *
 * `secondLoad(address, bytes)` and `secondStore(address, bytes)` answer where in the memory an access may be made, aligned or not, if it
 * lies within a page; a store to a page with decoded code may if none of its bytes is an instruction. `secondBlock(address)` answers the
 * block of records of the address's page.
 */
import { Area, Bank, Second } from '../../machine/layout';
import { BITS } from '../record';
import { Code } from './code';
import type { Signature } from './module';
import { entryAddress } from './translated-access';

const ACCESS: Signature = { parameters: ['i64', 'i32'], results: ['i32'] };
const ADDRESS = 0;
const BYTES = 1;

interface Level {
  readonly at: Bank;
  readonly entries: Bank;
  readonly generation: number;
  readonly second: Second;
  readonly secondEntries: Second;
}
const READS: Level = {
  at: Bank.READ,
  entries: Bank.ENTRIES,
  generation: Bank.GENERATIONS,
  second: Second.READ,
  secondEntries: Second.ENTRIES,
};
const WRITES: Level = { ...READS, at: Bank.WRITE, generation: Bank.GENERATIONS + 1, second: Second.WRITE };
const EXECS: Level = {
  at: Bank.EXEC,
  entries: Bank.EXEC_ENTRIES,
  generation: Bank.GENERATIONS + 2,
  second: Second.EXEC,
  secondEntries: Second.EXEC_ENTRIES,
};

class Look {
  readonly code: Code;
  private readonly bank: number;
  /** Byte address of the entry in the second level. */
  private readonly entry: number;

  constructor(
    private readonly level: Level,
    signature: Signature,
    /** Index of the global with the byte address of the bank. */
    private readonly bankGlobal: number,
  ) {
    const code = (this.code = new Code(signature.parameters));
    this.bank = code.local('i32');
    this.entry = code.local('i32');
  }

  /** Returns 0 if the value on the stack is not 0. */
  private missIf(): void {
    const { code } = this;
    code.if();
    code.i32(0);
    code.return();
    code.end();
  }

  /** Misses where the access goes beyond the page. */
  within(): void {
    const { code } = this;
    this.pushOffset();
    code.get(BYTES);
    code.op('i32.add');
    code.i32(4096);
    code.op('i32.gt_u');
    this.missIf();
  }

  private pushOffset(): void {
    const { code } = this;
    code.get(ADDRESS);
    code.op('i32.wrap_i64');
    code.i32(4095);
    code.op('i32.and');
  }

  private pushPage(): void {
    this.code.get(ADDRESS);
    this.code.i64(-4096n);
    this.code.op('i64.and');
  }

  /** Misses unless the entry is of the page and of the bank as it is now. */
  find(): void {
    const { code, level, bank, entry } = this;
    const generation = code.local('i32');
    code.getGlobal(this.bankGlobal);
    code.tee(bank);
    code.memory('i32.load', 4 * level.generation);
    code.set(generation);
    code.get(ADDRESS);
    code.i64(12n);
    code.op('i64.shr_u', 'i32.wrap_i64');
    code.get(generation);
    code.op('i32.xor');
    code.i32(level.secondEntries - 1);
    code.op('i32.and');
    code.i32(4);
    code.op('i32.shl');
    code.tee(entry);
    code.memory('i64.load', Area.SECOND + level.second);
    this.pushPage();
    code.op('i64.ne');
    code.get(entry);
    code.memory('i32.load', Area.SECOND + level.second + 12);
    code.get(generation);
    code.op('i32.ne', 'i32.or');
    this.missIf();
  }

  /** Pushes the entry's addend or block. */
  pushValue(): void {
    this.code.get(this.entry);
    this.code.memory('i32.load', Area.SECOND + this.level.second + 8);
  }

  /** Pushes where in the memory the access is. */
  pushPlace(): void {
    this.code.get(ADDRESS);
    this.code.op('i32.wrap_i64');
    this.pushValue();
    this.code.op('i32.add');
  }

  /** The bank gets the entry. */
  refill(): void {
    const { code, level, bank } = this;
    const near = code.local('i32');
    entryAddress(code, ADDRESS, bank, level.entries);
    code.tee(near);
    this.pushPage();
    code.memory('i64.store', 4 * level.at);
    code.get(near);
    this.pushValue();
    code.memory('i32.store', 4 * level.at + 8);
  }

  /** Of a page with a block: misses where a byte of the access is an instruction's, else the function returns the place. */
  guarded(): void {
    const { code } = this;
    const block = code.local('i32');
    this.pushPlace();
    code.i32(Area.RAM);
    code.op('i32.sub');
    code.i32(12);
    code.op('i32.shr_u');
    code.i32(2);
    code.op('i32.shl');
    code.memory('i32.load', Area.BLOCKS);
    code.tee(block);
    code.if();
    this.pushOffset();
    code.i32(4);
    code.op('i32.shr_u');
    code.get(block);
    code.op('i32.add');
    // At most five halfwords, from the first one's place in its byte on.
    code.memory('i32.load16_u', BITS);
    this.pushHalfword();
    code.i32(7);
    code.op('i32.and', 'i32.shr_u');
    // Two to the number of halfwords, less one.
    code.i32(2);
    this.pushOffset();
    code.get(BYTES);
    code.i32(1);
    code.op('i32.sub', 'i32.add');
    code.i32(1);
    code.op('i32.shr_u');
    this.pushHalfword();
    code.op('i32.sub', 'i32.shl');
    code.i32(1);
    code.op('i32.sub', 'i32.and');
    this.missIf();
    this.pushPlace();
    code.return();
    code.end();
  }

  private pushHalfword(): void {
    this.pushOffset();
    this.code.i32(1);
    this.code.op('i32.shr_u');
  }
}

export type SecondLevel = 'secondLoad' | 'secondStore' | 'secondBlock';

/** The functions, given the index of the global with the byte address of the bank. */
export const SECOND_LEVEL: readonly {
  readonly name: SecondLevel;
  readonly signature: Signature;
  readonly code: (bank: number) => Code;
}[] = [
  {
    name: 'secondLoad',
    signature: ACCESS,
    code: (bank) => {
      const look = new Look(READS, ACCESS, bank);
      look.within();
      look.find();
      look.refill();
      look.pushPlace();
      return look.code;
    },
  },
  {
    name: 'secondStore',
    signature: ACCESS,
    code: (bank) => {
      const look = new Look(WRITES, ACCESS, bank);
      look.within();
      look.find();
      look.guarded();
      look.refill();
      look.pushPlace();
      return look.code;
    },
  },
  {
    name: 'secondBlock',
    signature: { parameters: ['i64'], results: ['i32'] },
    code: (bank) => {
      const look = new Look(EXECS, { parameters: ['i64'], results: ['i32'] }, bank);
      look.find();
      look.refill();
      look.pushValue();
      return look.code;
    },
  },
];
