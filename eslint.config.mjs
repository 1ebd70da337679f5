// Lint rules; `house/arrows` keeps the arrows between the rooms one-way and Node modules at the entry points.
import { builtinModules } from 'node:module';
import { dirname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import tseslint from 'typescript-eslint';

const root = dirname(fileURLToPath(import.meta.url));

/** Which rooms each room may import from, besides itself. The longest matching prefix owns a file. */
const ROOMS = {
  'emulator/isa': [],
  emulator: ['emulator/isa'],
  monitor: ['emulator', 'emulator/isa'],
  'debug-adapter/symbols': [],
  'debug-adapter/dap': [],
  'debug-adapter/inspect': ['debug-adapter/symbols', 'debug-adapter', 'monitor', 'emulator', 'emulator/isa'],
  'debug-adapter': [
    'debug-adapter/symbols',
    'debug-adapter/dap',
    'debug-adapter/inspect',
    'monitor',
    'emulator',
    'emulator/isa',
  ],
  // The editor talks to the adapter in DAP; all it may share with it is the typing of the custom requests.
  extension: ['debug-adapter/dap'],
  'samples/toolchain': [],
  cli: [
    'debug-adapter',
    'debug-adapter/symbols',
    'debug-adapter/inspect',
    'monitor',
    'emulator',
    'emulator/isa',
    'samples/toolchain',
  ],
};
/** Files that may import Node modules: the entry points and what only ever runs under them. */
const NODE_ALLOWED = [
  /^(docs\/)?[^/]+\.mjs$/,
  /^cli\//,
  /^extension\//,
  /^test\//,
  /^samples\/toolchain\//,
  /^debug-adapter\/(main|node-files|node-flags)\.ts$/,
];
const NODE_MODULES = new Set([...builtinModules, ...builtinModules.map((name) => `node:${name}`)]);

const roomOf = (file) =>
  Object.keys(ROOMS)
    .filter((room) => file.startsWith(room + '/'))
    .sort((a, b) => b.length - a.length)[0];

const arrows = {
  meta: { type: 'problem', schema: [], messages: { arrow: '{{text}}' } },
  create(context) {
    const file = relative(root, context.filename).split(sep).join('/');
    const check = (node) => {
      const target = node.source?.value;
      if (typeof target !== 'string' || file.startsWith('test/')) return;
      const report = (text) => context.report({ node, messageId: 'arrow', data: { text } });
      if (NODE_MODULES.has(target) && !NODE_ALLOWED.some((allowed) => allowed.test(file)))
        report(`${file} must not import ${target}: only entry points may use Node modules.`);
      if (target === 'vscode' && !file.startsWith('extension/')) report('Only extension/ may import vscode.');
      if (!target.startsWith('.')) return;
      const from = roomOf(file);
      const to = roomOf(
        relative(root, resolve(dirname(context.filename), target))
          .split(sep)
          .join('/') + '/',
      );
      if (from && to && from !== to && !ROOMS[from].includes(to)) report(`${from} must not import ${to}.`);
    };
    return { ImportDeclaration: check, ExportNamedDeclaration: check, ExportAllDeclaration: check };
  },
};

export default tseslint.config(
  { ignores: ['dist/', 'out/', '**/node_modules/', 'samples/build/', '.vscode-test/', 'emulator/*/generated/'] },
  ...tseslint.configs.recommended,
  {
    plugins: { house: { rules: { arrows } } },
    rules: {
      'house/arrows': 'error',
      eqeqeq: 'error',
      'no-console': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  // mocha loads a reporter by require().
  { files: ['**/*.cjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
);
