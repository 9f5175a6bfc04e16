import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DifferenceResult, type PathResult, readResult } from '@epochscope/analysis';
import { afterAll, describe, expect, it } from 'vitest';
import { cli } from './harness.js';

// `difference` and `path` from outside, on plain matrices; runs are tried in tests/workflows and the README's own commands.

const folder = mkdtempSync(join(tmpdir(), 'epochscope-difference-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, rows: readonly (readonly (number | string)[])[]) => {
  const path = join(folder, name);
  writeFileSync(path, rows.map((row) => `${row.join(',')}\n`).join(''));
  return path;
};
/** Two groups on a line, apart by `gap`; a column of names. */
const line = (gap: number) => [
  ['x', 'kind'],
  ...Array.from({ length: 20 }, (_, i) => [(i % 2) * gap + i / 100, i % 2 ? 'odd' : 'even']),
];
const near = file('near.csv', line(0.5));
const far = file('far.csv', line(50));

describe('difference of two files', () => {
  it('says what one keeps apart, writes it, and is told again by the result', async () => {
    const out = join(folder, 'result');
    const {
      code,
      err,
      out: said,
    } = await cli('difference', near, far, '--labels', 'column:kind', '-o', out, '--png');
    expect(code, err).toBe(0);
    expect(said).toMatch(/^distance /);
    expect(existsSync(join(out, 'difference.png'))).toBe(true);
    const result = (await readResult(out)) as DifferenceResult;
    expect(result.samples.classes).toEqual(['even', 'odd']);
    expect(result.order.length).toBe(20);
    expect(Object.keys(result.input.files)).toEqual([near, far]);
  });

  it('replaces no result of others but by force', async () => {
    const out = join(folder, 'kept');
    expect((await cli('difference', near, far, '--labels', 'column:kind', '-o', out)).code).toBe(0);
    const refused = await cli('difference', far, near, '--labels', 'column:kind', '-o', out);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('--force to replace it');
    expect(((await readResult(out)) as DifferenceResult).sides[0].source).toBe(near);
    expect((await cli('difference', far, near, '--labels', 'column:kind', '-o', out, '--force')).code).toBe(
      0,
    );
  });

  it.each([
    [['path', near, '--between', '0,20'], 'expected a sample 0 … 19, got 20'],
    [['path', near, '--between', 'block:0,1'], 'there is no block 0'],
  ])('%j is refused in one line', async (argv, text) => {
    const { code, err } = await cli(...argv, '--labels', 'column:kind');
    expect(code).toBe(1);
    expect(err).toContain(text);
  });
});

it('path of a file is the chain, with bridges', async () => {
  const out = join(folder, 'path');
  const argv = [
    'path',
    far,
    '--labels',
    'column:kind',
    '--between',
    '0,19',
    '--bridges',
    '1',
    '-o',
    out,
    '--png',
  ];
  const { code, err, out: said } = await cli(...argv);
  expect(code, err).toBe(0);
  expect(said).toMatch(/^samples 0 \(even\) and 19 \(odd\) hang together by 19 links, the longest 49\.8/);
  expect(existsSync(join(out, 'path.png'))).toBe(true);
  const { path } = (await readResult(out)) as PathResult;
  expect([...path.samples]).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
});
