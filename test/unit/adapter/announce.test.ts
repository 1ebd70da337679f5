/** The tree and the announcements: what changed, in bounded pieces. */
import assert from 'node:assert/strict';
import { space, tick } from '../../../emulator/units';
import type { EnclaveInfo, SystemEvent } from '../../../monitor/system/types';
import { instance } from '../../../monitor/types';
import type { EnclaveChangedBody, EnclaveItem, EnclaveTransitionBody } from '../../../debug-adapter/dap/custom';
import { Announcer } from '../../../debug-adapter/session/announce';

const enclave = (number: number, more: Partial<EnclaveInfo> = {}): EnclaveInfo => ({
  ...{ instance: instance(number), eid: 0x1000 + number, name: `e${number}`, type: 'NORMAL', state: 'FRESH', pid: 1 },
  ...{ space: space(number), imageHash: '', refused: {} },
  ...more,
});

function start() {
  const world = { enclaves: [] as EnclaveInfo[], now: 0 };
  const sent: [string, unknown][] = [];
  const system = {
    processes: () => [{ pid: 1, name: 'host', space: space(1), images: [] }],
    enclaves: () => world.enclaves,
  };
  const announcer = new Announcer(
    system,
    (name, body) => void sent.push([name, body]),
    () => world.now,
    () => ({ id: 1, name: 'm' }),
  );
  const event = (body: SystemEvent) => announcer.event({ ...body, tick: tick(5), sequence: 1 });
  const of = <T>(name: string) => sent.filter(([n]) => n === name).map(([, body]) => body as T);
  return { world, sent, announcer, event, of };
}

describe('The tree', () => {
  it('shows hosts, below them what they own, and instances below their template', () => {
    const { world, announcer } = start();
    world.enclaves = [enclave(1, { type: 'SHADOW' }), enclave(2, { template: instance(1) }), enclave(3)];
    const { tree } = announcer;
    assert.deepEqual(tree.list({}), { items: [{ kind: 'host', pid: 1, name: 'host', children: 2 }], total: 1 });
    const numbers = (parent: { pid: number } | { instance: number }) =>
      tree.list({ parent }).items.map((item) => [(item as EnclaveItem).instance, item.children]);
    assert.deepEqual(numbers({ pid: 1 }), [
      [1, 1],
      [3, 0],
    ]);
    assert.deepEqual(numbers({ instance: 1 }), [[2, 0]]);
  });

  it('keeps an instance visible whose template is gone', () => {
    const { world, announcer } = start();
    world.enclaves = [enclave(2, { template: instance(1) })];
    assert.equal(announcer.tree.list({ parent: { pid: 1 } }).total, 1);
  });

  it('is read a page at a time', () => {
    const { world, announcer } = start();
    world.enclaves = Array.from({ length: 300 }, (_, i) => enclave(i + 1));
    const page = announcer.tree.list({ parent: { pid: 1 }, start: 290, count: 20 });
    assert.deepEqual([page.items.length, page.total], [10, 300]);
  });

  it('tells what changed and what is gone, at a bounded rate', () => {
    const { world, announcer, of } = start();
    world.enclaves = [enclave(1)];
    announcer.flush();
    world.enclaves = [enclave(1, { state: 'RUNNING' }), enclave(2)];
    world.now = 50;
    announcer.flush();
    assert.equal(of('enclave/changed').length, 1, 'too early for another');
    world.now = 100;
    announcer.flush();
    world.enclaves = [enclave(2)];
    world.now = 200;
    announcer.flush();
    world.now = 300;
    announcer.flush();
    const changes = of<EnclaveChangedBody>('enclave/changed');
    assert.deepEqual(
      changes
        .slice(1)
        .map(({ items, removed }) => [
          items.filter((item) => item.kind === 'enclave').map((item) => item.instance),
          removed,
        ]),
      [
        [[1, 2], []],
        [[], [{ instance: 1 }]], // and the host, which has one child less
      ],
    );
  });

  it('asks to be read again when very much changed at once', () => {
    const { world, announcer, of } = start();
    world.enclaves = Array.from({ length: 1000 }, (_, i) => enclave(i + 1));
    announcer.flush();
    assert.deepEqual(of('enclave/changed'), [{ items: [], removed: [], refresh: true }]);
  });
});

describe('Announcements', () => {
  const created = (number: number, name = 'server'): SystemEvent => ({
    ...{
      kind: 'enclave-created',
      instance: instance(number),
      type: 'SERVER',
      name,
      eid: 0x1000 + number,
      monitorEid: number,
    },
    ...{ space: space(9), imageHash: '', pid: 1 },
  });
  const transition: SystemEvent = {
    ...{ kind: 'transition', name: 'call_enclave', from: instance(1), to: instance(2), tid: 3 },
  };

  it('call an enclave without a name an enclave', () => {
    const { event, announcer } = start();
    event(created(4, ''));
    assert.equal(announcer.nameOf(4), 'enclave #4');
    assert.equal(announcer.nameOf(5), 'enclave #5', 'never heard of');
    event(created(6));
    assert.equal(announcer.nameOf(6), 'server #6');
  });

  it('tell a transition with both instances', () => {
    const { event, of } = start();
    event(created(1));
    event(created(2));
    event(transition);
    assert.deepEqual(of('enclave/transition'), [
      {
        ...{ name: 'call_enclave', tid: 3, tick: 5 },
        from: { instance: 1, name: 'server', eid: '0x1001' },
        to: { instance: 2, name: 'server', eid: '0x1002' },
      },
    ]);
  });

  it('tell a flood of transitions in part, and how many are missing', () => {
    const { event, of, world } = start();
    for (let i = 0; i < 1000; i++) event(transition);
    const told = of('enclave/transition').length;
    assert.ok(told < 300, `${told}`);
    world.now = 1000;
    event(transition);
    assert.equal(of<EnclaveTransitionBody>('enclave/transition').at(-1)!.omitted, 1000 - told);
  });

  it('mark what an enclave prints with its name', () => {
    const { event, of, announcer } = start();
    event(created(2));
    event({ kind: 'console', text: 'hello world!\n', source: { instance: 2 } });
    announcer.flush();
    assert.deepEqual(of('output'), [{ category: 'console', output: '[server #2] hello world!\n' }]);
  });

  it('warn about enclaves the host left alive', () => {
    const { event, of, announcer } = start();
    event(created(2));
    event({ kind: 'enclave-gone', instance: instance(2), why: 'owner-exited' });
    announcer.flush(true);
    assert.match((of('output')[0] as { output: string }).output, /an enclave was alive: server #2.*ENCLAVES_LEFT/);
  });
});
