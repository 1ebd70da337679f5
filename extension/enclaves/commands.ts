/** Stop, resume and destroy: from a row's button or menu, or from the palette with a pick. */
import * as vscode from 'vscode';
import type { EnclaveItem, EnclaveOperationName } from '../../debug-adapter/dap/custom';
import { DEBUG_TYPE } from '../launch/configuration';
import { request } from '../requests';
import type { EnclaveNode, MoreNode } from './node';
import type { EnclaveTree } from './tree';

const VERBS: Readonly<Record<EnclaveOperationName, string>> = { stop: 'Stop', resume: 'Resume', destroy: 'Destroy' };

export function registerCommands(context: vscode.ExtensionContext, tree: EnclaveTree): void {
  const register = (name: string, run: (...args: never[]) => unknown) =>
    context.subscriptions.push(vscode.commands.registerCommand(name, run));
  for (const operation of Object.keys(VERBS) as EnclaveOperationName[])
    register(`penglai.enclave.${operation}`, (node?: EnclaveNode) => operate(tree, operation, node));
  register('penglai.enclaves.more', (node: MoreNode) => tree.showMore(node));
  register('penglai.enclaves.refresh', () => tree.refresh());
}

/** Resolves to whether the enclave took the operation; says why when it did not. */
async function operate(tree: EnclaveTree, operation: EnclaveOperationName, node?: EnclaveNode): Promise<boolean> {
  const target = node ?? (await pick(tree, operation));
  if (!target) return false;
  const { instance, name } = target.item;
  try {
    const answer = await request(target.session, `enclave/${operation}`, { instance });
    if (!answer.ok) void refuse(operation, `#${instance} ${name}`, answer.message ?? 'the monitor refused it');
    return answer.ok;
  } catch (error) {
    void refuse(operation, `#${instance} ${name}`, error instanceof Error ? error.message : String(error));
    return false;
  }
}

function refuse(operation: EnclaveOperationName, what: string, why: string) {
  return vscode.window.showWarningMessage(`${VERBS[operation]} ${what}: ${why}`);
}

async function pick(
  tree: EnclaveTree,
  operation: EnclaveOperationName,
): Promise<Pick<EnclaveNode, 'session' | 'item'> | undefined> {
  const session = vscode.debug.activeDebugSession;
  if (session?.type !== DEBUG_TYPE) {
    void vscode.window.showInformationMessage('No Penglai program is being debugged. Start one with F5.');
    return undefined;
  }
  const enclaves = await tree.enclavesOf(session);
  if (enclaves.length === 0) {
    void vscode.window.showInformationMessage('No enclave is alive right now.');
    return undefined;
  }
  const describe = (item: EnclaveItem) => ({
    label: `#${item.instance} ${item.name}`,
    description: `${item.type}, ${item.state}, eid ${item.eid}`,
    detail: item.refused[operation] ?? '',
    item,
  });
  const picked = await vscode.window.showQuickPick(enclaves.map(describe), {
    placeHolder: `${VERBS[operation]} which enclave?`,
  });
  return picked && { session, item: picked.item };
}
