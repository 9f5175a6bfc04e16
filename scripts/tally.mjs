// What the last `npm test`, `npm run test:e2e` and `npm run test:scale` found. As a program (`.ci/run`): the sum over the suites named, alone on a line.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './prepare.mjs';

/** Where Vitest writes the outcome of a suite. */
export const resultFile = (suite) => join(root, 'node_modules', '.cache', 'tests', `${suite}.json`);

/** Counts of a suite; one that left no outcome failed before its first test. */
function tally(suite) {
  let result;
  try {
    result = JSON.parse(readFileSync(resultFile(suite), 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0, files: [] };
  }
  if (result.leftOut) return { passed: 0, failed: 0, skipped: 0, files: [] };
  const files = result.testResults.map(({ name, startTime, endTime }) => ({
    name: name.slice(root.length + 1),
    seconds: (endTime - startTime) / 1000,
  }));
  // A file that cannot be loaded has no test that failed.
  const unloaded = result.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  ).length;
  return {
    passed: result.numPassedTests,
    failed: Math.max(result.numFailedTests + unloaded, result.success ? 0 : 1),
    skipped: result.numPendingTests + result.numTodoTests,
    files,
  };
}

/** Keeps, and says in one line, that a suite cannot be run on this machine. */
export function leaveOut(suite, reason) {
  mkdirSync(dirname(resultFile(suite)), { recursive: true });
  writeFileSync(resultFile(suite), JSON.stringify({ leftOut: reason }));
  return `${suite} suite: skipped on this machine: ${reason}\n`;
}

/** One paragraph: counts, summed time of the files, and which took longest. */
export function describeSuite(suite, status) {
  const { passed, failed, skipped, files } = tally(suite);
  const seconds = files.reduce((sum, file) => sum + file.seconds, 0);
  const slowest = files.sort((a, b) => b.seconds - a.seconds).slice(0, 8);
  return [
    `${suite} suite: ${passed} passed, ${status ? Math.max(failed, 1) : failed} failed, ${skipped} skipped`,
    `${files.length} files, ${seconds.toFixed(0)} s of file time; longest: ${slowest.map(({ name, seconds }) => `${name} ${seconds.toFixed(0)}`).join(', ')}`,
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const all = process.argv.slice(2).map(tally);
  const sum = (key) => all.reduce((total, one) => total + one[key], 0);
  process.stdout.write(`${sum('passed')} passed, ${sum('failed')} failed\n`);
}
