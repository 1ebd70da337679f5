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
    let stopping = false;
    const report = async (what: string) => {
      const open = 'Open Log';
      const answer = await vscode.window.showErrorMessage(
        `The Penglai debug adapter ${what}. The session has ended.`,
        open,
      );
      if (answer === open) await openLog(logFile(this.context, session));
    };
    return {
      onWillStopSession: () => {
        stopping = true;
      },
      onExit: (code, signal) => {
        if (!stopping && (code || signal))
          void report(signal ? `was killed by ${signal}` : `stopped with exit code ${code}`);
      },
    };
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
