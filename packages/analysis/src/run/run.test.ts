import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EpochscopeError } from '@epochscope/core-wasm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Tensor } from '../formats/types.js';
import { decodeAny, encodeInline } from '../results/codec.js';
import { listResults, readResult, writeResult } from '../results/store.js';
import type { ResultBase } from '../results/types.js';
import { parseManifest } from './manifest.js';
import { openRun } from './read.js';
import type { RunManifest } from './types.js';
import { createRun, type RunInit, resumeRun, writeOutputs } from './write.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'epochscope-run-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const init: RunInit = {
  model: null,
  layers: [
    { name: 'C1', kind: 'conv2d', shape: [1, 2, 2], parameters: ['C1.kernel'] },
    { name: 'S5', kind: 'log-softmax', shape: [2], parameters: [] },
  ],
  classes: ['a', 'b'],
  inputShape: [2],
  training: null,
};
const f32 = (data: number[], shape: number[]): Tensor => ({
  data: Float32Array.from(data),
  shape,
  dtype: 'float32',
});
const weights = (value: number) => new Map([['C1.kernel', f32([value], [1])]]);
const snapshot = (epoch: number) => ({
  id: `epoch-${String(epoch).padStart(4, '0')}`,
  epoch,
  step: epoch * 10,
  metrics: { loss: 1 / epoch },
});

