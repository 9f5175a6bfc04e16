import {
  analyseTendency,
  type MarkRule,
  type TendencyInput,
  type TendencyPanel,
  type TendencyResult,
  type ThinnedPanel,
  type ThinningPlan,
  thinPanel,
} from '../../methods/tendency/index.js';
import type { PartContext } from '../types.js';
import { PAPER_MARKS, type TendencyPanelOptions } from './options.js';

/** What decides a panel of an input. `core` is left out where distances are not mutual reachabilities. */
export interface PanelChoice
  extends Pick<
    TendencyPanelOptions,
    'metric' | 'marks' | 'vatSide' | 'smallestBlock' | 'stabilitySubsets' | 'seed'
  > {
  core?: number;
}

export const panelChoice = ({
  metric,
  core,
  marks,
  vatSide,
  smallestBlock,
  stabilitySubsets,
  seed,
}: TendencyPanelOptions): PanelChoice => ({
  metric,
  ...(core === null ? {} : { core }),
  marks,
  vatSide,
  smallestBlock,
  stabilitySubsets,
  seed,
});

type Context = Pick<PartContext<unknown>, 'engine' | 'signal' | 'onProgress'>;

const methodOptions = (
  input: TendencyInput,
  { metric, core, marks, smallestBlock, stabilitySubsets, seed }: PanelChoice,
  { signal, onProgress }: Context,
) => ({
  metric,
  ...(core === undefined ? {} : { core }),
  marks: (marks ?? (input.logLikelihood ? PAPER_MARKS : [])) as MarkRule[],
  ...(smallestBlock === null ? {} : { smallestBlock }),
  ...(stabilitySubsets === null ? {} : { stabilitySubsets }),
  seed,
  signal,
  onProgress: (done: number, total: number) => onProgress?.(done / (total || 1)),
});

/** The panel of an input. */
export const panelOf = (
  input: TendencyInput,
  choice: PanelChoice,
  context: Context,
): Promise<TendencyPanel> =>
  analyseTendency(context.engine, input, {
    ...methodOptions(input, choice, context),
    vatSide: choice.vatSide,
  });

/** The same on the subsets of a plan, along an order. */
export const thinnedOf = (
  { panel, input, order }: { panel: TendencyPanel; input: TendencyInput; order: Uint32Array },
  choice: PanelChoice & { plan: ThinningPlan },
  context: Context,
): Promise<ThinnedPanel> =>
  thinPanel(context.engine, { panel, input }, order, {
    ...methodOptions(input, choice, context),
    vatSide: 0,
    plan: choice.plan,
    // Of no account for one panel along an order given.
    reference: { snapshot: '', layer: '' },
  });

/** What a result of n samples says of its options. */
export const parametersOf = (
  {
    metric,
    core,
    marks,
    vatSide,
    smallestBlock,
    stabilitySubsets,
    thin,
  }: Omit<TendencyPanelOptions, 'samples' | 'seed' | 'name'>,
  n: number,
): TendencyResult['parameters'] => ({
  metric,
  ...(core === null ? {} : { core }),
  marks: marks ?? 'top-likelihood 10 where there are predictions',
  vatSide,
  samples: n,
  ...(smallestBlock === null ? {} : { smallestBlock }),
  ...(stabilitySubsets === null ? {} : { stabilitySubsets }),
  ...(thin ? { thin: { ...thin } } : {}),
});
