import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EpochscopeError } from '@epochscope/core-wasm';
import { type Command, InvalidArgumentError } from 'commander';
import type { Output } from '../output.js';
import { EXPERIMENTS } from '../reproduce/index.js';
import { whole } from './_shared.js';

const NAMES = Object.keys(EXPERIMENTS);

export function define(command: Command): Command {
  return command
    .description("Run a paper's experiment again and say which of its claims hold, with figures")
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
    .option('--quick', 'little data and few epochs: a minute or so')
    .option('--seed <n>', 'initial weights, order of samples', whole(0), 1)
    .option('--epochs <n>', "passes over the training samples (default: the paper's)", whole(1))
    .option('--overwrite', 'replace what an earlier reproduction wrote there')
    .addHelpText(
      'after',
      '\nExamples:\n  epochscope reproduce takehana --quick\n  epochscope reproduce takehana --data ~/mnist -o takehana',
    );
}

export async function run(
  [paper]: string[],
  o: {
    output?: string;
    data?: string;
    download?: string;
    quick?: boolean;
    seed: number;
    epochs?: number;
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
  const folder = o.output ?? `epochscope-${paper}`;
  const claims = join(folder, 'claims.json');
  const done = await stat(claims).then(
    () => true,
    () => false,
  );
  if (done && !o.overwrite)
    throw new EpochscopeError(
      'io',
      `${folder} already holds a reproduction; choose another folder or pass --overwrite`,
      { path: folder },
    );
  const { experiment } = await EXPERIMENTS[paper]!();
  await experiment.run(
    {
      output: folder,
      data: o.data,
      download: o.download,
      quick: Boolean(o.quick),
      seed: o.seed,
      epochs: o.epochs,
      overwrite: Boolean(o.overwrite),
    },
    output,
  );
}
