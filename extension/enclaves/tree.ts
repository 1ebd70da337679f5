/**
 * The Enclaves view: hosts, their enclaves, servers and shadow templates with the instances forked from them. It asks the adapter
 * page by page for what is expanded, and is told by `enclave/changed` when something is different. It shows what was answered last and
 * nothing else, so that it cannot disagree with the adapter for longer than one event.
 */
import * as vscode from 'vscode';
import type { EnclaveItem, TreeItem } from '../../debug-adapter/dap/custom';
import { request } from '../requests';
import { nodeId, treeItem, type EnclaveNode, type HostNode, type MoreNode, type Node, type SessionNode } from './node';

/** Children shown before a "more" row. */
const PAGE = 100;

export class EnclaveTree implements vscode.TreeDataProvider<Node> {
  private readonly changed = new vscode.EventEmitter<Node | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly sessions = new Map<string, vscode.DebugSession>();
  /** Number of children asked for, by node id, where it is more than a page. */
  private readonly wanted = new Map<string, number>();
  /** One object for each row ever shown, by node id. */
  private readonly nodes = new Map<string, HostNode | EnclaveNode>();
  private refreshTimer: ReturnType<typeof setTimeout> | undefined;

  addSession(session: vscode.DebugSession): void {
    this.sessions.set(session.id, session);
    this.refresh();
  }

  removeSession(session: vscode.DebugSession): void {
    this.sessions.delete(session.id);
    for (const kept of [this.wanted, this.nodes])
      for (const id of kept.keys()) if (id.startsWith(session.id)) kept.delete(id);
    this.refresh();
  }

  /** Redraws once per burst of changes; the adapter bounds the rate of the event that leads here. */
  scheduleRefresh(): void {
    this.refreshTimer ??= setTimeout(() => {
      this.refreshTimer = undefined;
      this.refresh();
    }, 50);
  }

  showMore(node: MoreNode): void {
    const id = nodeId(node.parent);
    this.wanted.set(id, (this.wanted.get(id) ?? PAGE) + PAGE);
    this.refresh();
  }

  refresh(): void {
    this.changed.fire(undefined);
  }

  getTreeItem(node: Node): vscode.TreeItem {
    return treeItem(node);
  }

  async getChildren(node?: Node): Promise<Node[]> {
    if (!node) {
      const sessions = [...this.sessions.values()].map((session): SessionNode => ({ kind: 'session', session }));
      // One session needs no row of its own.
      const only = sessions.length === 1 ? sessions[0] : undefined;
      return only ? this.childrenOf(only) : sessions;
    }
    return node.kind === 'more' ? [] : this.childrenOf(node);
  }

  /** Needed to reveal a row; only the topmost rows ever are. */
  getParent(): undefined {
    return undefined;
  }

  private async childrenOf(node: SessionNode | HostNode | EnclaveNode): Promise<Node[]> {
    const count = this.wanted.get(nodeId(node)) ?? PAGE;
    const parent = parentArgument(node);
    try {
      const { items, total } = await request(node.session, 'enclave/list', {
        ...(parent && { parent }),
        start: 0,
        count,
      });
      const nodes: Node[] = items.map((item) => this.nodeFor(node.session, item));
      if (total > items.length) nodes.push({ kind: 'more', parent: node, shown: items.length, total });
      return nodes;
    } catch {
      return []; // the session is ending, or has not begun: there is nothing to show
    }
  }

  private nodeFor(session: vscode.DebugSession, item: TreeItem): HostNode | EnclaveNode {
    const node: HostNode | EnclaveNode =
      item.kind === 'host' ? { kind: 'host', session, item } : { kind: 'enclave', session, item };
    const id = nodeId(node);
    const known = this.nodes.get(id);
    if (!known) this.nodes.set(id, node);
    return known ? Object.assign(known, { item }) : node;
  }

  /** Every live enclave of a session, for commands that are not started from a row. */
  async enclavesOf(session: vscode.DebugSession): Promise<EnclaveItem[]> {
    const collect = async (node: SessionNode | HostNode | EnclaveNode): Promise<EnclaveItem[]> => {
      const children = await this.childrenOf(node);
      const below = await Promise.all(
        children.map(async (child) => {
          if (child.kind === 'host') return collect(child);
          if (child.kind !== 'enclave') return [];
          return [child.item, ...(child.item.children > 0 ? await collect(child) : [])];
        }),
      );
      return below.flat();
    };
    return collect({ kind: 'session', session });
  }

  dispose(): void {
    clearTimeout(this.refreshTimer);
    this.changed.dispose();
  }
}

function parentArgument(node: SessionNode | HostNode | EnclaveNode) {
  if (node.kind === 'session') return undefined;
  return node.kind === 'host' ? { pid: node.item.pid } : { instance: node.item.instance };
}
