/** Typed custom requests to a debug session. */
import type * as vscode from 'vscode';
import type { CustomRequests } from '../debug-adapter/dap/custom';

export async function request<Command extends keyof CustomRequests>(
  session: vscode.DebugSession,
  command: Command,
  args: CustomRequests[Command]['arguments'],
): Promise<CustomRequests[Command]['body']> {
  return (await session.customRequest(command, args)) as CustomRequests[Command]['body'];
}
