import assert from 'node:assert/strict';
import { join } from 'node:path';
import * as vscode from 'vscode';

const samples = vscode.workspace.workspaceFolders![0]!.uri.fsPath;

describe('the packed extension', () => {
  it('is installed from its .vsix, not loaded from the source folder', () => {
    const extension = vscode.extensions.getExtension('penglai-enclave-debugger.penglai-enclave-debugger');
    assert.ok(extension, 'installed');
    assert.ok(!samples.startsWith(extension.extensionPath), extension.extensionPath);
  });

  it('debugs shadow-fork with a breakpoint in each of its instances', async () => {
    const source = join(samples, 'shadow-fork/hello-world.c');
    const document = await vscode.workspace.openTextDocument(source);
    const line = document
      .getText()
      .split('\n')
      .findIndex((text) => text.includes('// bp: greet'));
    vscode.debug.addBreakpoints([
      new vscode.SourceBreakpoint(new vscode.Location(document.uri, new vscode.Position(line, 0))),
    ]);
    const stops: string[] = [];
    const ended = new Promise<number>((done) => {
      vscode.debug.registerDebugAdapterTrackerFactory('penglai', {
        createDebugAdapterTracker: (session) => ({
          onDidSendMessage(message) {
            if (message.type !== 'event') return;
            if (message.event === 'stopped') {
              stops.push(message.body.reason);
              void session.customRequest('continue', { threadId: message.body.threadId });
            }
            if (message.event === 'exited') done(message.body.exitCode);
          },
        }),
      });
    });
    const program = join(samples, 'build/shadow-fork/host');
    const configuration = { type: 'penglai', request: 'launch', name: 'packed', program, args: ['hello-world', '4'] };
    assert.ok(await vscode.debug.startDebugging(vscode.workspace.workspaceFolders![0], configuration));
    assert.equal(await ended, 0);
    assert.deepEqual(stops, Array(4).fill('breakpoint'));
  });
});
