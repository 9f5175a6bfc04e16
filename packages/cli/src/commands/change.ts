import { join } from 'node:path';
import { type ChangeResult, changeOfRun, type Figure, type TracksResult } from '@epochscope/analysis';
import type { PathRule } from '@epochscope/analysis/methods';
import { chooseSnapshots, planWorkflow, runPlan, tracksWorkflow } from '@epochscope/analysis/workflows';
import { type Command, InvalidArgumentError } from 'commander';
import { analyse, openTold } from '../analyse.js';
import { writeResultTo } from '../files.js';
import type { Output } from '../output.js';
import { changePictures } from '../pictures/change.js';
import { type PictureOptions, writePictures } from '../pictures/index.js';
import { pictureOptions, picturesOf } from './_pictures.js';
import { type CommonOptions, names, table, whole } from './_shared.js';

export function define(command: Command): Command {
  command
    .argument('<run>', 'run directory')
    .option('--from <snapshot>', 'id, epoch, "first", "last" or "init"', 'first')
    .option('--to <snapshot>', 'same', 'last')
    .option('--layers <names>', 'only these (default: all with parameters)', names)
    .option(
      '--tracks <snapshots>',
      'snapshots that paths and update sizes run over; "none" for no tracks',
      names,
      ['all'],
    )
    .option(
      '--paths <which>',
      'per layer "largest:K" or "random:K" parameters to follow, or "C1.kernel@17,F5.bias@3"; a place is a flat index or 0:0:0:5',
      'largest:8',
    )
    .option('--seed <n>', 'for random paths', whole(0), 1)
    .option('--name <name>', 'name of this result', 'default')
    .option('-o, --output <dir>', 'where to write (default: the run itself)');
  return pictureOptions(command, 'changes by tensor and layer, update sizes and paths').addHelpText(
    'after',
    '\nExample:\n  epochscope change my-run --from init --to epoch-10',
  );
}

/** "largest:8", "random:20", "C1.kernel@17,F5.bias@3". Throws InvalidArgumentError. */
export function pathRule(text: string, seed: number): PathRule {
  const match = /^(largest|random):(\d+)$/.exec(text);
  if (match) {
    const k = Number(match[2]);
    return match[1] === 'largest' ? { rule: 'largest', k } : { rule: 'random', k, seed };
  }
  return {
    rule: 'index',
    chosen: names(text).map((part) => {
      const [, tensor, place] = /^(.+)@(\d+(?::\d+)*)$/.exec(part) ?? [];
      if (!tensor || !place)
        throw new InvalidArgumentError(
          `paths: expected largest:K, random:K or TENSOR@PLACE, got ${JSON.stringify(part)}`,
        );
      return { tensor, at: place.split(':').map(Number) };
    }),
  };
}

interface Options extends CommonOptions, Partial<PictureOptions> {
  from: string;
  to: string;
  layers?: string[];
  tracks: string[];
  paths: string;
  seed: number;
}

export async function run([directory]: string[], o: Options, output: Output): Promise<void> {
  const { result, tracks, folder } = await changeAndTracks(
    directory!,
    {
      from: o.from,
      to: o.to,
      layers: o.layers,
      tracks: o.tracks.includes('none') ? null : o.tracks,
      paths: pathRule(o.paths, o.seed),
      name: o.name,
      output: o.output,
    },
    output,
  );
  const pictures = await writePictures(folder, changePictures(result, tracks), picturesOf(o), output);
  output.result(`${changeTable(result)}\nwritten to ${folder}`, {
    folder,
    pictures,
    from: result.from,
    to: result.to,
    layers: result.layers,
    tracks: tracks && { snapshots: tracks.snapshots.length, paths: tracks.paths.length },
  });
}

export interface ChangeAndTracks {
  from: string;
  to: string;
  layers?: string[];
  /** Snapshots that paths and update sizes run over; null: no tracks. */
  tracks: string[] | null;
  paths: PathRule;
  name: string;
  /** Folder instead of the run's results; tracks go into its subfolder "tracks". */
  output?: string;
}

/** Change between two snapshots, and the tracks over snapshots where there are two or more: two results. */
export async function changeAndTracks(
  directory: string,
  { from, to, layers, tracks, paths, name, output: folder }: ChangeAndTracks,
  output: Output,
): Promise<{ result: ChangeResult; tracks: TracksResult | null; folder: string }> {
  const run = await openTold(directory, output);
  // Refused before the first result is written.
  const snapshots = tracks && chooseSnapshots(run, tracks).map(({ id }) => id);
  // Both are computed before either is written.
  let over: TracksResult | null = null;
  const plan =
    snapshots && snapshots.length > 1
      ? await planWorkflow(tracksWorkflow, run, { from, to, layers, snapshots, paths, name })
      : null;
  const written = await analyse(
    'change',
    { run, directory },
    { name, output: folder },
    output,
    async (_, how) => {
      const result = await changeOfRun(run, { from, to, layers, name }, how);
      if (plan) over = await runPlan(tracksWorkflow, run, plan, how);
      return result;
    },
  );
  if (over)
    await writeResultTo(
      folder === undefined ? join(directory, 'results', 'tracks', name) : join(folder, 'tracks'),
      over,
    );
  return { ...written, tracks: over };
}

/** Per layer the figures of the claim that what starts positive grows and what starts negative shrinks. */
export function changeTable(result: ChangeResult): string {
  const figure = ({ value }: Figure, digits = 3) => value?.toFixed(digits) ?? '–';
  const share = ({ value }: Figure) => (value === null ? '–' : `${(100 * value).toFixed(1)} %`);
  return [
    `Change from ${result.from.id} to ${result.to.id}`,
    table([
      ['layer', 'weights', 'Pearson r', 'slope', 'equal signs', '+ grew', '− shrank', 'relative', 'largest'],
      ...result.layers.map(({ layer, statistics: s }) => [
        layer,
        s.count,
        figure(s.pearson),
        figure(s.slope),
        share(s.equalSigns),
        share(s.positiveGrew),
        share(s.negativeShrank),
        figure(s.relativeChange),
        figure(s.largestChange),
      ]),
    ]),
  ].join('\n');
}
