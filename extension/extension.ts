/** Entry point of the extension: puts the parts together. Only this folder imports `vscode`. */
import * as vscode from 'vscode';
import { registerAdapter } from './adapter-process';
import { registerCommands } from './enclaves/commands';
import type { Node } from './enclaves/node';
import { EnclaveTree } from './enclaves/tree';
import { ConfigurationProvider, DEBUG_TYPE } from './launch/configuration';

/** What other extensions and the tests may use. */
export interface PenglaiApi {
  /** The Enclaves view's data. */
  readonly enclaves: vscode.TreeDataProvider<Node>;
}

export function activate(context: vscode.ExtensionContext): PenglaiApi {
  const provider = new ConfigurationProvider();
  const tree = new EnclaveTree();
  const view = vscode.window.createTreeView('penglai.enclaves', { treeDataProvider: tree, showCollapseAll: true });
  const { Dynamic } = vscode.DebugConfigurationProviderTriggerKind;
  context.subscriptions.push(
    tree,
    view,
    vscode.debug.registerDebugConfigurationProvider(DEBUG_TYPE, provider),
    vscode.debug.registerDebugConfigurationProvider(DEBUG_TYPE, provider, Dynamic),
    vscode.debug.onDidStartDebugSession((session) => session.type === DEBUG_TYPE && tree.addSession(session)),
    vscode.debug.onDidTerminateDebugSession((session) => session.type === DEBUG_TYPE && tree.removeSession(session)),
    vscode.debug.onDidReceiveDebugSessionCustomEvent((event) => {
      if (event.session.type !== DEBUG_TYPE || event.event !== 'enclave/changed') return;
      tree.scheduleRefresh();
      void showOnce(context, view, tree);
    }),
  );
  registerAdapter(context);
  registerCommands(context, tree);
  return { enclaves: tree };
}

/**
 * VS Code adds views to Run and Debug collapsed. The first time something lives, this one is opened, without taking the focus;
 * from then on it is as the user left it.
 */
async function showOnce(
  context: vscode.ExtensionContext,
  view: vscode.TreeView<Node>,
  tree: EnclaveTree,
): Promise<void> {
  const key = 'enclavesShown';
  if (context.globalState.get(key)) return;
  const [first] = await tree.getChildren();
  if (!first) return;
  try {
    await view.reveal(first, { select: false, focus: false, expand: true });
    await context.globalState.update(key, true);
  } catch {
    // The row was gone again before the view could show it: the next one will do.
  }
}
