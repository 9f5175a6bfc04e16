import { type Command, Option } from 'commander';
import { type ImportRunOptions, importFolder } from '../import-run.js';
import type { Output } from '../output.js';
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
    .option('--inputs <file>', 'the samples themselves, first axis the sample')
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
    .option(
      '--revisions <names>',
      'of a model on a hub: which revisions, with * for any text: "step*"; several by commas',
    )
    .option('--base <folder>', 'the net that adapters (LoRA) are added to: snapshots are the merged weights')
    .option('--resume', 'go on with a run whose import was cut off', false)
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

export async function run([directory]: string[], o: ImportRunOptions, output: Output): Promise<void> {
  await importFolder(directory!, o, output);
}
