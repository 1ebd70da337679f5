import assert from 'node:assert/strict';
import { createMachine, type SoftwareMachine } from '../../../emulator/machine/machine';
import { EXTENSION } from '../../../emulator/machine/schedule';
import { pa, tick, va } from '../../../emulator/units';
import { assemble, type Program } from '../assembler';
import { ORIGIN } from '../engine/bare';
import { random } from '../engine/programs';
import { eachEngine, ENGINES, engineUnderTest } from '../engine/engines';

const ROUNDS = 60;
const LOCK = 0x80004000;
const COUNTER = 0x80004008;
const SUM = 0x80004010;
const DONE = 0x80004018;
const FAILED = 0x8000401c;

/** Each hart takes a spinlock ROUNDS times to count up what only the lock protects; hart 0 waits for all and passes the test. */
const CONTEST = (harts: number): string => `
  csrr s0,mhartid
  li s1,${LOCK}
  li t1,1
  li s3,${ROUNDS}
take:
  lr.w.aq t0,(s1)
  bnez t0,take
  sc.w.rl t2,t1,(s1)
  bnez t2,failed
  ld t3,8(s1)
  addi t3,t3,1
  sd t3,8(s1)
  amoswap.w.rl zero,zero,(s1)
  addi t4,s1,16
  addi t5,s0,1
  amoadd.d zero,t5,(t4)
  addi s3,s3,-1
  bnez s3,take
  addi t4,s1,24
  amoadd.w zero,t1,(t4)
  bnez s0,park
  li t2,${harts}
wait:
  lw t0,24(s1)
  bne t0,t2,wait
  li t0,0x5555
  li t1,0x100000
  sw t0,0(t1)
park:
  wfi
  j park
failed:
  addi t4,s1,28
  amoadd.w zero,t1,(t4)
  j take
`;

function machineOf(source: string, harts: number, quantum: number): SoftwareMachine & { program: Program } {
  const machine = createMachine({ ramBytes: 2 ** 20, harts, quantum, ...engineUnderTest() });
  const program = assemble(ORIGIN, source);
  machine.machinePort.write(pa(ORIGIN), program.bytes);
  for (const hart of machine.harts) hart.pc = va(ORIGIN);
  return Object.assign(machine, { program });
}

const word = (machine: SoftwareMachine, address: number): number => machine.machinePort.readU32(pa(address));

