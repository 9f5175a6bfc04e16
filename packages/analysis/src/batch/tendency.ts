import { EpochscopeError } from '@epochscope/core-wasm';
import type { Engine, JobOptions, VatResult } from '../engine/types.js';
import {
  samplesOfVatImage,
  type VatImage,
  type VatImageOptions,
  vatImageOfRows,
} from '../engine/vat-image.js';
import { DTYPE_BYTES } from '../formats/dtypes.js';
import type { TensorData } from '../formats/types.js';
import { spaceOf } from '../matrices/conversion.js';
import { looksPrecomputed } from '../matrices/looks.js';
import { convertedPoints, zeroNotes } from '../matrices/points.js';
import type { RowChoice, RowSource } from '../matrices/rows.js';
import type { TendencyInput, TendencyResult } from '../methods/tendency/index.js';
import type { Store } from '../stores/types.js';
import { canonicalJson } from '../workflows/keys.js';
import type { RowsFile } from '../workflows/rows-file.js';
import { runPlan, type WorkflowOptions } from '../workflows/run.js';
import { chosenSamples } from '../workflows/select.js';
import { tendencyOfFileWorkflow } from '../workflows/tendency/of-file.js';
import type { TendencyFileOptions } from '../workflows/tendency/options.js';
import type { Plan } from '../workflows/types.js';
import { checkPart, readPart, type StoredPart } from './parts.js';
import type { BatchPlan } from './plan.js';
import { checkRows, mergePoints, type PointsPart, type PointsPlan, tasksOfPoints, WHOLE } from './points.js';

/** What a panel takes, and an engine whose `vat` gives what the parts say. */
interface MergedPoints {
  input: Pick<TendencyInput, 'outputs' | 'space' | 'dimensions'>;
  notes: string[];
  engine: Engine;
}

/**
 * Puts the parts of every task together to the result of `tendencyOfFile`, whose plan is `plan`. Memory O(n). Throws `missing`, `format` (with
 * `retry: false` where rows are not as they were planned), `memory`, `cancelled`, `unsupported` for what would need all rows again.
 */
export async function joinPoints(
  rows: RowsFile,
  plan: Plan<TendencyFileOptions>,
  store: Store,
  { points, identity, states }: Extract<BatchPlan['work'], { kind: 'points' }>,
  {
    engine,
    memory,
    onMerge,
    ...how
  }: WorkflowOptions & { engine: Engine; memory: number; onMerge?: JobOptions['onProgress'] },
): Promise<TendencyResult> {
  const chosen = chosenSamples(plan.options.samples, rows.count);
  // A copy has other times: what was read decides then.
  if (canonicalJson(states ?? null) !== canonicalJson(rows.state.files))
    await checkRows(rows.matrix.rows, chosen, points, how);
  const merged = await mergedTendency(engine, store, rows.matrix.rows, chosen, points, {
    memory,
    signal: how.signal,
    onProgress: onMerge,
  });
  return runPlan(
    tendencyOfFileWorkflow,
    {
      ...rows,
      input: async () => ({ ...merged.input, notes: merged.notes }),
      identities: () => identity,
    },
    // What is left to do is little.
    { ...plan, parts: plan.parts.map((part) => ({ ...part, memory: 0, work: 1 })) } as never,
    { ...how, engine: merged.engine, elsewhere: undefined },
  );
}

/**
 * Puts the parts of every task together to what a panel takes. Of the rows only those are read that the VAT image samples,
 * unless all are few. Memory O(n). Throws `missing`, `format`, `memory`, `cancelled`; the engine throws `unsupported` for what would need
 * the rows again.
 */
async function mergedTendency(
  engine: Engine,
  store: Store,
  source: RowSource,
  chosen: RowChoice,
  plan: PointsPlan,
  how: JobOptions & { memory: number },
): Promise<MergedPoints> {
  const { n, conversion, zeros } = plan;
  const { width, metric } = conversion;
  const heads: StoredPart[] = [];
  for (const { key } of tasksOfPoints(plan)) heads.push(await checkPart(store, key));
  const { vat, rounding } = await mergePoints(
    store,
    plan,
    heads,
    async (key) => (await readPart(store, key)).output as PointsPart,
    how,
  );
  const notes = [...(await looksPrecomputed(source)), ...zeroNotes(zeros, n, metric)];
  const whole = 4 * n * width <= WHOLE ? (await convertedPoints(source, chosen, conversion)).outputs : null;
  const space = spaceOf(conversion, rounding);
  return {
    input: {
      outputs: whole ?? { data: new Float32Array(0), shape: [n, width] },
      ...(space ? { space } : {}),
      dimensions: source.shape[1],
    },
    notes,
    engine: givingVat(engine, vat, whole !== null, async (order, options) => {
      const needed = samplesOfVatImage(order, options);
      const rows = chosen ? needed.map((i) => chosen[i]!) : needed;
      // Rising, so that rows that lie near each other are read at once.
      const places = Uint32Array.from(rows.keys()).sort((a, b) => rows[a]! - rows[b]!);
      const { outputs } = await convertedPoints(
        readAhead(source),
        places.map((place) => rows[place]!),
        conversion,
      );
      const at = new Uint32Array(n);
      places.forEach((place, row) => {
        at[needed[place]!] = row;
      });
      return vatImageOfRows(
        outputs,
        order.map((sample) => at[sample]!),
        options,
      );
    }),
  };
}

/** Rows read in stretches of some 16 MB, from the first wanted on: for many that lie near each other and rise. */
function readAhead(source: RowSource): RowSource {
  const [n, d] = source.shape;
  const stretch = Math.max(1, Math.floor(16e6 / Math.max(1, d * DTYPE_BYTES[source.dtype])));
  let [begin, end] = [0, 0];
  let held: TensorData | null = null;
  return {
    ...source,
    async rows(from, to) {
      if (!held || from < begin || to > end) {
        [begin, end] = [from, Math.min(n, Math.max(to, from + stretch))];
        held = await source.rows(begin, end);
      }
      return held.subarray((from - begin) * d, (to - begin) * d) as TensorData;
    },
  };
}

type DrawImage = (order: Uint32Array, options: VatImageOptions) => Promise<VatImage>;

/** An engine for one panel whose VAT is known. */
function givingVat(engine: Engine, vat: VatResult, whole: boolean, draw: DrawImage): Engine {
  let asked = false;
  return {
    ...engine,
    async vat(x, options) {
      // The first is that of all points; the others are of subsets, for which the rows are there.
      if (!asked) {
        asked = true;
        return vat;
      }
      if (whole) return engine.vat(x, options);
      throw new EpochscopeError(
        'unsupported',
        'subsets of points that were analysed over tasks would need all their rows again: leave out `stabilitySubsets`',
      );
    },
    async vatImage(x, order, options) {
      if (whole) return engine.vatImage(x, order, options);
      return draw(order, options);
    },
  };
}
