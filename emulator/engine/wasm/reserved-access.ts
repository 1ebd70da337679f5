/**
 * Load-reserved and store-conditional as far as the translations answer them, inline: what atomics.ts does where nothing is misaligned,
 * missing or watched, and the reservation is there. The interpreter's loop and translated regions emit them alike.
 */
import { Area, Bank, HartWord, RAM_START } from '../../machine/layout';
import type { Code } from './code';
import type { Push } from './emitter';
import { LOADS, STORES, type TranslatedAccess } from './translated-access';

const bitsOf = (value: number): bigint => new BigUint64Array(new Float64Array([value]).buffer)[0]!;

export class ReservedAccess {
  constructor(
    private readonly code: Code,
    /** Pushes the hart's address. */
    private readonly hart: Push,
    private readonly access: TranslatedAccess,
    /** Label to branch to with nothing done. */
    private readonly miss: string,
  ) {}

  /** Pushes the physical address, as a float64, of what is at an offset of the memory. */
  private physical(at: number): void {
    const { code } = this;
    code.get(at);
    code.i32(Area.RAM);
    code.op('i32.sub', 'f64.convert_i32_u');
    code.f64(bitsOf(RAM_START));
    code.op('f64.add');
  }

  /** Pushes the value at an address, which is reserved from now on. */
  load(address: number, bits: number): void {
    const { code } = this;
    this.access.place(Bank.READ, address, bits);
    const at = code.local('i32');
    code.set(at);
    this.hart();
    this.physical(at);
    code.memory('f64.store', 4 * HartWord.RESERVATION);
    this.hart();
    code.i32(bits / 8);
    code.memory('i32.store', 4 * HartWord.RESERVATION_SIZE);
    code.get(at);
    code.memory(LOADS[bits]!);
    code.release('i32', at);
  }

  /** Stores to an address that is reserved, and pushes 0; misses where it is not. */
  store(address: number, bits: number, value: Push): void {
    const { code } = this;
    this.access.place(Bank.WRITE, address, bits);
    const at = code.local('i32');
    code.set(at);
    this.hart();
    code.memory('f64.load', 4 * HartWord.RESERVATION);
    this.physical(at);
    code.op('f64.ne');
    this.hart();
    code.memory('i32.load', 4 * HartWord.RESERVATION_SIZE);
    code.i32(bits / 8);
    code.op('i32.ne', 'i32.or');
    code.hint(false);
    code.brIf(this.miss);
    code.get(at);
    value();
    code.memory(STORES[bits]!);
    this.hart();
    code.f64(bitsOf(-1));
    code.memory('f64.store', 4 * HartWord.RESERVATION);
    code.i64(0n);
    code.release('i32', at);
  }
}
