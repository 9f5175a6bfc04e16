import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { writeDigits } from './digits.js';
import { cli } from './harness.js';

/** A folder with tiny digits and a LeNet-5 that `epochscope train` made of them: three snapshots, 50 samples. The caller removes it. */
export async function trainDigits(): Promise<{ folder: string; digits: string; run: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'epochscope-cli-'));
  const digits = mkdtempSync(join(folder, 'digits-'));
  writeDigits(digits);
  const run = join(folder, 'run');
  const { code, out, err } = await cli(
    'train',
    '--data',
    digits,
    '--epochs',
    '2',
    '--batch',
    '50',
    '--snapshots',
    'init,1,2',
    '--samples',
    '50',
    '-o',
    run,
  );
  expect(code, err).toBe(0);
  expect(out).toMatch(/3 snapshots, test accuracy [\d.]+ %, \d+ images\/s/);
  return { folder, digits, run };
}
