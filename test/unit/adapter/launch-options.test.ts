/** Launch attributes: what is wrong is named, and defaults are what the manual says. */
import assert from 'node:assert/strict';
import { AdapterError } from '../../../debug-adapter/errors';
import { parseLaunch } from '../../../debug-adapter/session/launch-options';

function refusal(given: Record<string, unknown>): AdapterError {
  try {
    parseLaunch(given);
  } catch (error) {
    assert.ok(error instanceof AdapterError, String(error));
    return error;
  }
  return assert.fail('it was accepted');
}

describe('A launch configuration', () => {
  it('needs a program and nothing else', () => {
    assert.deepEqual(parseLaunch({ program: '/p/host' }), {
      ...{ program: '/p/host', args: [], env: {}, sdkFiles: undefined, stopOnEntry: false, stdin: undefined },
      ...{ root: undefined, mounts: undefined },
      ...{
        sourceMap: {},
        trace: false,
        commands: undefined,
        transitions: false,
        cwd: undefined,
        seed: undefined,
        memoryMiB: undefined,
        pace: 'real',
        limits: undefined,
        attestation: undefined,
        keys: undefined,
        rootKey: undefined,
        hazards: undefined,
      },
      schedule: undefined,
      noDebug: false,
    });
  });

  it('may carry what editors add', () => {
    const given = {
      program: '/p',
      type: 'penglai',
      request: 'launch',
      name: 'x',
      __sessionId: '1',
      preLaunchTask: 'b',
    };
    assert.equal(parseLaunch(given).program, '/p');
  });

  it('is refused without a program', () => {
    assert.match(refusal({}).text, /"program" must be the path of the host program.*BAD_ATTRIBUTE/);
  });

  it('is refused when an attribute has the wrong type, and the message says what it must be', () => {
    for (const [name, value, must] of [
      ['program', 3, /the path of the host program/],
      ['args', 'a b', /an array of strings/],
      ['args', [1], /an array of strings/],
      ['env', { A: 1 }, /an object whose values are strings/],
      ['sdkFiles', 'x', /an array of paths/],
      ['mounts', { '/lib': 1 }, /places in the machine/],
      ['root', '', /the path of a folder/],
      ['stopOnEntry', 'yes', /true or false/],
      ['stdin', '', /the path of a file/],
      ['sourceMap', [], /an object that maps folders/],
      ['trace', 3, /true, false or the path/],
      ['seed', -1, /an integer from 0/],
      ['seed', 1.5, /an integer from 0/],
      ['memoryMiB', 1, /from 64 to 3072/],
      ['schedule', { quantum: 10 }, /"quantum": ticks from 1000/],
      ['schedule', { quantun: 5000 }, /"quantum": ticks/],
      ['pace', 'slow', /"real" or "fast"/],
    ] as const) {
      const error = refusal({ program: '/p', [name]: value });
      assert.equal(error.code, 'BAD_ATTRIBUTE', name);
      assert.match(error.text, must);
      assert.ok(error.showUser);
    }
  });

  it('is refused when an attribute is misspelt, with the one that was meant', () => {
    assert.match(
      refusal({ program: '/p', stopOnEntyr: true }).text,
      /"stopOnEntyr" does not exist. Did you mean "stopOnEntry"\?/,
    );
    assert.match(refusal({ program: '/p', sdkfiles: [] }).text, /Did you mean "sdkFiles"/);
    assert.match(refusal({ program: '/p', initCommands: ['x'] }).text, /"initCommands" does not exist. Remove it/);
  });

  it('does not take a property of every object for an attribute', () => {
    assert.equal(refusal({ program: '/p', constructor: 1 }).code, 'UNKNOWN_ATTRIBUTE');
  });

  it('needs an absolute program, or a folder to start from', () => {
    assert.match(refusal({ program: 'host' }).text, /absolute/);
    assert.equal(parseLaunch({ program: 'host', cwd: '/w' }).cwd, '/w');
    assert.equal(parseLaunch({ program: 'C:\\w\\host' }).program, 'C:\\w\\host');
  });
});
