import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Claim, type ClaimsReport, claimsText, writeClaims } from './claims.js';

const folder = mkdtempSync(join(tmpdir(), 'epochscope-claims-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const claim = (id: string, holds: Claim['holds'], figures: Claim['figures'] = { value: 0.5 }): Claim => ({
  id,
  claim: `Claim ${id} | with a bar`,
  where: '§4',
  paper: '94.5 %',
  measured: '98.0 %',
  figures,
  holds,
  rule: 'within 1 point',
});
const report = (claims: Claim[]): ClaimsReport => ({
  experiment: 'example',
  paper: 'A. Author, A title',
  quick: false,
  parameters: { data: 'digits', seed: 1, hidden: [100, 50] },
  seconds: 12.3,
  claims,
  remarks: ['Also measured: nothing.'],
});

describe('writeClaims', () => {
  it('writes one line a claim, as JSON for programs and Markdown for people', async () => {
    const written = report([claim('a', true), claim('b', false), { ...claim('c', null), note: 'too few' }]);
    await writeClaims(join(folder, 'new'), written);
    expect(readdirSync(join(folder, 'new')).sort()).toEqual(['claims.json', 'claims.md']);
    const json = JSON.parse(readFileSync(join(folder, 'new', 'claims.json'), 'utf8'));
    expect(json).toMatchObject({ format: 'epochscope-claims/1', ...written });
    const text = readFileSync(join(folder, 'new', 'claims.md'), 'utf8');
    expect(text).toContain('1 of 3 claims hold');
    expect(text).toContain('| Claim a \\| with a bar (§4) | 94.5 % | 98.0 % | **holds** | within 1 point |');
    expect(text).toContain('**does not hold**');
    expect(text).toContain('**not decided** | within 1 point; too few |');
    expect(text).toContain('Also measured: nothing.');
    expect(text).toContain('seed 1, hidden [100,50]');
    expect(claimsText(written).split('\n').length).toBe(3);
  });

  it('refuses NaN by claim and figure, and writes nothing', async () => {
    await expect(
      writeClaims(join(folder, 'bad'), report([claim('a', true, { share: Number.NaN })])),
    ).rejects.toThrow('claim a: expected share to be a number or null, got NaN');
    expect(readdirSync(folder)).not.toContain('bad');
    await writeClaims(join(folder, 'null'), report([claim('a', null, { share: null })]));
  });
});
