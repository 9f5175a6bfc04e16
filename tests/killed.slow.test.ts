import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kill } from './kills.js';

// A small share of `npm run kill`: every kind of writer some times.
const KILLS = 28;

let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'epochscope-killed-'));
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

it(
  `${KILLS} writers killed at random moments lose nothing, leave nothing half-written, and are gone on with`,
  async () => {
    const { kills, lines, skipped } = await kill(place, KILLS, 7);
    if (skipped.length) console.warn(`tests/killed.slow.test.ts: skipped ${skipped.join('; ')}`);
    expect(kills).toBe(KILLS);
    expect(lines.length + skipped.length).toBe(7);
  },
  30_000 * KILLS,
);
