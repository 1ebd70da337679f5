// Mocha reporter: the usual text, and at the end one JSON file for the script that sums all runners (REPORT names it).
'use strict';
const { mkdirSync, writeFileSync } = require('node:fs');
const { dirname } = require('node:path');
const Mocha = require('mocha');

module.exports = class extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const skipped = [];
    const failures = [];
    runner.on('pending', (test) => skipped.push(test.fullTitle()));
    runner.on('fail', (test, error) => failures.push(`${test.fullTitle()}: ${error.message}`));
    runner.once('end', () => {
      const file = process.env.REPORT;
      if (!file) return;
      mkdirSync(dirname(file), { recursive: true });
      const { passes = 0 } = this.stats;
      writeFileSync(file, JSON.stringify({ passed: passes, failed: failures.length, failures, skipped }));
    });
  }
};
