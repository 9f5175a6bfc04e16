import {
  type MemoryStore,
  memoryStore,
  openRun,
  type ResultBase,
  type Run,
  type WorkflowOptions,
} from '@epochscope/analysis';
import { type Plan, planWorkflow, runPlan, runWorkflow, type Workflow } from '@epochscope/analysis/workflows';
import { EpochscopeError } from '@epochscope/core-wasm';
import { expect, it } from 'vitest';
import { copyOf, smallRun, withoutSeconds } from './small-run.js';

// What every workflow promises, held against each of them.

type Any = Workflow<object, unknown, unknown, ResultBase>;

/** `other`: an option that decides figures, with another value. */
export function promises(
  workflow: Workflow<never, never, never, never>,
  options: object,
  other: object,
  how: WorkflowOptions = {},
): void {
  const one = workflow as unknown as Any;
  const planOf = (run: Run, chosen: object) => planWorkflow(one, run, chosen, how);
  const keys = (plan: Plan) => plan.parts.map(({ key }) => key);
  const start = async () => {
    const { store } = await smallRun();
    return { store, run: await openRun(store) };
  };

  it('plans in plain JSON, each part after those it waits for, with work and memory', async () => {
    const { run } = await start();
    const plan = await planOf(run, options);
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    expect(new Set(keys(plan)).size).toBe(plan.parts.length);
    for (const [i, part] of plan.parts.entries()) {
      expect(part.key).toMatch(/^[0-9a-f]{64}$/);
      expect(part.memory, part.title).toBeGreaterThan(0);
      expect(part.work, part.title).toBeGreaterThan(0);
      for (const key of part.after) expect(keys(plan).slice(0, i)).toContain(key);
    }
  });

  it('gives the same bits when every part is computed alone, from a plan that went through text', async () => {
    const { store, run } = await start();
    const whole = await runWorkflow(one, run, options, how);
    const elsewhere = copyOf((await smallRun()).store);
    const text = JSON.stringify(await planOf(await openRun(elsewhere), options));
    const kept = memoryStore('parts');
    // Each part with a plan, a run and an engine of its own; each of them twice, as a task that was started again.
    const parts = (JSON.parse(text) as Plan).parts;
    for (let upTo = 1; upTo <= parts.length; upTo++)
      for (let twice = 0; twice < (upTo % 3 ? 1 : 2); twice++) {
        if (twice) await kept.remove(`p/${parts[upTo - 1]!.key}.npz`);
        await partsUpTo(one, JSON.parse(text), await openRun(elsewhere), upTo, kept, how);
      }
    const plan = JSON.parse(text) as Plan;
    const joined = await runPlan(one, await openRun(elsewhere), plan as never, {
      ...how,
      parts: { store: kept, folder: 'p' },
      onProgress: ({ share }) => expect(share).toBeLessThanOrEqual(1),
    });
    expect(withoutSeconds(joined)).toEqual(withoutSeconds(whole));
    expect(store.files().size).toBeGreaterThan(0);
  }, 120_000);

  it('goes on after a stop between any two parts, without doing any twice', async () => {
    const { run } = await start();
    const whole = withoutSeconds(await runWorkflow(one, run, options, how));
    const count = (await planOf(await openRun((await smallRun()).store), options)).parts.length;
    for (let stop = 1; stop < count; stop += Math.max(1, Math.floor(count / 4))) {
      const { store } = await start();
      const parts = { store: memoryStore('parts'), folder: 'p' };
      const computed: string[] = [];
      const counting: Any = {
        ...one,
        compute: (part, context) => {
          computed.push(part.title + part.stage);
          return one.compute(part, context);
        },
      };
      const controller = new AbortController();
      const stopped = await runWorkflow(
        {
          ...counting,
          compute: async (part, context) => {
            const output = await counting.compute(part, context);
            if (computed.length === stop) controller.abort();
            return output;
          },
        },
        await openRun(store),
        options,
        { ...how, parts, signal: controller.signal },
      ).catch((cause: EpochscopeError) => cause);
      expect(stopped).toBeInstanceOf(EpochscopeError);
      expect((stopped as EpochscopeError).code).toBe('cancelled');
      expect(computed.length).toBe(stop);
      // As a new process: the run is opened again, and the plan made again.
      const again = await runWorkflow(counting, await openRun(store), options, { ...how, parts });
      expect(new Set(computed).size).toBe(computed.length);
      expect(withoutSeconds(again)).toEqual(whole);
    }
  }, 120_000);

  it('has keys that change with an option and with a byte read, and not otherwise', async () => {
    const { store, run } = await start();
    const plan = keys(await planOf(run, options));
    expect(keys(await planOf(await openRun(copyOf(store)), options))).toEqual(plan);
    expect(keys(await planOf(run, { ...options, name: 'another' }))).toEqual(plan);
    const changed = keys(await planOf(run, { ...options, ...other }));
    expect(changed.some((key) => !plan.includes(key))).toBe(true);
    const touched = await changedByte(store, (path) => path.endsWith('epoch-0002/weights.safetensors'));
    expect(keys(await planOf(await openRun(touched), options)).some((key) => !plan.includes(key))).toBe(true);
  });

  it('refuses an option that there is not, and what does not fit into memory before any work', async () => {
    const { run } = await start();
    await expect(planOf(run, { ...options, colour: 'red' })).rejects.toMatchObject({ code: 'argument' });
    const files = (run.store as MemoryStore).files().size;
    await expect(runWorkflow(one, run, options, { ...how, memoryLimit: 10 })).rejects.toMatchObject({
      code: 'memory',
    });
    expect((run.store as MemoryStore).files().size).toBe(files);
  });
}

/** Computes one more part than before, as a task of a cluster does. */
async function partsUpTo(
  one: Any,
  plan: Plan,
  run: Run,
  count: number,
  store: MemoryStore,
  how: WorkflowOptions,
) {
  const some = { ...plan, parts: plan.parts.slice(0, count) };
  await runPlan({ ...one, join: async () => ({}) as ResultBase }, run, some as never, {
    ...how,
    parts: { store, folder: 'p' },
  });
}

/** A copy whose last byte of one file is another; the hash that its writer stored goes. */
async function changedByte(store: MemoryStore, which: (path: string) => boolean): Promise<MemoryStore> {
  return memoryStore(
    store.name,
    [...store.files()].flatMap(([path, bytes]): [string, Uint8Array][] => {
      if (path === 'index.json') return [];
      if (!which(path)) return [[path, bytes]];
      const other = bytes.slice();
      other[other.length - 3]! ^= 1;
      return [[path, other]];
    }),
  );
}
