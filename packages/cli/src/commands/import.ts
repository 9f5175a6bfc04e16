import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { importRun } from '@epochscope/analysis';
import { type Command, Option } from 'commander';
import { goesOn, talk } from '../analyse.js';
import { arrayPlace } from '../matrix-file.js';
import type { Output } from '../output.js';
import { hubOptions } from '../series.js';
import { names, whole } from './_shared.js';

export function define(command: Command): Command {
  return command
    .argument(
      '<folder>',
      'checkpoint-500/, epoch=1-step=938.ckpt, model_3.pth, 03.weights.h5, epoch_3/*.npy, …',
    )
    .option('-o, --output <dir>', 'run directory to write (default: FOLDER-run)')
    .option(
      '--outputs <pattern>',
      'layer outputs in the folder: "acts/epoch_{epoch}/{layer}.npy"; {step} instead of {epoch}',
    )
    .option('--labels <file>', 'one label a sample of those outputs: .npy, .csv, .npz, .safetensors')
    .option(
      '--inputs <file>',
      'the samples themselves, first axis the sample; with --tokenizer, texts, one a line',
    )
    .option('--tokenizer <file>', "tokenizer.json of the net's writer: texts become token ids")
    .option(
      '--length <n>',
      'tokens of a text, to which longer ones are cut (default: as many as the shortest has)',
      whole(1),
    )
    .option(
      '--model <file>',
      'the net, so that outputs can be computed: .onnx, .keras, .h5 or .json; read from the snapshots where they hold it',
    )
    .option('--classes <names>', 'class names, in the order of the labels', names)
    .addOption(
      new Option('--numbers <what>', 'what numbers count that no word explains (default: epochs)').choices([
        'epochs',
        'steps',
      ]),
    )
    .option(
      '--first-epoch <n>',
      'epoch of the first snapshot, where names count from another number',
      whole(0),
    )
    .option(
      '--series <name>',
      'which of several series of checkpoints, by its name or a part of it: "unet", "seed_2"',
    )
    .option(
      '--pattern <path>',
      'how names count, where no rule foresees it: "model_{epoch}_{step}.pt", "{series}/x*-{step}.pt", ** for folders',
    )
    .option('--follow-links', 'read checkpoints through symbolic links that lead out of the folder')
    .option(
      '--revisions <names>',
      'of a model on a hub: which revisions, with * for any text: "step*"; several by commas',
    )
    .option('--base <folder>', 'the net that adapters (LoRA) are added to: snapshots are the merged weights')
    .option(
      '--resume',
      'also take what a series has grown by since; an import that was cut off goes on by itself',
      false,
    )
    .option(
      '--link',
      'leave the weights where they are and write an index of them: for large checkpoints that stay in their place',
      false,
    )
    .option('--keep-layout', 'leave PyTorch kernels as [out, in, …]', false)
    .option('--overwrite', 'replace an existing run', false)
    .addHelpText(
      'after',
      '\nExamples:\n  epochscope import lightning_logs/version_0 -o my-run\n  epochscope import acts --outputs "epoch_{epoch}/{layer}.npy" --labels labels.npy -o my-run\n  epochscope import https://huggingface.co/ORG/MODEL --revisions "step*" --link -o my-run\n  epochscope change my-run',
    );
}

interface Options {
  output?: string;
  base?: string;
  outputs?: string;
  labels?: string;
  inputs?: string;
  classes?: string[];
  numbers?: 'epochs' | 'steps';
  firstEpoch?: number;
  series?: string;
  pattern?: string;
  model?: string;
  tokenizer?: string;
  length?: number;
  revisions?: string;
  resume: boolean;
  link: boolean;
  keepLayout: boolean;
  overwrite: boolean;
}

export async function run([directory]: string[], o: Options, output: Output): Promise<void> {
  const target = o.output ?? `${basename(resolve(directory!))}-run`;
  const { labels, inputs, model, overwrite } = o;
  const { outputs, classes, numbers, firstEpoch, series, pattern, revisions, link, keepLayout } = o;
  const { stop, ...how } = talk(output);
  let parts = 0;
  const { layout, snapshots, leftOut, notes, tensors, layers, net } = await importRun(
    directory!,
    target,
    {
      ...{ outputs, classes, numbers, firstEpoch, series, pattern, revisions, link, keepLayout },
      hub: hubOptions(output),
      ...(labels === undefined ? {} : { labels: await arrayPlace(labels) }),
      ...(inputs === undefined ? {} : { inputs: await arrayPlace(inputs) }),
      ...(o.tokenizer === undefined ? {} : { tokenizer: o.tokenizer }),
      ...(o.length === undefined ? {} : { length: o.length }),
      ...(o.base === undefined ? {} : { base: o.base }),
      ...(model === undefined ? {} : { architecture: model }),
    },
    { ...how, overwrite, resume: o.resume, onPart: () => void parts++ },
  )
    .catch((cause) => {
      // Where no snapshot could be read, nothing is kept of those that were looked at.
      throw parts && existsSync(join(target, 'run.json'))
        ? goesOn(cause, `${parts} ${parts === 1 ? 'snapshot is' : 'snapshots are'} done`)
        : cause;
    })
    .finally(stop);
  for (const note of notes) output.say(`note: ${note}`);
  for (const { reason } of leftOut) output.warn(`left out: ${reason}`);
  output.result(
    `${layout}: ${counted(snapshots)}, ${layers} layers, ${tensors} tensors${net ? ', with its net: outputs are computed when asked for' : ''}\nwritten to ${target}`,
    { run: target, layout, snapshots, leftOut, notes, tensors, layers, net },
  );
}

const counted = (snapshots: readonly { id: string }[]): string =>
  snapshots.length === 1
    ? `1 snapshot (${snapshots[0]!.id})`
    : `${snapshots.length} snapshots (${snapshots[0]!.id} … ${snapshots.at(-1)!.id})`;
