import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeDigits } from './digits.js';
import { cli, cliUntilSaid } from './harness.js';

// What of the command line takes long to see: reproductions that are stopped, a training in a process of its own.

let folder: string;
let data: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'epochscope-cli-slow-'));
  data = join(folder, 'data');
  mkdirSync(data);
  writeDigits(data, 600);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('cancelling a reproduction', () => {
  it.each(['Training…', 'Figures 2 and 3', 'Figure 4', 'for the rims'])(
    'at "%s" ends with 130 and nothing half-written',
    async (said) => {
      const out = mkdtempSync(join(folder, 'cancelled-'));
      const argv = ['reproduce', 'satoh', '--quick', '--data', data, '--epochs', '1'];
      const { code, err } = await cliUntilSaid(said, ...argv, '-o', out);
      expect(err).toContain(said);
      expect(err).toContain('cancelled');
      expect(code).toBe(130);
      // A seed lies in a folder of its own.
      const names = readdirSync(out, { recursive: true }).map((name) => basename(String(name)));
      for (const name of ['claims.json', 'seed.json', 'figure-2.png']) expect(names).not.toContain(name);
      expect(names.filter((name) => name.includes('.tmp-'))).toEqual([]);
    },
  );
});

describe('the program itself', () => {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..');
  const bin = join(root, 'packages', 'cli', 'dist', 'main.js');
  it('stopped by SIGINT leaves a run that opens, and exits 130', async () => {
    const target = join(folder, 'stopped');
    const child = spawn(
      process.execPath,
      [
        bin,
        'train',
        '--data',
        data,
        '--epochs',
        '5000',
        '--batch',
        '50',
        '--snapshots',
        'every:3',
        '-o',
        target,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (err += text));
    while (!err.includes('epoch-')) await new Promise((resolve) => setTimeout(resolve, 50));
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect(err).toMatch(/epochscope: training was cancelled/);
    expect(code).toBe(130);
    const { manifest, warnings } = JSON.parse((await cli('info', target, '--json')).out);
    expect(manifest.complete).toBe(false);
    expect(manifest.snapshots.length).toBeGreaterThan(0);
    expect(warnings.length).toBe(1);
  });
});
