/** What the Enclaves view shows, as plain data: one node per session, host, enclave, and "more" row. */
import * as vscode from 'vscode';
import type { EnclaveItem, EnclaveOperationName, HostItem } from '../../debug-adapter/dap/custom';

export interface SessionNode {
  readonly kind: 'session';
  readonly session: vscode.DebugSession;
}
/** `item` is what the adapter said last: VS Code wants one object for a row as long as the row lives. */
export interface HostNode {
  readonly kind: 'host';
  readonly session: vscode.DebugSession;
  item: HostItem;
}
export interface EnclaveNode {
  readonly kind: 'enclave';
  readonly session: vscode.DebugSession;
  item: EnclaveItem;
}
/** Stands for the children that have not been asked for yet. */
export interface MoreNode {
  readonly kind: 'more';
  readonly parent: HostNode | EnclaveNode | SessionNode;
  readonly shown: number;
  readonly total: number;
}
export type Node = SessionNode | HostNode | EnclaveNode | MoreNode;

export const OPERATIONS: readonly EnclaveOperationName[] = ['stop', 'resume', 'destroy'];

const ICONS: Readonly<Record<string, string>> = {
  FRESH: 'circle-outline',
  RUNNABLE: 'circle-filled',
  RUNNING: 'play-circle',
  STOPPED: 'debug-pause',
  ATTESTING: 'verified',
  OCALLING: 'sync',
};

/** A key that is the same for the same thing for the whole session. */
export function nodeId(node: Node): string {
  switch (node.kind) {
    case 'session':
      return node.session.id;
    case 'host':
      return `${node.session.id}/host/${node.item.pid}`;
    case 'enclave':
      return `${node.session.id}/enclave/${node.item.instance}`;
    case 'more':
      return `${nodeId(node.parent)}/more`;
  }
}

/**
 * Rows carry no `id`: VS Code takes an error from two readings of the tree that overlap when they do. Labels are unique among
 * siblings, so it knows the rows again by them.
 */
export function treeItem(node: Node): vscode.TreeItem {
  const { Expanded, Collapsed, None } = vscode.TreeItemCollapsibleState;
  switch (node.kind) {
    case 'session':
      return withIcon(new vscode.TreeItem(node.session.name, Expanded), 'debug-alt');
    case 'host': {
      const item = withIcon(new vscode.TreeItem(node.item.name, Expanded), 'server-process');
      item.description = `host, pid ${node.item.pid}`;
      item.contextValue = 'host';
      return item;
    }
    case 'enclave':
      return enclaveItem(node.item, node.item.type === 'SHADOW' && node.item.children > 0 ? Expanded : None);
    case 'more': {
      const item = withIcon(new vscode.TreeItem(`${node.total - node.shown} more …`, Collapsed), 'ellipsis');
      item.collapsibleState = None;
      item.command = { command: 'penglai.enclaves.more', title: 'Show more', arguments: [node] };
      return item;
    }
  }
}

function enclaveItem(enclave: EnclaveItem, state: vscode.TreeItemCollapsibleState): vscode.TreeItem {
  const item = new vscode.TreeItem(`#${enclave.instance} ${enclave.name || '(unnamed)'}`, state);
  item.description = `${typeText(enclave)}, ${enclave.state}, eid ${enclave.eid}`;
  item.iconPath = new vscode.ThemeIcon(
    enclave.type === 'SHADOW' ? 'layers' : (ICONS[enclave.state] ?? 'circle-outline'),
  );
  // The inline buttons are shown by these words: an operation that is refused has none.
  const allowed = OPERATIONS.filter((operation) => enclave.refused[operation] === undefined);
  item.contextValue = ['enclave', ...allowed].join('.');
  item.tooltip = tooltip(enclave);
  return item;
}

function typeText(enclave: EnclaveItem): string {
  if (enclave.type === 'SHADOW') return 'shadow template';
  if (enclave.template !== undefined) return `instance of #${enclave.template}`;
  return enclave.type === 'SERVER' ? 'server' : 'enclave';
}

/** Plain text: names come from the program being debugged. */
function tooltip(enclave: EnclaveItem): string {
  const lines = [`${typeText(enclave)} #${enclave.instance} ${enclave.name}`, `eid ${enclave.eid}, ${enclave.state}`];
  if (enclave.caller !== undefined) lines.push(`works for #${enclave.caller}`);
  if (enclave.callee !== undefined) lines.push(`waits for #${enclave.callee}`);
  for (const operation of OPERATIONS) {
    const reason = enclave.refused[operation];
    if (reason !== undefined) lines.push(`No ${operation}: ${reason}`);
  }
  return lines.join('\n');
}

function withIcon(item: vscode.TreeItem, icon: string): vscode.TreeItem {
  item.iconPath = new vscode.ThemeIcon(icon);
  return item;
}
