import {
  createInlineEngine,
  memoryStore,
  path,
  pathOfRun,
  readResult,
  tendency,
  writeResult,
} from '@epochscope/analysis';
import { coreOf, minimaxPath, random } from '@epochscope/analysis/methods';
import { pathWorkflow } from '@epochscope/analysis/workflows';
import { describe, expect, it } from 'vitest';
import { promises } from './every-workflow.js';
import { smallRun } from './small-run.js';

const engine = createInlineEngine();

describe('path, as every workflow,', () => {
  promises(
    pathWorkflow as never,
    { layer: 'R1', snapshot: 2, from: 3, to: 40, bridges: 2 },
    { bridges: 1 },
    { engine },
  );
});

describe('pathOfRun', () => {
  it('is the path in the tree of the outputs, and is the same once written and read', async () => {
    const { run } = await smallRun();
    const result = await pathOfRun(run, { layer: 'R1', from: 3, to: 40, bridges: 1 }, { engine });
    const outputs = await run.outputs('epoch-0002', 'R1');
    const tree = await engine.vat(outputs, { metric: 'euclidean' });
    expect(result.path).toEqual(minimaxPath(tree, 3, 40));
    expect(result.direct.value!).toBeGreaterThanOrEqual(result.path.bottleneck);
    expect(result.samples.count).toBe(90);
    const store = memoryStore('results');
    await writeResult(store, 'p', result);
    expect(await readResult(store, 'p')).toEqual(result);
  });

  it('refuses samples and blocks that are not there', async () => {
    const { run } = await smallRun();
    const of = (options: object) => pathOfRun(run, { layer: 'R1', ...options }, { engine });
    await expect(of({ from: 90, to: 1 })).rejects.toThrow('path: expected a sample 0 … 89, got 90');
    await expect(of({ from: 0, to: 1, bridges: -1 })).rejects.toThrow('bridges: expected an integer ≥ 0');
    await expect(of({ from: { block: 99 }, to: 1 })).rejects.toThrow(/path: (expected|there is no) /);
  });
});

describe('path in a matrix', () => {
  it('goes from the core of a block to that of another', async () => {
    const source = random(5);
    const x = Array.from({ length: 80 }, (_, i) => [(i % 2) * 20 + source.normal(), source.normal()]);
    const { panels } = await tendency(x, {}, { engine });
    const [first, second] = panels[0]!.blocks.ranges;
    const result = await path(
      x,
      { from: { block: 0 }, to: { block: 1 }, labels: x.map((_, i) => i % 2) },
      { engine },
    );
    expect([result.from, result.to]).toEqual([coreOf(panels[0]!, first!), coreOf(panels[0]!, second!)]);
    expect(result.path.bottleneck).toBeGreaterThan(10);
    const one = await path(x, { from: 7, to: 7, bridges: 1 }, { engine });
    expect(one).toMatchObject({ direct: { value: null }, bridges: [] });
  });
});
