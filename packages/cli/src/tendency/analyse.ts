import {
  alignPanels,
  analyseTendency,
  createEngine,
  type Engine,
  type MarkRule,
  RESULT_FORMAT,
  type TendencyInput,
  type TendencyPanel,
  type TendencyResult,
  thinTendency,
  toolInfo,
} from '@epochscope/analysis';
import type { Output } from '../output.js';
import { writeWhole } from '../result-folder.js';
import type { Chosen } from '../rows.js';
import type { TendencyRunOptions } from './options.js';

const PAPER_MARKS: MarkRule[] = [{ rule: 'top-likelihood', k: 10 }];

/** A panel to be, whose outputs are read when they are wanted: one layer in memory at a time. */
export interface Source {
  snapshot: TendencyPanel['snapshot'];
  layer: string;
  input(): Promise<TendencyInput>;
}

/** Every panel, one after the other, and the thinned ones where they are asked for. */
export async function analyse(
  sources: Source[],
  options: TendencyRunOptions,
  input: TendencyResult['input'],
  samples: Pick<TendencyResult['samples'], 'classes' | 'images' | 'labels'> & { chosen: Chosen },
  output: Output,
): Promise<TendencyResult> {
  const engine = createEngine();
  const begun = performance.now();
  const shared = {
    metric: options.metric,
    vatSide: options.vatSide,
    seed: options.seed,
    signal: output.signal,
  };
  const marksOf = (one: TendencyInput) => options.marks ?? (one.logLikelihood ? PAPER_MARKS : []);
  let panels: TendencyPanel[] = [];
  try {
    const progress = output.progress('Cluster tendency');
    try {
      for (const [i, source] of sources.entries()) {
        const one = await source.input();
        panels.push(
          await analyseTendency(engine, one, {
            ...shared,
            marks: marksOf(one),
            onProgress: (done, total) =>
              progress.update(i + done / total, sources.length, `${source.snapshot.id} ${source.layer}`),
          }),
        );
      }
    } finally {
      progress.stop();
    }
    panels = alignPanels(panels);
    const thinning = options.thin && (await thinned(engine));
    const n = panels[0]!.n;
    return {
      format: RESULT_FORMAT,
      method: 'tendency',
      name: options.name,
      tool: toolInfo,
      input,
      parameters: {
        metric: options.metric,
        marks: options.marks ?? 'top-likelihood 10 where there are predictions',
        vatSide: options.vatSide,
        samples: typeof options.samples === 'string' ? options.samples : n,
        ...(options.thin ? { thin: { ...options.thin } } : {}),
      },
      seeds: { analysis: options.seed },
      seconds: (performance.now() - begun) / 1000,
      samples: {
        count: n,
        labels: samples.labels,
        classes: samples.classes,
        images: samples.images,
        ...(samples.chosen ? { indices: samples.chosen } : {}),
      },
      panels,
      ...(thinning ? { thinning } : {}),
    };
  } finally {
    await engine.close();
  }

  async function thinned(pool: Engine) {
    const progress = output.progress('Thinning');
    try {
      const first = await sources[0]!.input();
      return await thinTendency(
        pool,
        sources.map((source, i) => ({ panel: panels[i]!, input: source.input })),
        {
          ...shared,
          vatSide: 0,
          marks: marksOf(first),
          plan: options.thin!,
          reference: options.reference!,
          onProgress: (done, total) => progress.update(done, total),
        },
      );
    } finally {
      progress.stop();
    }
  }
}

/** Writes the result. */
export async function write(
  folder: string,
  result: TendencyResult,
  output: Output,
): Promise<{ result: TendencyResult; folder: string }> {
  await writeWhole(folder, result, output);
  return { result, folder };
}
