import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { writeDigits } from './digits.js';
import { cli } from './harness.js';

// A reproduction from outside, on a few digits.

const folder = mkdtempSync(join(tmpdir(), 'epochscope-reproduce-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('reproduce satoh trains, draws the four figures and states the five claims', async () => {
  const digits = mkdtempSync(join(folder, 'digits-'));
  writeDigits(digits);
  const few = await cli('reproduce', 'satoh', '--data', digits, '-o', join(folder, 'satoh'));
  expect(few.code).toBe(1);
  expect(few.err).toContain('figure 4 needs at least 500 test samples, got 60');
  expect(existsSync(join(folder, 'satoh'))).toBe(false);

  const many = mkdtempSync(join(folder, 'many-'));
  writeDigits(many, 600);
  const argv = ['reproduce', 'satoh', '--quick', '--data', many, '--epochs', '2'];
  const { code, out, err } = await cli(...argv, '-o', join(folder, 'satoh'));
  expect(code, err).toBe(0);
  expect(out.split('\n').filter((line) => /^(holds|does not hold|not decided) /.test(line)).length).toBe(5);
  for (const name of [
    'claims.json',
    'claims.md',
    'report.html',
    'seed-1/figure-1.png',
    'seed-1/figure-2.png',
    'seed-1/figure-3.svg',
    'seed-1/figure-4.png',
    'seed-1/run.html',
  ])
    expect(existsSync(join(folder, 'satoh', name)), name).toBe(true);
  const claims = JSON.parse(readFileSync(join(folder, 'satoh', 'claims.json'), 'utf8'));
  expect(claims.claims.map(({ id }: { id: string }) => id)).toEqual([
    'ten-blocks',
    'later-layers',
    'digit-one',
    'rims',
    'thinning',
  ]);
  // Two kinds of pictures do not make ten blocks.
  expect(claims.claims[0].holds).toEqual([false]);
  const again = await cli(...argv, '-o', join(folder, 'satoh'));
  expect(again.code).toBe(1);
  expect(again.err).toContain('already holds a reproduction');
  // Its run is taken up where only the claims are missing.
  rmSync(join(folder, 'satoh', 'claims.json'));
  rmSync(join(folder, 'satoh', 'seed-1', 'seed.json'));
  const taken = await cli(...argv, '-o', join(folder, 'satoh'));
  expect(taken.code, taken.err).toBe(0);
  expect(taken.err).toContain('was trained just so');
  expect(taken.err).not.toContain('Training');
}, 180_000);