describe('a run', () => {
  it('gives back what was written, by id, epoch and name', async () => {
    const directory = join(folder, 'run');
    const writer = await createRun(directory, init);
    await writer.writeSamples({
      inputs: f32([1, 2, 3, 4], [2, 2]),
      labels: Uint32Array.of(1, 0),
      source: 'test',
    });
    await writer.writeSnapshot(
      snapshot(1),
      weights(1),
      new Map([['C1', f32([1, 2, 3, 4, 5, 6, 7, 8], [2, 1, 2, 2])]]),
    );
    expect((await openRun(directory)).warnings.join()).toContain('not complete');
    await writer.writeSnapshot(snapshot(10), weights(10));
    await writer.finish();
    const run = await openRun(directory);
    expect(run.warnings).toEqual([]);
    expect(run.snapshot('10').id).toBe('epoch-0010');
    expect(run.snapshot('first').epoch).toBe(1);
    expect(run.snapshot('last').epoch).toBe(10);
    expect((await run.weights('epoch-0010')).get('C1.kernel')!.data[0]).toBe(10);
    expect((await run.outputs('1', 'C1')).shape).toEqual([2, 4]);
    expect([...(await run.outputs('1', 'C1@1')).data]).toEqual([2, 4, 6, 8]);
    expect([...(await run.labels())!]).toEqual([1, 0]);
    await writeOutputs(directory, 'epoch-0010', new Map([['S5', f32([1, 2, 3, 4], [2, 2])]]));
    expect(await run.hasOutputs('10', 'S5')).toBe(true);
  });

  it('says what it has when asked for what it has not', async () => {
    const directory = join(folder, 'run');
    const writer = await createRun(directory, init);
    await writer.writeSnapshot(snapshot(1), weights(1));
    const run = await openRun(directory);
    expect(() => run.snapshot('7')).toThrow('has no snapshot 7; it has epoch-0001');
    expect(() => run.layer('X9')).toThrow('has no layer X9; it has C1, S5');
    expect(() => run.layer('C1@2')).toThrow('layer C1 has channels 0 … 1, got 2');
    expect(() => run.layer('S5@0')).toThrow('layer S5 has no channels');
    await expect(run.outputs('1', 'S5')).rejects.toThrow('holds no outputs of layer S5');
    await expect(openRun(join(folder, 'nothing'))).rejects.toThrow('does not exist');
    await expect(openRun(folder)).rejects.toThrow('holds no run.json');
  });

  it('is never written over unasked, nor over what is no run', async () => {
    const directory = join(folder, 'run');
    await (await createRun(directory, init)).finish();
    await expect(createRun(directory, init)).rejects.toThrow('already holds a run');
    await writeFile(join(directory, 'mine.txt'), 'keep');
    await createRun(directory, init, { overwrite: true });
    expect(await readFile(join(directory, 'mine.txt'), 'utf8')).toBe('keep');
    const other = join(folder, 'other');
    await mkdir(other);
    await writeFile(join(other, 'mine.txt'), 'keep');
    await expect(createRun(other, init, { overwrite: true })).rejects.toThrow('holds no run');
    expect(await readdir(other)).toEqual(['mine.txt']);
    await writeFile(join(folder, 'file'), '');
    await expect(createRun(join(folder, 'file', 'run'), init)).rejects.toBeInstanceOf(EpochscopeError);
  });

  it('leaves out a snapshot whose files are gone, and says so', async () => {
    const directory = join(folder, 'run');
    const writer = await createRun(directory, init);
    await writer.writeSnapshot(snapshot(1), weights(1));
    await writer.writeSnapshot(snapshot(2), weights(2));
    await writer.finish();
    await rm(join(directory, 'snapshots', 'epoch-0001', 'weights.safetensors'));
    const run = await openRun(directory);
    expect(run.manifest.snapshots.map(({ epoch }) => epoch)).toEqual([2]);
    expect(run.warnings.join()).toContain('snapshot epoch-0001 is incomplete');
  });

  it('goes on after a break', async () => {
    const directory = join(folder, 'run');
    await (await createRun(directory, init)).writeSnapshot(snapshot(1), weights(1));
    const writer = await resumeRun(directory);
    await writer.writeSnapshot(snapshot(2), weights(2));
    await writer.finish();
    expect((await openRun(directory)).manifest.snapshots.map(({ epoch }) => epoch)).toEqual([1, 2]);
  });

  it('opens whatever the moment its writer is killed at', async () => {
    const script = `
      const { createRun } = await import('@epochscope/analysis');
      const writer = await createRun(process.argv[1], ${JSON.stringify(init)});
      process.stdout.write('started');
      for (let epoch = 1; ; epoch++) {
        const data = new Float32Array(20000).fill(epoch);
        await writer.writeSnapshot({ id: 'epoch-' + epoch, epoch, step: epoch, metrics: {} }, new Map([['C1.kernel', { data, shape: [20000], dtype: 'float32' }]]));
      }
    `;
    for (let i = 0; i < 3; i++) {
      const directory = join(folder, `killed-${i}`);
      const child = spawn(process.execPath, ['--input-type=module', '-e', script, directory], {
        cwd: import.meta.dirname,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await new Promise((resolve) => child.stdout.once('data', resolve));
      await new Promise((resolve) => setTimeout(resolve, 15 + 80 * i));
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
      const listed = await readdir(directory);
      if (!listed.includes('run.json')) continue;
      const run = await openRun(directory);
      for (const { id, epoch } of run.manifest.snapshots) {
        const kernel = (await run.weights(id)).get('C1.kernel')!.data as Float32Array;
        expect(kernel.every((value) => value === epoch)).toBe(true);
      }
    }
  });

  const good: RunManifest = {
    format: 'epochscope-run/1',
    tool: { name: 't', version: '1' },
    ...init,
    samples: null,
    snapshots: [snapshot(1)],
    complete: true,
  };
  it.each<[string, unknown, string]>([
    ['another format', { ...good, format: 'x/9' }, 'format: expected "epochscope-run/1", got "x/9"'],
    [
      'a snapshot id that climbs',
      { ...good, snapshots: [{ ...snapshot(1), id: '../..' }] },
      'snapshots[0].id: expected a plain name',
    ],
    ['a layer name with a path', { ...good, layers: [{ ...init.layers[0], name: 'a/b' }] }, 'layers[0].name'],
    ['a fractional side', { ...good, layers: [{ ...init.layers[0], shape: [1.5] }] }, 'layers[0].shape'],
    [
      'two snapshots of one name',
      { ...good, snapshots: [snapshot(1), snapshot(1)] },
      'expected distinct names',
    ],
    [
      'a metric that is no number',
      { ...good, snapshots: [{ ...snapshot(1), metrics: { loss: 'low' } }] },
      'snapshots[0].metrics.loss: expected a number, or null where it was not finite, got "low"',
    ],
    ['no list', { ...good, snapshots: 7 }, 'snapshots: expected a list, got 7'],
    ['a number', 3, 'the whole: expected an object'],
  ])('refuses a manifest with %s', async (_, manifest, message) => {
    await writeFile(join(folder, 'run.json'), JSON.stringify(manifest));
    await expect(openRun(folder)).rejects.toThrow(message);
  });
});

it('takes a metric of null as not measured', async () => {
  const manifest = {
    format: 'epochscope-run/1',
    tool: { name: 't', version: '1' },
    ...init,
    samples: null,
    snapshots: [{ id: 'a', epoch: 1, step: null, metrics: { loss: null, accuracy: 0.5 } }],
    complete: true,
  };
  const parsed = parseManifest(JSON.stringify(manifest), 'run.json');
  expect(parsed.snapshots[0]!.metrics).toEqual({ accuracy: 0.5 });
});

describe('results', () => {
  const result: ResultBase & Record<string, unknown> = {
    format: 'epochscope-result/2',
    method: 'test',
    name: 'default',
    tool: { name: 't', version: '1' },
    input: { source: 'x', files: {} },
    parameters: { text: '</script><b>' },
    seeds: {},
    seconds: 1,
    panels: [
      { order: Uint32Array.of(2, 0, 1), nested: { weights: Float32Array.of(0.5) } },
      { order: new Uint32Array(0), nothing: null },
    ],
  };

  it('come back from disk and from a page with their arrays', async () => {
    const place = 'results/test/default';
    await writeResult(folder, place, result);
    expect(await readResult(folder, place)).toEqual(result);
    expect(await readResult(join(folder, place))).toEqual(result);
    expect(await listResults(folder)).toEqual([{ method: 'test', name: 'default', folder: place }]);
    const inline = encodeInline(result);
    expect(inline).not.toContain('<');
    expect(await decodeAny(inline)).toEqual(result);
  });

  it('refuse NaN by its path, and another version by name', async () => {
    expect(() => encodeInline({ ...result, parameters: { a: [1, Number.NaN] } })).toThrow(
      'result field parameters.a.1: expected a finite number or null, got NaN',
    );
    await expect(decodeAny('{"format":"epochscope-result/9"}', 'old.json')).rejects.toThrow(
      'old.json: format: expected "epochscope-result/2", got "epochscope-result/9"',
    );
    await expect(decodeAny('{oops', 'x')).rejects.toThrow('x: not JSON');
    await expect(
      decodeAny(
        JSON.stringify({
          format: 'epochscope-result/2',
          method: 'm',
          a: { $base64: 'AAAA', dtype: 'float32', length: 9 },
        }),
        'x',
      ),
    ).rejects.toThrow('does not fit its bytes');
  });

  it('refuse an array reference that leaves the folder', async () => {
    await writeFile(
      join(folder, 'result.json'),
      JSON.stringify({ format: 'epochscope-result/2', method: 'm', a: { $array: '../secret.npy' } }),
    );
    await expect(readResult(folder)).rejects.toThrow("expected an array's path");
  });
});
