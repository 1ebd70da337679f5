#!/usr/bin/env node
// `npm run shots`: drives the real workbench like a person would, by keys and clicks, and takes the pictures of the README and of
// review: 1280x800, stack, tree and locals open. `npm run shots -- FOLDER` writes them elsewhere than docs/images/.
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withWorkbench } from '../../extension/workbench/test-host.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const samples = join(root, 'samples');
const out = resolve(process.argv[2] ?? join(root, 'docs/images'));
mkdirSync(out, { recursive: true });

const SETTINGS = {
  'window.title': '${activeEditorShort} — Penglai Enclave Debugger',
  'debug.openDebug': 'openOnDebugBreak',
  'debug.toolBarLocation': 'docked',
  'debug.internalConsoleOptions': 'neverOpen',
  'workbench.layoutControl.enabled': false,
  'editor.minimap.enabled': false,
};
/** A window of 1600x1000, shown at 0.8: room for the whole stack in a picture of 1280x800. */
const WINDOW = { viewport: { width: 1600, height: 1000 }, scale: 0.8 };
const SIDE_BAR = 640;

const markerLine = (file, name) =>
  readFileSync(join(samples, file), 'utf8')
    .split('\n')
    .findIndex((text) => text.includes(`// bp: ${name}`)) + 1;

/** The few things a person does, with waits for what they would wait to see. */
class Person {
  constructor(page) {
    this.page = page;
    page.setDefaultTimeout(30_000);
  }

  async begin() {
    await this.page.evaluate(() => window.driver.whenWorkbenchRestored());
    await this.page.keyboard.press('Control+Shift+D');
    await this.page.locator('.pane-header', { hasText: /call stack/i }).waitFor();
    const sash = { x: 348, y: 500 };
    await this.page.mouse.move(sash.x, sash.y);
    await this.page.mouse.down();
    await this.page.mouse.move(SIDE_BAR, sash.y, { steps: 8 });
    await this.page.mouse.up();
    await this.pane('Watch', false);
    await this.pane('Breakpoints', false);
    await this.pane('Enclaves', true);
  }

  async pane(name, open) {
    const header = this.page.locator('.pane-header', { hasText: new RegExp(`^${name}`, 'i') }).first();
    if ((await header.getAttribute('aria-expanded')) !== String(open)) await header.click();
  }

  async quickOpen(text) {
    await this.page.keyboard.press('Control+P');
    await this.page.locator('.quick-input-widget input').first().fill(text);
    await this.page.waitForTimeout(900);
    await this.page.keyboard.press('Enter');
    await this.page.waitForTimeout(700);
  }

  /** Opens a file at a marker and sets a breakpoint there with F9, again until the dot is seen. */
  async breakAt(file, marker) {
    const line = markerLine(file, marker);
    // The list may still show an earlier match when Enter is pressed.
    const tab = this.page.locator('.tab.active', { hasText: new RegExp(`^${basename(file)}$`) });
    for (let i = 0; i < 5 && (await tab.count()) === 0; i++) await this.quickOpen(`${file}:${line}`);
    const dot = this.page.locator('.margin .codicon-debug-breakpoint, .margin .codicon-debug-breakpoint-unverified');
    for (let i = 0; i < 20 && (await dot.count()) === 0; i++) {
      await this.page.keyboard.press('F9');
      await this.page.waitForTimeout(700);
    }
  }

  async start(configuration) {
    await this.page.keyboard.press('Control+P');
    await this.page.locator('.quick-input-widget input').first().fill(`debug ${configuration}`);
    // Enter before the list follows the text would start another one.
    await this.page.locator('.quick-input-list .monaco-list-row', { hasText: configuration }).first().waitFor();
    await this.page.waitForTimeout(900);
    await this.page.keyboard.press('Enter');
  }

  frame(text) {
    return this.page.locator('.debug-call-stack .stack-frame', { hasText: text });
  }

  async click(button) {
    await this.page
      .locator('.debug-toolbar .action-label, .debug-toolbar a')
      .and(this.page.getByLabel(button))
      .first()
      .click();
  }

  async shot(name) {
    await this.page.mouse.move(1300, 20); // no tooltip in the picture
    await this.page.waitForTimeout(1500);
    await this.page.screenshot({ path: join(out, `${name}.png`) });
    console.log(join(out, `${name}.png`));
  }

  async stop() {
    await this.page.keyboard.press('Shift+F5');
    await this.page.locator('.debug-call-stack .stack-frame').first().waitFor({ state: 'detached' });
  }
}

async function story(name, tell) {
  await withWorkbench(
    { extensionDevelopmentPath: [root], folder: samples, settings: SETTINGS, ...WINDOW },
    async ({ page }) => {
      const person = new Person(page);
      try {
        await person.begin();
        await tell(person);
      } catch (error) {
        await page.screenshot({ path: join(out, `${name}-failed.png`) });
        throw error;
      }
    },
  );
}

const stories = {
  'shadow-fork': async (person) => {
    await person.breakAt('shadow-fork/hello-world.c', 'greet');
    await person.start('shadow-fork');
    await person.frame('fork_instance').first().waitFor();
    await person.shot('shadow-fork');
    await person.stop();
  },
  'server-chain': async (person) => {
    await person.breakAt('server-chain/server.c', 'sum');
    await person.start('server-chain');
    await person.frame('run_caller').first().waitFor();
    await person.shot('server-chain');
    await person.stop();
  },
  'stop-resume': async (person) => {
    await person.breakAt('stop-resume/loop.c', 'count');
    await person.start('stop-resume --wait');
    await person.frame('count_forever').first().waitFor();
    const row = person.page.locator('.pane', { hasText: 'Enclaves' }).getByRole('treeitem', { name: /test-loop/ });
    await row.hover();
    await row.locator('.action-label.codicon-debug-pause').click();
    await row.filter({ hasText: 'STOPPED' }).waitFor();
    await person.page
      .locator('.debug-variables')
      .getByRole('treeitem', { name: /File Statics/ })
      .click();
    await person.shot('stop-resume');
    await person.stop();
  },
  hazards: async (person) => {
    await person.quickOpen('hazards/host.c');
    await person.start('hazards');
    await person.frame('main').first().waitFor();
    await person.page.locator('.exception-widget').waitFor();
    await person.shot('hazards');
    await person.stop();
  },
};

const wanted = process.argv.slice(3);
for (const [name, tell] of Object.entries(stories))
  if (wanted.length === 0 || wanted.includes(name)) await story(name, tell);
