import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { createRun, readResult, type TendencyResult } from '@epochscope/analysis';
import { encodeNpy } from '@epochscope/analysis/formats';
import { random } from '@epochscope/analysis/methods';
import { main } from 'epochscope/cli';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from './harness.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'epochscope-names-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const N = 24;

describe('layers whose names are alike in files', () => {
  // The same but for signs that a file's name must not have, and for capitals.
  const layers = ['net:1', 'net?1', 'Net:1', 'net_1'];

  it('keep a file of outputs, a panel and a picture each', async () => {
    const run = join(folder, 'run');
    const writer = await createRun(run, {
      model: null,
      layers: layers.map((name) => ({ name, kind: 'dense', shape: [3], parameters: [] })),
      classes: null,
      inputShape: null,
      training: null,
    });
    const outputs = layers.map((name, seed) => {
      const dice = random(seed + 1);
      const data = Float32Array.from({ length: N * 3 }, () => dice.normal());
      return [name, { data, shape: [N, 3], dtype: 'float32' as const }] as const;
    });
    await writer.writeSnapshot({ id: 'now', epoch: 1, step: 1, metrics: {} }, new Map(), new Map(outputs));
    await writer.finish();
    const out = join(folder, 'out');
    const argv = ['--layers', layers.join(','), '--vat-side', '0', '--stability', '0'];
    const { code, err } = await cli('tendency', run, ...argv, '--svg', '-o', out);
    expect(code, err).toBe(0);
    const pictures = readdirSync(out).filter((name) => name.endsWith('.svg'));
    expect(new Set(pictures.map((name) => name.toLowerCase())).size).toBe(layers.length);
    expect(new Set(pictures.map((name) => readFileSync(join(out, name), 'utf8'))).size).toBe(layers.length);
    const { panels } = await readResult<TendencyResult>(out);
    expect(panels.map(({ layer }) => layer)).toEqual(layers);
    expect(new Set(panels.map(({ weights }) => weights.join())).size).toBe(layers.length);
  });
});

describe('a bar on a terminal', () => {
  const SHOW = '\x1b[?25h';
  const HIDE = '\x1b[?25l';

  /** A command whose standard error is a terminal. */
  async function onTerminal(...argv: string[]): Promise<{ code: number; err: string }> {
    let err = '';
    const stderr = Object.assign(
      new Writable({
        write(chunk, _, done) {
          err += chunk;
          done();
        },
      }),
      { isTTY: true, columns: 80 },
    );
    const signal = new AbortController().signal;
    const code = await main(argv, { stdout: { write: () => true }, stderr, env: { NO_COLOR: '1' }, signal });
    return { code, err };
  }

  it('ends where the work is refused on the way: the cursor is back, and the reason is a line of its own', async () => {
    const data = new Float64Array(4000 * 300).fill(1);
    data.forEach((_, i) => {
      data[i] = (i * 7919) % 1009;
    });
    // Far behind what is read first.
    data[3999 * 300 + 7] = Number.NaN;
    const file = join(folder, 'late.npy');
    writeFileSync(file, encodeNpy(data, [4000, 300]));
    const { code, err } = await onTerminal('tendency', file, '-o', join(folder, 'late'));
    expect(code).toBe(1);
    expect(err).toContain(HIDE);
    expect(err.lastIndexOf(SHOW)).toBeGreaterThan(err.lastIndexOf(HIDE));
    // What stands on the last line is the message and nothing of the bar.
    const last = err.slice(err.lastIndexOf(SHOW));
    expect(last).toMatch(/epochscope: [^\n]*late\.npy[^\n]*row 3999, column 7[^\n]*\n$/);
    expect(last).not.toContain('%');
    expect(readdirSync(folder)).not.toContain('late');
  });
});
