/**
 * Completes debug configurations. With no launch.json it proposes the host nearest to the active file, asks when several are
 * equally near, and explains when there is none.
 */
import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { findPrograms } from './programs';

export const DEBUG_TYPE = 'penglai';

export class ConfigurationProvider implements vscode.DebugConfigurationProvider {
  /** What "create a launch.json" and the drop-down with no launch.json offer. */
  async provideDebugConfigurations(folder?: vscode.WorkspaceFolder): Promise<vscode.DebugConfiguration[]> {
    const programs = await findPrograms(folder, activeFile());
    return programs.hosts.slice(0, 10).map((program) => ({
      type: DEBUG_TYPE,
      request: 'launch',
      name: `Debug ${basename(dirname(program))}/${basename(program)}`,
      program: folder ? program.replace(folder.uri.fsPath, '${workspaceFolder}') : program,
      args: enclavesBeside(program, programs.enclaves),
    }));
  }

  async resolveDebugConfiguration(
    folder: vscode.WorkspaceFolder | undefined,
    configuration: vscode.DebugConfiguration,
  ): Promise<vscode.DebugConfiguration | undefined | null> {
    if (!vscode.workspace.isTrusted) {
      void vscode.window.showErrorMessage(
        'Debugging starts programs and tasks of this workspace: trust the workspace first.',
      );
      return undefined;
    }
    if (configuration.type || configuration.request || configuration.name) return configuration;
    return proposeConfiguration(folder);
  }
}

async function proposeConfiguration(
  folder?: vscode.WorkspaceFolder,
): Promise<vscode.DebugConfiguration | undefined | null> {
  const programs = await findPrograms(folder, activeFile());
  const program = programs.nearest.length > 1 ? await pickProgram(programs.nearest) : programs.nearest[0];
  if (!program) return programs.hosts.length === 0 ? explainNone() : undefined;
  const enclaves = enclavesBeside(program, programs.enclaves);
  const args = enclaves.length > 1 ? await askArguments(program, enclaves) : enclaves;
  if (!args) return undefined;
  return { type: DEBUG_TYPE, request: 'launch', name: `Debug ${basename(program)}`, program, args };
}

function activeFile(): string | undefined {
  const document = vscode.window.activeTextEditor?.document;
  return document?.uri.scheme === 'file' ? document.uri.fsPath : undefined;
}

function enclavesBeside(program: string, enclaves: readonly string[]): string[] {
  return enclaves.filter((path) => dirname(path) === dirname(program)).map((path) => basename(path));
}

async function pickProgram(programs: readonly string[]): Promise<string | undefined> {
  const picked = await vscode.window.showQuickPick(
    programs.map((path) => ({
      label: basename(path),
      description: vscode.workspace.asRelativePath(dirname(path)),
      path,
    })),
    { placeHolder: 'Several host programs are here: which one is to be debugged?' },
  );
  return picked?.path;
}

async function askArguments(program: string, enclaves: readonly string[]): Promise<string[] | undefined> {
  const text = await vscode.window.showInputBox({
    prompt: `Arguments of ${basename(program)}, separated by blanks: several enclaves lie beside it`,
    value: enclaves.join(' '),
  });
  return text?.split(' ').filter(Boolean);
}

/** Returning null lets VS Code open launch.json; the message says what is missing. */
async function explainNone(): Promise<null | undefined> {
  const create = 'Create launch.json';
  const answer = await vscode.window.showErrorMessage(
    'No RISC-V host program was found in this workspace. Build one (riscv64 gcc, or `penglai cc --host`), or name it as "program" in launch.json.',
    create,
  );
  return answer === create ? null : undefined;
}
