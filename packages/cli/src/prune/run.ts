import {
  createRun,
  type Figure,
  loadWeights,
  openRun,
  type PruneResult,
  type PruneRound,
  type Run,
  type RunWriter,
  readManifest,
  readResult,
  resumeRun,
} from '@epochscope/analysis';
import { type EpochscopeError, guard } from '@epochscope/core-wasm';
import { type Plan, recordOf } from './plan.js';
import { idOf } from './round.js';

/** Reads what a cut-off run holds and puts the net there. null when it holds no whole round yet. */
export async function rewind(plan: Plan): Promise<{ result: PruneResult; last: PruneRound } | null> {
  const { own, options, folder, layout } = plan;
  const manifest = await readManifest(options.output);
  const wanted = JSON.stringify(recordOf(plan));
  const found = JSON.stringify(manifest.training?.prune);
  guard(
    found === wanted,
    'argument',
    () => `${options.output} was begun with other options: expected ${wanted}, it holds ${found ?? 'none'}`,
    { path: options.output },
  );
  const result = await readResult<PruneResult>(folder).catch((cause) => {
    if ((cause as EpochscopeError).code === 'missing') return null;
    throw cause;
  });
  const last = result?.rounds[result.rounds.length - 1];
  if (!result || !last) return null;
  if (own) {
    const run = await openRun(options.output);
    loadWeights(own.tf, own.net, await run.weights(idOf(last.round)), `${options.output}, ${layout.layer}`);
  }
  return { result, last };
}

/** The run that is written: new, with its samples and the net before pruning, or gone on with. */
export async function openWriter(plan: Plan, before: Figure, resumed: boolean): Promise<RunWriter> {
  const { run, options } = plan;
  const { manifest } = run;
  const writer =
    resumed || options.resume
      ? await resumeRun(options.output)
      : await createRun(
          options.output,
          {
            model: manifest.model,
            layers: manifest.layers,
            classes: manifest.classes,
            inputShape: manifest.inputShape,
            training: { ...manifest.training, prune: recordOf(plan) },
          },
          { overwrite: options.overwrite },
        );
  if (resumed) return writer;
  await copySamples(run, writer);
  await writer.writeSnapshot(
    {
      id: 'before',
      epoch: null,
      step: null,
      metrics: before.value === null ? {} : { testAccuracy: before.value },
    },
    new Map(plan.weights),
  );
  return writer;
}

async function copySamples(run: Run, writer: RunWriter): Promise<void> {
  if (!run.manifest.samples) return;
  const inputs = await run.inputTensor();
  if (inputs)
    await writer.writeSamples({
      inputs,
      labels: await run.labels(),
      source: run.manifest.samples.source,
    });
}
