import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

// Reads dist: build first.
const bench = (...args: string[]) =>
  spawnSync(process.execPath, [fileURLToPath(new URL('../dist/bench/run.js', import.meta.url)), ...args], {
    encoding: 'utf8',
  });

it('tells how it is used, and what was wrong, without a stack trace', () => {
  const help = bench('--help');
  expect([help.status, help.stderr]).toEqual([0, '']);
  expect(help.stdout).toContain('--only vat,ivat');
  for (const [args, problem] of [
    [['--nope'], "Unknown option '--nope'"],
    [['--only', 'vta'], '--only vta: no such kernel'],
    [['--runs', 'x'], '--runs x: expected a number'],
    [['--peers', 'r'], '--peers r: known is python'],
  ] as const) {
    const { status, stdout, stderr } = bench(...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(problem);
    expect(stderr).toContain('truncated-svd');
    expect(stderr).not.toMatch(/^ +at /m);
  }
});
