import { type Command, InvalidArgumentError } from 'commander';
import type { Output } from '../output.js';
import { EXPERIMENTS } from '../reproduce/index.js';
import { reproduce, seedsOf } from '../reproduce/seeds.js';
import { refuseGiven } from '../usage.js';
import { whole } from './_shared.js';

const NAMES = Object.keys(EXPERIMENTS);

export function define(command: Command): Command {
  return command
    .argument('[paper]', `${NAMES.join(', ')}; without it: what each does`, (name: string) => {
      if (!Object.hasOwn(EXPERIMENTS, name))
        throw new InvalidArgumentError(`expected one of ${NAMES.join(', ')}.`);
      return name;
    })
    .option('-o, --output <dir>', 'folder for run, results, pictures and claims (default: epochscope-PAPER)')
    .option('--data <where>', 'folder of its data set, or "download"')
    .option(
      '--download <dir>',
      'folder to fetch the data set into (default: the user cache); needs no --data',
    )
    .option('--cifar <where>', 'mototake: folder of CIFAR-10 for its §7 (default: that part is left out)')
    .option('--quick', 'little data and few epochs, one seed: a minute or so')
    .option('--seeds <n>', 'how many seeds, from --seed on (default: 3, with --quick 1)', whole(1, 1000))
    .option('--seed <n>', 'initial weights, order of samples', whole(0), 1)
    .option('--epochs <n>', "passes over the training samples (default: the paper's)", whole(1))
    .option(
      '--no-claims',
      'only the seeds, each in a folder of its own: the same command without this takes them over and puts them together',
    )
    .option('--overwrite', 'replace what an earlier reproduction wrote there')
    .addHelpText(
      'after',
      '\nExamples:\n  epochscope reproduce takehana --quick\n  epochscope reproduce takehana --data ~/mnist --seeds 3 -o takehana\n  epochscope reproduce mototake --data ~/mnist --cifar ~/cifar10',
    );
}

export async function run(
  [paper]: string[],
  o: {
    output?: string;
    data?: string;
    download?: string;
    cifar?: string;
    quick?: boolean;
    seeds?: number;
    seed: number;
    epochs?: number;
    claims: boolean;
    overwrite?: boolean;
  },
  output: Output,
): Promise<void> {
  if (paper === undefined) {
    const known = await Promise.all(
      NAMES.map(async (name) => ({ name, describe: (await EXPERIMENTS[name]!()).experiment.describe })),
    );
    output.result(known.map(({ name, describe }) => `${name.padEnd(12)}${describe}`).join('\n'), {
      experiments: known,
    });
    return;
  }
  if (paper !== 'mototake') refuseGiven({ '--cifar': o.cifar }, `only for mototake, not ${paper}`);
  const folder = o.output ?? `epochscope-${paper}`;
  const { experiment } = await EXPERIMENTS[paper]!();
  await reproduce(
    paper,
    experiment,
    {
      output: folder,
      data: o.data,
      download: o.download,
      cifar: o.cifar,
      quick: Boolean(o.quick),
      seeds: seedsOf(o),
      claims: o.claims,
      epochs: o.epochs,
      overwrite: Boolean(o.overwrite),
    },
    output,
  );
}
