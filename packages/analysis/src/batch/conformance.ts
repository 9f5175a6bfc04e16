// VAT of points over tasks against one machine, for points.test.ts and points.slow.test.ts.

import type { Metric } from '@epochscope/core-wasm';
import { expect } from 'vitest';
import { createEngine } from '../engine/create.js';
import type { Engine } from '../engine/types.js';
import type { DType, TensorData } from '../formats/types.js';
import { kernelMetric } from '../matrices/conversion.js';
import { readPoints } from '../matrices/points.js';
import { type RowSource, tensorRows } from '../matrices/rows.js';
import { random } from '../random.js';
import { memoryStore } from '../stores/memory.js';
import type { Store } from '../stores/types.js';
import { checkPart, readPart } from './parts.js';
import {
  computePoints,
  mergePoints,
  type PointsPart,
  planPoints,
  tasksOfPoints,
  writePointsPart,
} from './points.js';

export const engine = createEngine({ threads: 2 });
export const MEMORY = 2e9;

/** Plans, computes every task, puts them together: through JSON and stored parts, as a cluster does. */
async function overTasks(
  source: RowSource,
  metric: Metric,
  tasks: number,
  { chosen = null, by = engine }: { chosen?: Uint32Array | null; by?: Pick<Engine, 'lightEdges'> } = {},
) {
  const plan = JSON.parse(
    JSON.stringify(await planPoints(source, chosen, metric, { memory: MEMORY, tasks })),
  );
  const store: Store = memoryStore('batch');
  const heads = [];
  for (const [index, { key }] of tasksOfPoints(plan).entries()) {
    const part = await computePoints(by, source, chosen, plan, index, { memory: MEMORY });
    await writePointsPart(store, key, 0, part);
    heads.push(await checkPart(store, key));
  }
  const merged = await mergePoints(
    store,
    plan,
    heads,
    async (key) => (await readPart(store, key)).output as PointsPart,
    { memory: MEMORY },
  );
  return { ...merged, plan };
}

export async function expectSame(
  source: RowSource,
  metric: Metric,
  tasks: number,
  options: Parameters<typeof overTasks>[3] = {},
) {
  const label = `${source.name} ${source.dtype} ${source.shape} ${metric} ${tasks}`;
  const { vat, rounding, plan } = await overTasks(source, metric, tasks, options);
  const { outputs, space } = await readPoints(source, options.chosen ?? null, metric);
  const want = await engine.vat(outputs, { metric: kernelMetric(plan.conversion) });
  for (const key of ['order', 'weights', 'parent'] as const)
    expect(
      Buffer.compare(Buffer.from(vat[key].buffer), Buffer.from(want[key].buffer)),
      `${label}: ${key}`,
    ).toBe(0);
  if (rounding) {
    expect(rounding.errors, label).toEqual(space!.rounding!.errors);
    expect(rounding.traces, label).toEqual(space!.rounding!.traces);
  }
}

export const source = (name: string, data: TensorData, d: number, dtype: DType = 'float32') =>
  tensorRows({ data, shape: [data.length / Math.max(1, d), d], dtype }, name);

export function blobs(n: number, d: number, seed: number): Float32Array {
  const draw = random(seed);
  const centres = Array.from({ length: 6 * d }, () => 8 * draw.uniform() - 4);
  return Float32Array.from(
    { length: n * d },
    (_, i) => centres[(Math.floor(i / d) % 6) * d + (i % d)]! + draw.normal(),
  );
}
export const whole = (n: number, d: number, levels: number, seed: number) => {
  const draw = random(seed);
  return Float32Array.from({ length: n * d }, () => draw.below(levels));
};
export const oneHot = (n: number) => {
  const data = new Float32Array(n * n);
  for (let i = 0; i < n; i++) data[i * n + ((i * 7919) % n)] = 1;
  return data;
};
