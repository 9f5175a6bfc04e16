import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openDataset } from '@epochscope/analysis/node';
import type { Command } from 'commander';
import type { Output } from '../output.js';
import { writeReport } from '../report/page.js';
import { tendencyOfRun } from '../tendency-run.js';
import { trainRun } from '../train-run.js';
import { table } from './_shared.js';

const EPOCHS = 10;

export function define(command: Command): Command {
  return command
    .description('Train LeNet-5 on bundled MNIST digits, analyse it and write a page: about a minute')
    .option(
      '-o, --output <dir>',
      'run directory to write; an older demo there is replaced',
      'epochscope-demo',
    )
    .addHelpText('after', '\nExample:\n  epochscope demo -o /tmp/demo');
}

export async function run(_: string[], o: { output: string }, output: Output): Promise<void> {
  const begun = performance.now();
  const data = await openDataset('bundled');
  output.say(`LeNet-5 on ${data.train.count} of the bundled MNIST digits, ${EPOCHS} epochs`);
  const trained = await trainRun(
    {
      directory: o.output,
      overwrite: true,
      data,
      model: { name: 'lenet5', seed: 1 },
      epochs: EPOCHS,
      batchSize: 50,
      optimizer: 'adam',
      learningRate: 0.001,
      noise: 0.3,
      seed: 1,
      snapshots: { init: true, epochs: [1, 2, 5, 10] },
      samples: 1000,
    },
    output,
  );
  const { result } = await tendencyOfRun(
    o.output,
    {
      layers: ['P1', 'R3', 'R4', 'S5'],
      snapshots: ['all'],
      metric: 'euclidean',
      vatSide: 256,
      seed: 1,
      name: 'default',
    },
    output,
  );
  const page = join(o.output, 'report.html');
  await writeReport(o.output, page);
  const last = result.panels.filter((p) => p.layer === 'S5');
  output.say(
    table([
      ['S5, the last layer', 'dark blocks', 'ARI'],
      ...last.map((p) => [`  ${p.snapshot.id}`, p.blocks.count, p.scores.ari.value?.toFixed(2) ?? '–']),
    ]),
  );
  output.result(
    `Run:  ${resolve(o.output)}\nPage: ${pathToFileURL(page).href}\n(${((performance.now() - begun) / 1000).toFixed(0)} s; training ${Math.round(trained.imagesPerSecond)} images/s)`,
    { run: resolve(o.output), page: resolve(page), ...trained },
  );
}
