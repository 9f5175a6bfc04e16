import { createEngine } from '../../engine/create.js';
import {
  analyseTendency,
  type MarkRule,
  type TendencyInput,
  type TendencyMetric,
  type TendencyResult,
  thinningSteps,
  thinTendency,
} from '../../methods/tendency/index.js';
import { RESULT_FORMAT } from '../../results/types.js';
import { toolInfo } from '../../version.js';
import type { WorkflowOptions } from '../run.js';
import type { Chosen } from '../select.js';
import {
  checkNeighbours,
  checkSmallest,
  PAPER_MARKS,
  TENDENCY_DEFAULTS,
  type TendencyRunOptions,
} from './options.js';

/** What a result says of one matrix beside its figures. */
export interface TendencyInputAbout {
  input: TendencyResult['input'];
  classes: string[] | null;
  /** Names of the rows. */
  names?: readonly string[] | null;
  /** Which rows of the file these are; null: all. */
  chosen: Chosen;
  notes?: readonly string[];
}

export type TendencyOfInputOptions = Partial<
  Pick<
    TendencyRunOptions,
    'core' | 'marks' | 'vatSide' | 'smallestBlock' | 'stabilitySubsets' | 'seed' | 'thin' | 'name'
  >
> & { metric: TendencyMetric };

/**
 * VAT / iVAT of one input as `readInput` makes it of any matrix file: points, dissimilarities, tables with gaps. As `tendency`, which takes
 * points alone. Throws as `analyseTendency`.
 */
export async function tendencyOfInput(
  input: TendencyInput,
  about: TendencyInputAbout,
  given: TendencyOfInputOptions,
  how: Pick<WorkflowOptions, 'engine' | 'signal' | 'onProgress'> = {},
): Promise<TendencyResult> {
  const { metric } = given;
  const {
    core = null,
    vatSide,
    smallestBlock = null,
    stabilitySubsets,
    seed,
    thin,
    name,
  } = { ...TENDENCY_DEFAULTS, ...given };
  const marks = (given.marks ?? (input.logLikelihood ? PAPER_MARKS : [])) as readonly MarkRule[];
  const n = input.outputs.shape[0];
  checkNeighbours(core, n);
  checkSmallest(smallestBlock, n);
  if (thin) thinningSteps(thin, n);
  const engine = how.engine ?? createEngine();
  const report = (stage: string, from: number, share: number) => (done: number, total: number) =>
    how.onProgress?.({
      share: from + (share * done) / (total || 1),
      stage,
      title: input.layer,
      stageShare: done / (total || 1),
      secondsLeft: null,
    });
  const whole = thin ? 0.6 : 1;
  const begun = performance.now();
  try {
    const shared = {
      metric,
      ...(core === null ? {} : { core }),
      marks,
      ...(smallestBlock === null ? {} : { smallestBlock }),
      ...(stabilitySubsets === null ? {} : { stabilitySubsets }),
      seed,
      signal: how.signal,
    };
    const panel = await analyseTendency(engine, input, {
      ...shared,
      vatSide,
      onProgress: report('Cluster tendency', 0, whole),
    });
    const reference = { snapshot: input.snapshot.id, layer: input.layer };
    const thinning =
      thin &&
      (await thinTendency(engine, [{ panel, input: async () => input }], {
        ...shared,
        vatSide: 0,
        plan: thin,
        reference,
        onProgress: report('Thinning', whole, 1 - whole),
      }));
    return {
      format: RESULT_FORMAT,
      method: 'tendency',
      name,
      tool: toolInfo,
      input: about.input,
      parameters: {
        metric,
        ...(core === null ? {} : { core }),
        marks: given.marks ?? 'top-likelihood 10 where there are predictions',
        vatSide,
        samples: n,
        ...(smallestBlock === null ? {} : { smallestBlock }),
        ...(stabilitySubsets === null ? {} : { stabilitySubsets }),
        ...(thin ? { thin: { ...thin } } : {}),
      },
      seeds: { analysis: seed },
      seconds: (performance.now() - begun) / 1000,
      samples: {
        count: n,
        labels: input.labels && Uint32Array.from(input.labels),
        classes: about.classes,
        images: null,
        ...(about.names ? { names: about.names } : {}),
        ...(about.chosen ? { indices: about.chosen } : {}),
      },
      panels: [panel],
      ...(about.notes || panel.notes ? { notes: [...(about.notes ?? []), ...(panel.notes ?? [])] } : {}),
      ...(thinning ? { thinning } : {}),
    };
  } finally {
    if (!how.engine) await engine.close();
  }
}
