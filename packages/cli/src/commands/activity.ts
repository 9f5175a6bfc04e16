import { activityOfRun, type Figure } from '@epochscope/analysis';
import type { Command } from 'commander';
import { analyseRun } from '../analyse.js';
import type { Output } from '../output.js';
import { activityPictures } from '../pictures/activity.js';
import { type PictureOptions, writePictures } from '../pictures/index.js';
import { pictureOptions, picturesOf } from './_pictures.js';
import { type CommonOptions, names, oneOf, table, whole } from './_shared.js';

export function define(command: Command): Command {
  command
    .argument('<run>', 'run directory')
    .option('--layer <names>', 'layers (default: feature maps after their activation)', names)
    .option('--layers <names>', 'the same', names)
    .option(
      '--tokens <which>',
      'what stands for a sample in layers of tokens: cls, mean or last (default: the sum over all)',
      oneOf(['cls', 'mean', 'last'] as const),
    )
    .option('--snapshots <which>', 'ids, epochs, "first", "last", "init" or "all"', names, ['last'])
    .option('--samples <n>', 'only the first n samples', whole(1))
    .option('--name <name>', 'name of this result', 'default')
    .option('-o, --output <dir>', 'where to write (default: the run itself)');
  return pictureOptions(command, 'activity by class, and selectivity,').addHelpText(
    'after',
    '\nExample:\n  epochscope activity my-run --layer R1,R2 --snapshots init,1,10',
  );
}

interface Options extends CommonOptions, Partial<PictureOptions> {
  layer?: string[];
  layers?: string[];
  tokens?: 'cls' | 'mean' | 'last';
  snapshots: string[];
  samples?: number;
}

export async function run([directory]: string[], o: Options, output: Output): Promise<void> {
  const { snapshots, samples, name, tokens } = o;
  const layers = o.layer || o.layers ? [...(o.layer ?? []), ...(o.layers ?? [])] : undefined;
  const { result, folder } = await analyseRun('activity', directory!, o, output, (run, how) =>
    activityOfRun(run, { layers, tokens, snapshots, samples, name }, how),
  );
  const pictures = await writePictures(folder, activityPictures(result), picturesOf(o), output);
  const figure = ({ value }: Figure) => value?.toFixed(3) ?? '–';
  const rows = result.panels.map((p) => [
    `${p.snapshot.id} ${p.layer}`,
    p.filters,
    p.used.reduce((a, b) => a + b, 0),
    figure(p.distribution.median),
    figure(p.distribution.q1),
    figure(p.distribution.q3),
    p.selectivity.filter(({ value }) => value === null).length,
  ]);
  output.result(
    `${table([['panel', 'filters', 'samples', 'selectivity: median', 'q1', 'q3', 'undefined'], ...rows])}\nwritten to ${folder}`,
    {
      folder,
      pictures,
      panels: result.panels.map(
        ({ snapshot, layer, filters, distribution, undefinedClasses, used, notSelected, notDivided }) => ({
          snapshot: snapshot.id,
          layer,
          filters,
          used: [...used],
          undefinedClasses,
          ...(notSelected ? { notSelected } : {}),
          ...(notDivided ? { notDivided } : {}),
          ...distribution,
        }),
      ),
    },
  );
}
