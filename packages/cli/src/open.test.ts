import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRun, memoryStore, writeResult, zipOf } from '@epochscope/analysis';
import { encodeNpy, encodeSafetensors } from '@epochscope/analysis/formats';
import { encodeBinary, RESULT_FORMAT, type ResultBase } from '@epochscope/analysis/results';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from './cli.js';
import { snapshotPolicy } from './commands/_shared.js';
import { insteadOfRuns, looksLikePath, type Opened, recognise } from './open.js';

let folder: string;
const made: string[] = [];
const opened = async (path: string): Promise<Opened> => {
  const found = await recognise(path);
  made.push(...found.temporary);
  return found;
};
const commands = ({ steps }: Opened) => steps.map(([name]) => name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'epochscope-open-test-'));
});
afterAll(() => {
  for (const path of [folder, ...made]) rmSync(path, { recursive: true, force: true });
});

const weights = encodeSafetensors(
  new Map([
    ['a.weight', { data: new Float32Array(12), shape: [3, 4], dtype: 'float32' }],
    ['b.weight', { data: new Float32Array(6), shape: [2, 3], dtype: 'float32' }],
  ]),
);
async function run(place: Parameters<typeof createRun>[0]): Promise<void> {
  const writer = await createRun(place, {
    model: null,
    layers: [{ name: 'a', kind: 'dense', shape: [3], parameters: ['a.weight'] }],
    classes: null,
    inputShape: null,
    training: null,
  });
  const snapshot = { id: 'epoch-0001', epoch: 1, step: null, metrics: {} };
  await writer.writeSnapshot(
    snapshot,
    new Map([['a.weight', { data: new Float32Array(12), shape: [3, 4], dtype: 'float32' }]]),
  );
  await writer.finish();
}

describe('epochscope PATH', () => {
  it('serves a run, a folder of runs, a file of a run, and a run in a zip', async () => {
    const runs = join(folder, 'runs');
    await run(join(runs, 'one'));
    expect(await opened(join(runs, 'one'))).toMatchObject({ steps: [['serve', join(runs, 'one')]] });
    expect(await opened(join(runs, 'one', 'run.json'))).toMatchObject({
      steps: [['serve', join(runs, 'one')]],
    });
    expect((await opened(runs)).about).toBe(`${runs} holds 1 run: one`);
    const store = memoryStore('zipped');
    await run(store);
    const zip = join(folder, 'zipped.zip');
    writeFileSync(zip, await zipOf(store));
    const found = await opened(zip);
    expect(commands(found)).toEqual(['serve']);
    expect(found.about).toContain(zip);
    expect(found.temporary).toHaveLength(1);
  });

  it('imports checkpoints, in a folder or as one file, and serves them', async () => {
    const checkpoints = join(folder, 'checkpoints');
    mkdirSync(checkpoints);
    for (const epoch of [1, 2]) writeFileSync(join(checkpoints, `epoch_${epoch}.safetensors`), weights);
    expect(commands(await opened(checkpoints))).toEqual(['import', 'serve']);
    expect(commands(await opened(join(checkpoints, 'epoch_2.safetensors')))).toEqual(['import', 'serve']);
  });

  it('draws a matrix and a result', async () => {
    const matrix = join(folder, 'x.npy');
    writeFileSync(matrix, encodeNpy(new Float32Array(60), [20, 3]));
    const found = await opened(matrix);
    expect(found.about).toBe(`${matrix} is a matrix of 20 × 3`);
    expect(commands(found)).toEqual(['tendency', 'report']);
    const result = join(folder, 'result');
    const one: ResultBase = {
      format: RESULT_FORMAT,
      method: 'tendency',
      name: 'default',
      tool: { name: 'epochscope', version: '0' },
      input: { source: 'x', files: {} },
      parameters: {},
      seeds: {},
      seconds: 0,
    };
    await writeResult(result, '', one);
    const file = join(folder, 'one.epochscope');
    writeFileSync(file, encodeBinary(one));
    expect(commands(await opened(file))).toEqual(['report']);
    for (const path of [result, join(result, 'result.json')])
      expect((await opened(path)).steps).toEqual([
        ['report', result, '-o', expect.stringMatching(/result\.html$/)],
      ]);
  });

  it('says what it looked for where there is nothing, and what to run instead', async () => {
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    await expect(recognise(empty)).rejects.toMatchObject({ code: 'missing' });
    expect(await insteadOfRuns(empty)).toContain('epochscope train -o');
    expect(await insteadOfRuns(join(folder, 'checkpoints'))).toContain('epochscope import');
    await expect(recognise(join(folder, 'none'))).rejects.toMatchObject({ code: 'missing' });
    await expect(recognise('https://example.org/run')).rejects.toMatchObject({ code: 'unsupported' });
  });

  it('takes a word for a path only where it is one or looks like one', async () => {
    expect(await looksLikePath('trian')).toBe(false);
    for (const word of ['./trian', 'x.npy', 'http://a', '-', folder])
      expect(await looksLikePath(word)).toBe(true);
  });
});

describe('the command line', () => {
  const cli = async (...argv: string[]) => {
    let out = '';
    let err = '';
    const code = await main(argv, {
      stdout: { write: (text) => (out += text) },
      stderr: { write: (text) => (err += text) },
      env: {},
      signal: new AbortController().signal,
    });
    return { code, out, err };
  };

  it('is its own help with nothing after it, with every command', async () => {
    const { code, out } = await cli();
    expect(code).toBe(0);
    expect(out).toMatch(/^Usage: epochscope/);
    expect(out).toContain('tendency [options] <run-or-file>');
    expect(await cli('--help')).toEqual({ code, out, err: '' });
  });

  it('leads from a wrong word to the right one', async () => {
    expect(await cli('tendncy')).toMatchObject({
      code: 2,
      err: expect.stringContaining('Did you mean tendency?'),
    });
    expect(await cli('info', '--jsn')).toMatchObject({
      code: 2,
      err: expect.stringContaining('Did you mean --json?'),
    });
  });
});

describe('--snapshots', () => {
  it('counts in epochs and in steps', () => {
    expect(snapshotPolicy('every:1epoch', 3)).toEqual({ init: true, epochs: [1, 2, 3] });
    expect(snapshotPolicy('every:2epochs', 5)).toEqual({ init: true, epochs: [2, 4] });
    expect(snapshotPolicy('every:100steps', 5)).toEqual({ init: true, everySteps: 100 });
    expect(snapshotPolicy('every:7', 5)).toEqual({ init: true, everySteps: 7 });
    expect(snapshotPolicy('log:20', 5)).toEqual({ init: true, logSpaced: 20 });
    expect(snapshotPolicy('init,1,2', 5)).toEqual({ init: true, epochs: [1, 2] });
    for (const wrong of ['every:0epochs', 'every:0', 'every:2days', 'sometimes'])
      expect(() => snapshotPolicy(wrong, 5), wrong).toThrow(/expected/);
  });
});
