/**
 * Hosts and enclaves as the client's tree shows them: pages on request, and what changed since the last time, so that two
 * hundred forked instances cost a bounded number of small messages. Plain data of ../dap/custom.ts.
 */
import { printable } from '../inspect/printable';
import type { EnclaveInfo, System } from '../../monitor/system/types';
import {
  LIST_PAGE_MAX,
  type EnclaveChangedBody,
  type EnclaveItem,
  type EnclaveListArguments,
  type EnclaveListBody,
  type HostItem,
  type TreeItem,
} from '../dap/custom';

/** More changed items than this are not sent one by one: the client reads what it shows. */
const CHANGES_MAX = 200;

type Inventory = Pick<System, 'processes' | 'enclaves'>;

export const hexEid = (eid: number): string => `0x${eid.toString(16)}`;

export class Tree {
  private known = new Map<string, string>();

  constructor(private readonly system: Inventory) {}

  list({ parent, start = 0, count = LIST_PAGE_MAX }: EnclaveListArguments): EnclaveListBody {
    const all = this.children(parent);
    return { items: all.slice(start, start + Math.min(count, LIST_PAGE_MAX)), total: all.length };
  }

  /** What is different from the last time it was asked; undefined when nothing is. */
  changes(): EnclaveChangedBody | undefined {
    const now = new Map<string, { item: TreeItem; text: string }>();
    for (const item of this.all()) now.set(keyOf(item), { item, text: JSON.stringify(item) });
    const items = [...now].filter(([key, { text }]) => this.known.get(key) !== text).map(([, { item }]) => item);
    const removed = [...this.known.keys()].filter((key) => !now.has(key)).map(fromKey);
    if (items.length === 0 && removed.length === 0) return undefined;
    this.known = new Map([...now].map(([key, { text }]) => [key, text]));
    if (items.length + removed.length > CHANGES_MAX) return { items: [], removed: [], refresh: true };
    return { items, removed };
  }

  private all(): TreeItem[] {
    const enclaves = this.system.enclaves();
    const forked = countBy(enclaves, (enclave) => enclave.template);
    return [...this.hosts(enclaves), ...enclaves.map((enclave) => toItem(enclave, forked.get(enclave.instance) ?? 0))];
  }

  private children(parent: EnclaveListArguments['parent']): readonly TreeItem[] {
    const enclaves = this.system.enclaves();
    if (!parent) return this.hosts(enclaves);
    const forked = countBy(enclaves, (enclave) => enclave.template);
    const wanted = (enclave: EnclaveInfo) =>
      'pid' in parent ? enclave.pid === parent.pid && isTop(enclave, enclaves) : enclave.template === parent.instance;
    return enclaves.filter(wanted).map((enclave) => toItem(enclave, forked.get(enclave.instance) ?? 0));
  }

  private hosts(enclaves: readonly EnclaveInfo[]): HostItem[] {
    const owned = countBy(
      enclaves.filter((enclave) => isTop(enclave, enclaves)),
      (enclave) => enclave.pid,
    );
    return this.system
      .processes()
      .map(({ pid, name }) => ({ kind: 'host', pid, name: printable(name), children: owned.get(pid) ?? 0 }));
  }
}

/** Directly below its host: instances are below their template while there is one. */
function isTop({ template }: EnclaveInfo, enclaves: readonly EnclaveInfo[]): boolean {
  return template === undefined || !enclaves.some(({ instance }) => instance === template);
}

function toItem(enclave: EnclaveInfo, children: number): EnclaveItem {
  const { instance, eid, name, type, state, pid, template, tid, caller, callee, refused } = enclave;
  return {
    kind: 'enclave',
    ...{ instance, eid: hexEid(eid), name: printable(name), type, state, pid, children, refused },
    ...(template === undefined ? {} : { template }),
    ...(tid === undefined ? {} : { tid }),
    ...(caller === undefined ? {} : { caller }),
    ...(callee === undefined ? {} : { callee }),
  };
}

function keyOf(item: TreeItem): string {
  return item.kind === 'host' ? `p${item.pid}` : `i${item.instance}`;
}

function fromKey(key: string): { pid: number } | { instance: number } {
  const number = Number(key.slice(1));
  return key.startsWith('p') ? { pid: number } : { instance: number };
}

function countBy<T, K>(items: readonly T[], key: (item: T) => K): Map<K, number> {
  const counts = new Map<K, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}