eachEngine('Several harts', () => {
  it('keep a counter behind a spinlock and an atomic sum exact, whatever the quantum', () => {
    for (const harts of [2, 4, 8])
      for (const quantum of [1, 2, 7, 100, 5000]) {
        const machine = machineOf(CONTEST(harts), harts, quantum);
        assert.equal(machine.run(tick(3_000_000)).reason, 'halted');
        assert.deepEqual(machine.ending, { kind: 'pass', code: 0 });
        const name = `${harts} harts, ${quantum} ticks`;
        assert.equal(word(machine, COUNTER), harts * ROUNDS, name);
        assert.equal(word(machine, SUM), (ROUNDS * harts * (harts + 1)) / 2, name);
        assert.equal(word(machine, DONE), harts, name);
        // A slice never ends between LR and SC, so none of them fails.
        assert.equal(word(machine, FAILED), 0, name);
      }
  });

  it('take turns alike however the run is cut, put back and carried into another machine', () => {
    const straight = machineOf(CONTEST(4), 4, 37);
    straight.run(tick(1_000_000));
    const next = random(3);
    let cut: SoftwareMachine = machineOf(CONTEST(4), 4, 37);
    while (!cut.ending) {
      const snapshot = cut.snapshot();
      cut.useEngine(ENGINES[next(ENGINES.length)]!);
      cut.run(tick(cut.tick + 1 + next(90)));
      if (next(3) === 0) cut.restore(snapshot);
      if (next(5) > 0) continue;
      const other = createMachine({ ramBytes: 2 ** 20, harts: 4, quantum: 37 });
      other.load(structuredClone(cut.save()));
      assert.equal(other.hash(), cut.hash());
      cut = other;
    }
    assert.equal(cut.tick, straight.tick);
    assert.equal(cut.hash(), straight.hash());
  });

  it('a reservation that is never used prolongs a slice by so much and no more, and ends with it', () => {
    const machine = machineOf(
      `
      csrr s0,mhartid
      li s1,${LOCK}
      bnez s0,count
      lr.w t0,(s1)
    spin:
      addi s2,s2,1
      beqz s3,spin
      sc.w a0,s0,(s1)
    stay: j stay
    count:
      addi s2,s2,1
      j count`,
      2,
      10,
    );
    machine.run(tick(10 + EXTENSION));
    assert.equal(machine.current.id, 0);
    assert.equal(machine.harts[1]!.pc, ORIGIN);
    machine.run(tick(10 + EXTENSION + 1));
    assert.equal(machine.current.id, 1);
    machine.run(tick(10 + EXTENSION + 10));
    assert.equal(machine.current.id, 1);
    machine.harts[0]!.setX(19, 1);
    machine.run(tick(10 + EXTENSION + 20));
    assert.equal(machine.harts[0]!.getX(10), 1, 'the store-conditional of the next slice fails');
  });

  it('an interrupt while a reservation prolongs the slice ends it, whoever looks on', () => {
    const hashes = [false, true].map((observed) => {
      const machine = machineOf(`li s1,${LOCK}\nlr.w t0,(s1)\nspin: addi s2,s2,1\nj spin`, 2, 10);
      if (observed) machine.onContextChange = () => false;
      const hart = machine.harts[0]!;
      hart.writeCsr(0x304, 1n << 7n);
      hart.writeCsr(0x300, 1n << 3n);
      hart.writeCsr(0x305, BigInt(ORIGIN));
      machine.setTimer(hart, tick(30));
      machine.run(tick(31));
      assert.equal(machine.current.id, 1);
      return machine.hash();
    });
    assert.equal(hashes[0], hashes[1]);
  });

  it('sleeping ones are passed over; a software interrupt wakes, and when all sleep the clock goes to the next timer', () => {
    const machine = machineOf(
      `
      csrr s0,mhartid
      li t0,0x88
      csrw mie,t0
      li s1,0x2000000
      bnez s0,sleep
      li t1,1
      sw t1,8(s1)
      wfi
      csrr a0,time
    stay: wfi
      j stay
    sleep:
      wfi
      csrr a1,mip
      slli t2,s0,2
      add t2,t2,s1
      sw zero,0(t2)
      addi a0,a0,1
      j sleep`,
      3,
      50,
    );
    const [first, second, third] = machine.harts;
    machine.setTimer(first!, tick(100_000));
    assert.equal(machine.run(tick(10_000)).reason, 'until');
    assert.deepEqual([second!.getX(10), third!.getX(10), third!.getX(11)], [0, 1, 8]);
    assert.ok(machine.harts.every((hart) => hart.sleeping));
    assert.equal(machine.run(tick(100_002)).reason, 'until');
    assert.equal(first!.getX(10), 10_000, 'read right after it woke');
    machine.setTimer(first!, tick(Infinity));
    machine.run(tick(100_010));
    assert.equal(machine.run(tick(200_000)).reason, 'idle');
    assert.equal(machine.tick < 200_000, true);
  });

  it('count their own instructions in minstret and those of all in mcycle', () => {
    const machine = machineOf('loop: addi a0,a0,1\nj loop', 3, 10);
    machine.run(tick(1000));
    const counts = machine.harts.map((hart) => Number(hart.getX(10)));
    assert.equal(2 * counts.reduce((sum, count) => sum + count, 0), 1000);
    const { current } = machine;
    assert.equal(Number(current.readCsr(0xb02)), 2 * current.getX(10));
    assert.equal(Number(current.readCsr(0xb00)), 1000);
  });

  it('a machine with other harts or another quantum refuses the saved state', () => {
    const saved = createMachine({ ramBytes: 2 ** 20, harts: 2 }).save();
    assert.throws(() => createMachine({ ramBytes: 2 ** 20 }).load(saved), /2 harts.*this one has .* 1 hart,/);
    assert.throws(() => createMachine({ ramBytes: 2 ** 20, harts: 2, quantum: 9 }).load(saved), /5000 ticks.*9 ticks/);
    for (const harts of [0, 9, 1.5]) assert.throws(() => createMachine({ ramBytes: 2 ** 20, harts }), /give 1 to 8/);
    assert.throws(() => createMachine({ ramBytes: 2 ** 20, quantum: 0 }), /a slice of 0 ticks/);
  });
});
