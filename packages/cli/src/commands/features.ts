import { type FeaturesResult, featuresOfRun } from '@epochscope/analysis';
import { featuresSentence } from '@epochscope/analysis/results';
import { FEATURES_DEFAULTS } from '@epochscope/analysis/workflows';
import type { Command } from 'commander';
import { analyseRun } from '../analyse.js';
import type { Output } from '../output.js';
import { featuresPictures } from '../pictures/features.js';
import { type PictureOptions, writePictures } from '../pictures/index.js';
import { pictureOptions, picturesOf } from './_pictures.js';
import { type CommonOptions, names, table, whole } from './_shared.js';

export function define(command: Command): Command {
  command
    .argument('<run>', 'run directory')
    .option('--layers <names>', 'dense layers and convolutions (default: all)', names)
    .option('--snapshots <which>', 'ids, epochs, "first", "last", "init" or "all"', names, ['all'])
    .option('--samples <n>', 'only the first N samples', whole(1))
    .option('--k <n>', 'eigenvectors kept, as pictures', whole(1), FEATURES_DEFAULTS.k)
    .option(
      '--of <layer>',
      'the layer whose derivatives are taken (default: the scores, the last before a softmax)',
    )
    .option(
      '--probes <n>',
      'random mixtures of its values a sample (default: up to 64 values each by itself, else 16)',
      whole(1),
    )
    .option('--seed <n>', 'of the mixtures and of starting vectors', whole(0), FEATURES_DEFAULTS.seed)
    .option('--name <name>', 'name of this result', FEATURES_DEFAULTS.name)
    .option('-o, --output <dir>', 'where to write (default: the run itself)');
  return pictureOptions(
    command,
    'correlations over the snapshots, and eigenvectors of each layer',
  ).addHelpText('after', '\nExample:\n  epochscope features my-run --layers C2,F3,F4 --png');
}

interface Options extends CommonOptions, Partial<PictureOptions> {
  layers?: string[];
  snapshots: string[];
  samples?: number;
  k: number;
  of?: string;
  probes?: number;
  seed: number;
}

export async function run([target]: string[], o: Options, output: Output): Promise<void> {
  const { layers, snapshots, samples, k, probes, seed, name } = o;
  const { result, folder } = await analyseRun('features', target!, o, output, (run, how) =>
    featuresOfRun(run, { layers, snapshots, samples, k, output: o.of, probes, seed, name }, how),
  );
  const pictures = await writePictures(folder, featuresPictures(result), picturesOf(o), output);
  output.result([text(result), featuresSentence(result), `written to ${folder}`].join('\n'), {
    folder,
    pictures,
    panels: result.panels.map(({ vectors: _, values, snapshot, ...figures }) => ({
      snapshot: snapshot.id,
      ...figures,
      values: [...values],
    })),
  });
}

function text({ panels }: FeaturesResult): string {
  const figure = ({ value }: { value: number | null }) => (value === null ? '–' : value.toFixed(3));
  const reasons = new Set<string>();
  const rows = panels.map((panel) => {
    const figures = [panel.correlation, panel.rootCorrelation, panel.startCorrelation, panel.settled];
    for (const { value, reason } of figures) if (value === null) reasons.add(`${panel.layer}: ${reason}`);
    return [panel.layer, panel.snapshot.id, `${panel.inputs}×${panel.units}`, ...figures.map(figure)];
  });
  return [
    table([['layer', 'snapshot', 'weights', 'AGOP', 'root of AGOP', 'first snapshot', 'settled'], ...rows]),
    ...[...reasons].map((reason) => `– ${reason}`),
  ].join('\n');
}
