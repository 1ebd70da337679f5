import assert from 'node:assert/strict';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { ConfigurationProvider } from '../../extension/launch/configuration';
import { samples } from './recorder';

/** What VS Code hands to a provider when F5 is pressed and there is no launch.json. */
const NOTHING = {} as vscode.DebugConfiguration;
const folder = () => vscode.workspace.workspaceFolders![0];

async function resolveBeside(file: string) {
  await vscode.window.showTextDocument(vscode.Uri.file(join(samples, file)));
  return new ConfigurationProvider().resolveDebugConfiguration(folder(), NOTHING);
}

describe('F5 without a launch.json', () => {
  afterEach(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));

  for (const [file, program, enclave] of [
    ['shadow-fork/hello-world.c', 'build/shadow-fork/host', 'hello-world'],
    ['stop-resume/loop.c', 'build/stop-resume/host', 'loop'],
  ] as const)
    it(`in ${file} starts ${program} with the enclave beside it`, async () => {
      const configuration = await resolveBeside(file);
      assert.equal(configuration?.type, 'penglai');
      assert.equal(configuration?.['program'], join(samples, program));
      assert.deepEqual(configuration?.['args'], [enclave]);
    });

  it('asks for the arguments when several enclaves lie beside the host', async () => {
    const answer = resolveBeside('server-chain/server.c');
    for (let i = 0; i < 100; i++) {
      // Accepts the box once it is there; before that the command does nothing.
      await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
      const done = await Promise.race([answer, new Promise<'open'>((later) => setTimeout(later, 100, 'open'))]);
      if (done !== 'open') return assert.deepEqual(done?.['args'], ['caller', 'server', 'server1']);
    }
    assert.fail('the box was never answered');
  });

  it('leaves a configuration that says something as it is', async () => {
    const given = { type: 'penglai', request: 'launch', name: 'mine', program: '/nowhere' };
    assert.deepEqual(await new ConfigurationProvider().resolveDebugConfiguration(folder(), given), given);
  });

  it('offers every host of the folder when a launch.json is made', async () => {
    const offered = await new ConfigurationProvider().provideDebugConfigurations(folder());
    assert.deepEqual(offered.map((configuration) => configuration['program']).sort(), [
      '${workspaceFolder}/build/hazards/host',
      '${workspaceFolder}/build/hello-world/host',
      '${workspaceFolder}/build/server-chain/host',
      '${workspaceFolder}/build/shadow-fork/host',
      '${workspaceFolder}/build/stop-resume/host',
    ]);
  });
});
