/** The debug adapter's process as the editor sees it: where it logs, and what the user is told when it dies. */
import * as vscode from 'vscode';
import { DEBUG_TYPE } from './launch/configuration';

/** One log per session, in the folder VS Code keeps for this extension's logs. */
function logFile(context: vscode.ExtensionContext, session: vscode.DebugSession): vscode.Uri {
  return vscode.Uri.joinPath(context.logUri, `debug-adapter-${session.id}.log`);
}

/** Gives the adapter of the manifest its log file. */
class AdapterFactory implements vscode.DebugAdapterDescriptorFactory {
  constructor(private readonly context: vscode.ExtensionContext) {}

  async createDebugAdapterDescriptor(
    session: vscode.DebugSession,
    executable: vscode.DebugAdapterExecutable | undefined,
  ): Promise<vscode.DebugAdapterDescriptor | undefined> {
    if (!executable) return undefined;
    await vscode.workspace.fs.createDirectory(this.context.logUri);
    const args = [...executable.args, '--log', logFile(this.context, session).fsPath];
    return new vscode.DebugAdapterExecutable(executable.command, args, executable.options);
  }
}

/** Says so when an adapter ends with an error, and offers its log. */
class CrashReporter implements vscode.DebugAdapterTrackerFactory {
  constructor(private readonly context: vscode.ExtensionContext) {}

  createDebugAdapterTracker(session: vscode.DebugSession): vscode.DebugAdapterTracker {
    let expected = false;
    return {
      onWillStopSession: () => {
        expected = true;
      },
      onDidSendMessage: (message: { type: string; event?: string }) => {
        if (message.type === 'event' && message.event === 'terminated') expected = true;
      },
      // VS Code passes no code for a process that was killed: an end nobody announced is what counts.
      onExit: (code) => {
        if (!expected) void this.report(session, code);
      },
    };
  }

  private async report(session: vscode.DebugSession, code: number | undefined): Promise<void> {
    const open = 'Open Log';
    const how = code ? `stopped with exit code ${code}` : 'was killed';
    const message = `The Penglai debug adapter ${how}; the session has ended. Its log may say why.`;
    if ((await vscode.window.showErrorMessage(message, open)) === open) await openLog(logFile(this.context, session));
  }
}

async function openLog(file: vscode.Uri): Promise<void> {
  try {
    await vscode.window.showTextDocument(file);
  } catch {
    void vscode.window.showWarningMessage(`The adapter wrote no log at ${file.fsPath}.`);
  }
}

export function registerAdapter(context: vscode.ExtensionContext): void {
  context.subscriptions.push(
    vscode.debug.registerDebugAdapterDescriptorFactory(DEBUG_TYPE, new AdapterFactory(context)),
    vscode.debug.registerDebugAdapterTrackerFactory(DEBUG_TYPE, new CrashReporter(context)),
  );
}
