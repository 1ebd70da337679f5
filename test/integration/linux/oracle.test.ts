import assert from 'node:assert/strict';
import { compareWithGolden } from '../../tools/golden';
import { compile, needsCompiler } from './compile';
import { newHost } from './host';
import { goldenFile, hasOracle, onLinux } from './oracle';

describe('The same program on Linux and here', function () {
  before(function () {
    needsCompiler(this);
  });

  for (const [name, title] of [
    ['maps', 'mappings of files and of shared memory are coherent, private, and end with the file'],
    ['ipc', 'segments of shared memory and copies between files'],
    ['tree', 'files are opened, named, read, locked and described alike'],
  ] as const)
    it(`${name}: ${title}`, () => {
      const host = newHost({ program: compile(name) });
      assert.deepEqual(host.run(), { reason: 'halted' });
      compareWithGolden(goldenFile(name), host.text());
      assert.equal(host.linux.exitStatus, 0);
      if (hasOracle()) assert.deepEqual({ text: host.text(), status: host.linux.exitStatus }, onLinux(name));
    });
});
