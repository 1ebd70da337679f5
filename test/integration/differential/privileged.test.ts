/**
 * Random privileged programs, the same on every engine and on QEMU 7.2: registers, CSRs, the log of traps, page tables, memory.
 * PRIVILEGED_PROGRAMS says how many (and PRIVILEGED_SEED from which seed on); 10,000 take a minute or two.
 */
import assert from 'node:assert/strict';
import { ENGINE_NAMES } from '../../../emulator/machine/machine';
import { MAX_PROGRAMS } from '../../differential/privileged/layout';
import type { Shape } from '../../differential/privileged/protection';
import {
  compare,
  haveQemu,
  makeBatch,
  runHere,
  runQemu,
  shapeOf,
  type Mismatch,
} from '../../differential/privileged/run';

const PROGRAMS = Number(process.env.PRIVILEGED_PROGRAMS ?? 600);
const SEED = Number(process.env.PRIVILEGED_SEED ?? 1);
/** Each alone in a batch, because a locked entry lasts until a reset. */
const LOCKED = Math.ceil(PROGRAMS / 60);

/** Mismatches of one batch on every engine. */
function mismatches(seeds: readonly number[], shape: (seed: number) => Shape): Mismatch[] {
  const batch = makeBatch(seeds, shape);
  const qemu = runQemu(batch);
  assert.ok(qemu, `QEMU does not end: seeds ${seeds[0]} …`);
  return ENGINE_NAMES.flatMap((engine) => {
    const here = runHere(batch, engine);
    if (!(here instanceof Uint8Array)) return [{ seed: here.endless, text: `does not end on engine ${engine}` }];
    return compare(batch, here, qemu).map(({ seed, text }) => ({ seed, text: `engine ${engine}: ${text}` }));
  });
}

function check(total: number, size: number, shape: (seed: number) => Shape): void {
  const found: Mismatch[] = [];
  for (let done = 0; done < total; done += size) {
    const count = Math.min(size, total - done);
    found.push(
      ...mismatches(
        Array.from({ length: count }, (_, i) => SEED + done + i),
        shape,
      ),
    );
  }
  assert.equal(found.length, 0, found.map(({ seed, text }) => `seed ${seed}: ${text}`).join('\n'));
}

(haveQemu ? describe : describe.skip)('Random privileged programs (need qemu-system-riscv64 7.2)', function () {
  this.timeout(0);

  it(`${PROGRAMS} programs of paging, PMP, delegation, interrupts and CSRs agree with QEMU`, () =>
    check(PROGRAMS, MAX_PROGRAMS, shapeOf));

  it(`${LOCKED} programs with locked PMP entries agree with QEMU`, () => check(LOCKED, 1, () => 'locked'));
});
