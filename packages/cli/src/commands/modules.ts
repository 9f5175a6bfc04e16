import type { CutRule, Figure, ModulesResult, UnitMode } from '@epochscope/analysis';
import { modulesOfRun } from '@epochscope/analysis';
import { TOKEN_CHOICES, type TokenChoice } from '@epochscope/analysis/formats';
import { MODULES_DEFAULTS } from '@epochscope/analysis/workflows';
import { type Command, InvalidArgumentError } from 'commander';
import { analyseRun } from '../analyse.js';
import type { Output } from '../output.js';
import { type PictureOptions, wantsPictures, writePictures } from '../pictures/index.js';
import { modulePictures, writeCentroidFigures } from '../pictures/modules.js';
import { pictureOptions, picturesOf } from './_pictures.js';
import { type CommonOptions, names, number, oneOf, table, whole } from './_shared.js';

export function define(command: Command): Command {
  command
    .argument('<run>', 'run directory')
    .option(
      '--layers <names>',
      'hidden layers (default: those after an activation); "attn@heads" for heads, "mlp@last" for one token',
      names,
    )
    .option(
      '--tokens <which>',
      'what stands for a sample in layers of tokens: cls, mean, last, or all (each token a sample)',
      oneOf(TOKEN_CHOICES),
    )
    .option('--snapshots <which>', 'ids, epochs, "first", "last", "init" or "all"', names, ['all'])
    .option(
      '--theta <width>',
      'largest cosine dissimilarity within a cluster',
      number(0),
      MODULES_DEFAULTS.theta,
    )
    .option(
      '--cut <rule>',
      'level: the coarsest level at which no cluster is wider; branch: each branch at its own',
      oneOf(['level', 'branch'] as const),
      'level',
    )
    .option(
      '--units <what>',
      'neuron; channel (mean over its places); or head (of attention: the norm of what it gives)',
      oneOf(['neuron', 'channel', 'head'] as const),
      'neuron',
    )
    .option(
      '--samples <n>',
      'samples to correlate over, drawn with the seed',
      whole(2),
      MODULES_DEFAULTS.samples,
    )
    .option(
      '--samples-of <what>',
      'training: of the training data, run through the net; run: of the samples the run holds (always so for imported nets)',
      oneOf(['training', 'run'] as const),
      'training',
    )
    .option('--data <where>', "training data, as in train (default: the run's own)")
    .option(
      '--outputs <what>',
      'probability (of a log-softmax layer), or layer: the last layer as it is',
      oneOf(['probability', 'layer'] as const),
      'probability',
    )
    .option('--max-units <n>', 'if there are more units, draw so many', whole(2))
    .option('--sweep <thetas>', 'thresholds to try ("0.3,0.5"), or "none"', thetas, MODULES_DEFAULTS.sweep)
    .option('--seed <n>', 'for drawing samples and units', whole(0), 1)
    .option('--name <name>', 'name of this result', 'default')
    .option('-o, --output <dir>', 'where to write (default: the run itself)');
  return pictureOptions(
    command,
    'centroids (their figures as JSON), trees, transitions and flow',
  ).addHelpText(
    'after',
    '\nExample:\n  epochscope modules my-run --snapshots 1,10,20,30 --theta 0.83 --samples 2500 --png',
  );
}

function thetas(text: string): number[] | null {
  if (text === 'none') return null;
  return names(text).map((part) => {
    const value = Number(part);
    if (!Number.isFinite(value) || value < 0)
      throw new InvalidArgumentError(`sweep: expected numbers ≥ 0 or "none", got ${JSON.stringify(part)}`);
    return value;
  });
}

interface Options extends CommonOptions, Partial<PictureOptions> {
  layers?: string[];
  tokens?: TokenChoice;
  snapshots: string[];
  theta: number;
  cut: CutRule;
  units: UnitMode;
  samples: number;
  samplesOf: 'training' | 'run';
  data?: string;
  outputs: 'probability' | 'layer';
  maxUnits?: number;
  sweep: number[] | null;
  seed: number;
}

export async function run([directory]: string[], o: Options, output: Output): Promise<void> {
  const {
    layers,
    tokens,
    snapshots,
    theta,
    cut,
    units,
    samples,
    samplesOf,
    data,
    outputs,
    maxUnits,
    sweep,
    seed,
    name,
  } = o;
  const { result, folder } = await analyseRun('modules', directory!, o, output, (run, how) =>
    modulesOfRun(
      run,
      {
        layers,
        tokens,
        snapshots,
        theta,
        cut,
        units,
        samples,
        samplesOf,
        data,
        outputs,
        maxUnits,
        sweep,
        seed,
        name,
      },
      how,
    ),
  );
  const kinds = picturesOf(o);
  const pictures = await writePictures(folder, modulePictures(result), kinds, output);
  if (wantsPictures(kinds)) pictures.push(...(await writeCentroidFigures(folder, result)));
  output.result([modulesText(result), `written to ${folder}`].join('\n'), {
    folder,
    pictures,
    ...modulesSummary(result),
  });
}

const figure = ({ value }: Figure, digits = 2) => value?.toFixed(digits) ?? '–';

/** Tables for the terminal. */
export function modulesText(result: ModulesResult): string {
  const parts = [
    table([
      ['snapshot', 'units', 'removed', 'clusters', 'largest', 'input r', 'output r', 'proposed θ', 'seconds'],
      ...result.snapshots.map((s) => [
        s.snapshot.id,
        s.kept.length,
        s.removed.reduce((sum, { units }) => sum + units.length, 0),
        s.clusters.length,
        s.clusters[0]?.size ?? 0,
        `${figure(s.unitInputRange.low)} … ${figure(s.unitInputRange.high)}`,
        `${figure(s.unitOutputRange.low)} … ${figure(s.unitOutputRange.high)}`,
        s.sweep ? figure(s.sweep.proposal) : '–',
        s.seconds.toFixed(1),
      ]),
    ]),
  ];
  if (result.transitions.length)
    parts.push(
      '',
      table([
        ['transition', 'stay', 'left', 'joined', 'concentration', 'rows split'],
        ...result.transitions.map((t) => [
          `${t.from} → ${t.to}`,
          t.count.reduce((a, b) => a + b, 0),
          t.left.reduce((a, b) => a + b, 0),
          t.joined.reduce((a, b) => a + b, 0),
          figure(t.concentration, 3),
          figure(t.splitRows, 3),
        ]),
      ]),
    );
  for (const s of result.snapshots)
    for (const { reason, units } of s.removed)
      parts.push(`${s.snapshot.id}: ${units.length} units removed: ${reason}`);
  return parts.join('\n');
}

function modulesSummary(result: ModulesResult) {
  return {
    theta: result.parameters.theta,
    units: result.units.total,
    samples: result.samples.count,
    snapshots: result.snapshots.map((s) => ({
      snapshot: s.snapshot,
      kept: s.kept.length,
      removed: s.removed.map(({ reason, units }) => ({ reason, count: units.length })),
      constantInputs: s.constantInputs.length,
      constantOutputs: s.constantOutputs.length,
      clusters: s.clusters.length,
      sizes: s.clusters.map(({ size }) => size),
      unitInputRange: s.unitInputRange,
      unitOutputRange: s.unitOutputRange,
      sweep: s.sweep,
      seconds: s.seconds,
    })),
    transitions: result.transitions.map((t) => ({
      from: t.from,
      to: t.to,
      concentration: t.concentration,
      splitRows: t.splitRows,
    })),
  };
}
