import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type Claim,
  type ClaimsReport,
  claimsText,
  combineClaims,
  fillFigures,
  overSeeds,
  writeClaims,
} from './claims.js';

const folder = mkdtempSync(join(tmpdir(), 'epochscope-claims-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const claim = (id: string, holds: Claim['holds'], figures: Claim['figures'] = { value: 0.98 }): Claim => ({
  id,
  claim: `Claim ${id} | with a bar`,
  where: '§4',
  paper: '94.5 %',
  measured: '{value:%1}',
  figures,
  holds,
  rule: 'within 1 point',
});
const report = (claims: Claim[][], seeds = [1]): ClaimsReport => ({
  experiment: 'example',
  paper: 'A. Author, A title',
  quick: false,
  seeds,
  parameters: { data: 'digits', hidden: [100, 50] },
  seconds: 12.3,
  claims: claims.map(combineClaims),
  about: ['Ours: the rules.'],
  remarks: seeds.map((seed) => [`Also measured: ${seed}.`]),
});

describe('figures over seeds', () => {
  it('are the mean and the standard deviation of those that are defined', () => {
    expect(overSeeds([1, 2, 3])).toEqual({ mean: 2, sd: 1, values: [1, 2, 3] });
    expect(overSeeds([1, null, 3])).toMatchObject({ mean: 2, sd: Math.SQRT2 });
    expect(overSeeds([5])).toEqual({ mean: 5, sd: null, values: [5] });
    expect(overSeeds([null, null])).toEqual({ mean: null, sd: null, values: [null, null] });
  });

  it('stand in the text: one plain, several with their spread, undefined ones said', () => {
    const figures = {
      a: overSeeds([0.25]),
      'split rows 1 → 10': overSeeds([0.5, 0.7]),
      some: overSeeds([1, null, 3]),
      none: overSeeds([null]),
    };
    expect(fillFigures('{a}, {a:0}, {a:%1}', figures)).toBe('0.25, 0, 25.0 %');
    expect(fillFigures('{e:e}', { e: overSeeds([2e-9, 4e-9]) })).toBe('3e−9 ± 1e−9');
    expect(fillFigures('{r}', { r: overSeeds([-0.25, -0.25]) })).toBe('−0.25 ± 0.00');
    expect(fillFigures('rows {split rows 1 → 10:%0}', figures)).toBe('rows 60 ± 14 %');
    expect(fillFigures('{some:1}; {none}', figures)).toBe('2.0 ± 1.4 (2 of 3 seeds); –');
    // Counts.
    expect(fillFigures('{n:1}', { n: overSeeds([10]) })).toBe('10');
    expect(fillFigures('{n:1}', { n: overSeeds([10, 9]) })).toBe('9.5 ± 0.7');
    expect(() => fillFigures('{b}', figures)).toThrow('no figure is called b');
  });
});

describe('a claim over seeds', () => {
  it('holds in k of n, with what could not be decided', () => {
    const of = (...holds: Claim['holds'][]) => combineClaims(holds.map((h) => claim('a', h))).verdict;
    expect(of(true)).toBe('holds');
    expect(of(false)).toBe('does not hold');
    expect(of(null)).toBe('not decided');
    expect(of(true, false, true)).toBe('holds in 2 of 3');
    expect(of(true, null, true)).toBe('holds in 2 of 3, 1 not decided');
    expect(of(false, null)).toBe('holds in 0 of 2, 1 not decided');
    expect(of(null, null)).toBe('not decided');
  });
  it('keeps every note once, and a figure that a seed does not have as undefined', () => {
    const { notes, figures } = combineClaims([
      { ...claim('a', true, { value: 1 }), note: 'x' },
      { ...claim('a', true, { value: 2, more: 3 }), note: 'x' },
    ]);
    expect(notes).toEqual(['x']);
    expect(figures.more).toEqual({ mean: 3, sd: null, values: [null, 3] });
  });
});

describe('writeClaims', () => {
  it('writes one line a claim, as JSON for programs and Markdown for people', async () => {
    const written = report([
      [claim('a', true)],
      [claim('b', false)],
      [{ ...claim('c', null), note: 'too few' }],
    ]);
    await writeClaims(join(folder, 'new'), written);
    expect(readdirSync(join(folder, 'new')).sort()).toEqual(['claims.json', 'claims.md']);
    const json = JSON.parse(readFileSync(join(folder, 'new', 'claims.json'), 'utf8'));
    expect(json).toMatchObject({ format: 'epochscope-claims/2', ...written });
    const text = readFileSync(join(folder, 'new', 'claims.md'), 'utf8');
    expect(text).toContain('1 of 3 claims hold.');
    expect(text).toContain('| Claim a \\| with a bar (§4) | 94.5 % | 98.0 % | **holds** | within 1 point |');
    expect(text).toContain('**does not hold**');
    expect(text).toContain('**not decided** | within 1 point; too few |');
    expect(text).toContain('Ours: the rules.');
    expect(text).toContain('Also measured: 1.');
    expect(text).toMatch(/hidden \[100,50\], seed 1\. 12 s; .*Node \d+/);
    expect(claimsText(written).split('\n').length).toBe(3);
  });

  it('over seeds: holding in every seed counts, and each seed has its remarks', async () => {
    const many = report(
      [
        [claim('a', true, { value: 0.9 }), claim('a', true, { value: 1 })],
        [claim('b', true), claim('b', false)],
      ],
      [4, 5],
    );
    await writeClaims(join(folder, 'many'), many);
    const text = readFileSync(join(folder, 'many', 'claims.md'), 'utf8');
    expect(text).toContain('--seeds 2`: 1 of 2 claims hold in every seed');
    expect(text).toContain('| 95.0 ± 7.1 % | **holds in 2 of 2** |');
    expect(text).toContain('## Seed 5\n\nAlso measured: 5.');
  });

  it('refuses NaN by claim and figure', () => {
    expect(() => combineClaims([claim('a', true, { value: Number.NaN })])).toThrow(
      'claim a: expected value to be a number or null, got NaN',
    );
    expect(combineClaims([claim('a', null, { value: null })]).measured).toBe('–');
  });
});
