import assert from 'node:assert/strict';
import { EMPTY_FIFO, firstOf, joined, left, membersFrom, sizeOf, type Fifo } from '../../../emulator/machine/fifo';

const members = (queue: Fifo, place = 0): number[] => [...membersFrom(queue, place)].map(({ tie }) => tie);

describe('a queue as a persistent value', () => {
  const three = [7, -3, 5].reduce(joined, EMPTY_FIFO);

  it('has its members in the order they came, negative ones among them', () => {
    assert.deepEqual(members(three), [7, -3, 5]);
    assert.equal(firstOf(three), 7);
    assert.equal(firstOf(EMPTY_FIFO), undefined);
  });

  it('lets anybody leave, and who comes again stands at the end', () => {
    const without = left(three, 7);
    assert.deepEqual(members(without), [-3, 5]);
    assert.deepEqual(members(joined(without, 7)), [-3, 5, 7]);
    assert.deepEqual(members(three), [7, -3, 5]);
  });

  it('has nobody twice, and does not miss who was not there', () => {
    assert.equal(joined(three, -3), three);
    assert.equal(left(three, 9), three);
    assert.equal(sizeOf(three), 3);
  });

  it('is looked through from a place on, whoever has left before it', () => {
    let queue = EMPTY_FIFO;
    for (let id = 0; id < 1000; id++) queue = joined(queue, id);
    for (let id = 0; id < 1000; id += 3) queue = left(queue, id);
    const expected = Array.from({ length: 1000 }, (_, id) => id).filter((id) => id % 3 !== 0);
    assert.deepEqual(members(queue), expected);
    for (const place of [0, 1, 3, 500, 998, 999, 1000])
      assert.deepEqual(
        members(queue, place),
        expected.filter((id) => id >= place),
      );
  });
});
