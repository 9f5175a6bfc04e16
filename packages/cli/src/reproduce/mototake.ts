import { join } from 'node:path';
import { type GeometryResult, geometryOfRun, openRun } from '@epochscope/analysis';
import type { Dataset } from '@epochscope/analysis/models';
import { analyseRun } from '../analyse.js';
import { makeFolder } from '../files.js';
import type { Output } from '../output.js';
import { geometryPictures } from '../pictures/geometry.js';
import { PNG_AND_SVG, writePictures } from '../pictures/index.js';
import { trainTold } from '../train.js';
import { type ClaimsReport, claimsText, writeClaims } from './claims.js';
import { experimentData } from './data.js';
import {
  cosineAt,
  depthClaim,
  dimensionClaim,
  finetuningClaim,
  hierarchyClaim,
  localityClaim,
  type Phases,
  perturbationClaim,
  spectrumAt,
  tangentClaim,
  vectorClaim,
} from './mototake-claims.js';
import { earlierTraining } from './trained.js';
import type { Experiment, ExperimentOptions } from './types.js';

/** Hinton, Osindero & Teh's net, which the paper cites; it gives no sizes and no epochs. */
const HIDDEN = [500, 500, 2000];
const QUICK_HIDDEN = [100, 100, 200];
const EPOCHS = 10;
const QUICK_EPOCHS = 3;
/** Inputs and triplets of the paper's other experiment. */
const INPUTS = 16;
const K = 100;

export const experiment: Experiment = {
  describe:
    'Mototake & Ikegami, singular values and vectors of Jacobians: a Deep Belief Network on MNIST, before and after fine-tuning',
  async run(options, output) {
    const begun = performance.now();
    const { seed, quick } = options;
    const data = await experimentData('mnist', options, [28, 28, 1], output);
    const epochs = options.epochs ?? (quick ? QUICK_EPOCHS : EPOCHS);
    const hidden = quick ? QUICK_HIDDEN : HIDDEN;
    await makeFolder(options.output);
    const run = join(options.output, 'run');
    await trained(run, data, epochs, hidden, options, output);

    const { manifest } = await openRun(run);
    const phases: Phases = {
      pretrained: `rbm-${hidden.length}`,
      finetuned: manifest.snapshots.at(-1)!.id,
      layers: hidden.map((_, i) => `H${i + 1}`),
    };
    const { result, folder } = await analyseRun('geometry', run, { name: 'default' }, output, (opened, how) =>
      geometryOfRun(
        opened,
        {
          layers: [...phases.layers, `S${hidden.length + 1}`],
          snapshots: ['init', phases.pretrained, phases.finetuned],
          inputs: INPUTS,
          k: K,
          seed,
        },
        how,
      ),
    );
    await writePictures(options.output, geometryPictures(result, 'grey'), PNG_AND_SVG, output);
    const report: ClaimsReport = {
      experiment: 'mototake',
      paper: 'Mototake & Ikegami, The Analysis Of Deep Neural Networks',
      quick,
      parameters: {
        data: `${data.name} (${data.train.count} training, ${data.test.count} test samples)`,
        net: `784-${hidden.join('-')}-10, logistic units`,
        'epochs of contrastive divergence': epochs,
        'epochs of fine-tuning': epochs,
        inputs: INPUTS,
        k: K,
        seed,
      },
      seconds: (performance.now() - begun) / 1000,
      claims: [
        depthClaim(result, phases),
        dimensionClaim(result, phases),
        tangentClaim(result, phases),
        finetuningClaim(result, phases),
        vectorClaim(result, phases),
        localityClaim(result, phases),
        perturbationClaim(result, phases),
        hierarchyClaim(),
      ],
      remarks: remarks(result, phases),
    };
    await writeClaims(options.output, report);
    output.result(`${claimsText(report)}\n\nwritten to ${options.output}; spectra in ${folder}`, {
      folder: options.output,
      claims: report.claims,
    });
  },
};

/** Trains both phases, or takes what an earlier, cut-off reproduction with the same options left. */
async function trained(
  directory: string,
  data: Dataset,
  epochs: number,
  hidden: number[],
  options: ExperimentOptions,
  output: Output,
): Promise<void> {
  const earlier = await earlierTraining(
    directory,
    Boolean(options.overwrite),
    ({ training, model }) =>
      training?.data === `${data.name} (${data.source})` &&
      training.epochs === epochs &&
      training.seed === options.seed &&
      JSON.stringify(model?.hidden) === JSON.stringify(hidden),
    output,
  );
  if (earlier === 'complete') return;
  await trainTold(
    directory,
    data,
    {
      model: { name: 'dbn', hidden, seed: options.seed },
      epochs,
      batchSize: options.quick ? 20 : 100,
      optimizer: 'adam',
      learningRate: 0.001,
      noise: 0,
      seed: options.seed,
      pretrain: { epochs, learningRate: 0.1 },
      snapshots: { init: true, epochs: [epochs] },
      samples: 1000,
    },
    earlier === 'cut',
    output,
  );
}

function remarks(result: GeometryResult, { pretrained, finetuned, layers }: Phases): string[] {
  const rows = [
    '| snapshot | layer | σ1 | σ50 | σ ≥ 1 | effective rank | participation ratio |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: |',
    ...result.spectra.map((s) => {
      const spread = ({ mean, sd }: { mean: number; sd: { value: number | null } }) =>
        `${mean.toFixed(1)} ± ${(sd.value ?? 0).toFixed(1)}`;
      const { atLeastOne, effectiveRank, participationRatio } = s.dimensions;
      return `| ${s.snapshot.id} | ${s.to} | ${s.mean[0]!.toFixed(3)} | ${(s.mean[Math.min(50, s.k) - 1] ?? 0).toFixed(4)} | ${spread(atLeastOne)} | ${spread(effectiveRank)} | ${spread(participationRatio)} |`;
    }),
  ];
  const last = layers[layers.length - 1]!;
  const alignment = (snapshot: string) =>
    result.alignments.find((a) => a.snapshot.id === snapshot && a.to === last);
  const [before, after] = [alignment(pretrained), alignment(finetuned)];
  const told =
    before && after
      ? [
          `Tangent vectors in the span of the first right vectors at ${last}, cosine before → after fine-tuning: ${before.names
            .map(
              (name) =>
                `${name} ${cosineAt(before, name).mean.toFixed(2)} → ${cosineAt(after, name).mean.toFixed(2)}`,
            )
            .join(', ')}.`,
        ]
      : [];
  const left = spectrumAt(result, pretrained, last).unconverged;
  return [
    ['Mean and spread over the inputs:', '', ...rows].join('\n'),
    ...told,
    `${left} of the singular triplets at ${last} after pre-training did not converge.`,
  ];
}
