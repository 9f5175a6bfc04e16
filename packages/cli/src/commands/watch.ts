import { join } from 'node:path';
import {
  type Alarm,
  createEngine,
  memoryStore,
  openRun,
  type WatchResult,
  watchRun,
} from '@epochscope/analysis';
import { parseRule } from '@epochscope/analysis/methods';
import { WATCH_DEFAULTS } from '@epochscope/analysis/workflows';
import { EpochscopeError } from '@epochscope/core-wasm';
import { type Command, InvalidArgumentError } from 'commander';
import { checkCancelled, talk } from '../analyse.js';
import { checkOutput, writeResultTo } from '../files.js';
import type { Output } from '../output.js';
import { usage } from '../usage.js';
import { type CommonOptions, number, whole } from './_shared.js';

/** Exit code once a rule has held. */
const FIRED = 4;

export function define(command: Command): Command {
  return command
    .argument('<run>', 'run directory, finished or being written')
    .option(
      '--rule <text>',
      'FIGURE [of LAYER] over X | under X | fell [by X] | rose [by X] [for N snapshots]; again for more',
      rules,
      [],
    )
    .option(
      '--samples <n>',
      'figures of layers are taken on the first N samples',
      whole(1),
      WATCH_DEFAULTS.samples!,
    )
    .option('--after <n>', 'hold no rule at the first N snapshots', whole(0), WATCH_DEFAULTS.after)
    .option('--once', 'judge the snapshots there are, and do not wait for more')
    .option('--first', 'end with the first rule that holds')
    .option('--every <seconds>', 'look for new snapshots so often', number(0.1), 1)
    .option('--seed <n>', 'draws the samples that scales of differences are taken over', whole(0), 1)
    .option('--name <name>', 'name of this result', 'default')
    .option('-o, --output <dir>', 'where to write (default: the run itself)')
    .addHelpText(
      'after',
      `
FIGURE is "block count", "share in no block" or "difference to the last snapshot" of a layer (default: the last), "dead units" (default: of the
activation layer that has most), or a metric that the training recorded. Waits for snapshots until the run is complete.

Exit codes: 0 no rule held, ${FIRED} one did, 1 failed, 2 wrong usage.

Examples:
  epochscope watch my-run --rule "block count of R4 fell" --rule "dead units over 0.5"
  epochscope watch my-run --rule "testLoss rose for 2 snapshots" --first; [ $? -eq 4 ] && kill $TRAINING`,
    );
}

function rules(text: string, before: string[]): string[] {
  try {
    parseRule(text);
  } catch (cause) {
    throw new InvalidArgumentError(`${(cause as Error).message}.`);
  }
  return [...before, text];
}

interface Options extends CommonOptions {
  rule: string[];
  samples: number;
  after: number;
  once?: boolean;
  first?: boolean;
  every: number;
  seed: number;
}

/** Exit 4 without a line: the alarms have been said. */
class Fired extends EpochscopeError {
  constructor() {
    super('argument', '', { said: true, exit: FIRED });
  }
}

export async function run([target]: string[], o: Options, output: Output): Promise<void> {
  if (!o.rule.length) throw usage('expected at least one --rule');
  const folder = o.output ?? join(target!, 'results', 'watch', o.name);
  await checkOutput(folder);
  const engine = createEngine();
  // Kept from one look to the next: only new snapshots are computed.
  const parts = { store: memoryStore('parts'), folder: 'parts' };
  const { onNote: _, ...how } = talk({ ...output, progress: () => ({ update() {}, stop() {} }) });
  const said: Alarm[] = [];
  let last: WatchResult | null = null;
  try {
    for (;;) {
      const run = await openRun(target!);
      const { complete, snapshots } = run.manifest;
      if (snapshots.length && snapshots.length !== last?.snapshots.length) {
        const { rule, samples, after, seed, name } = o;
        last = await watchRun(run, { rules: rule, samples, after, seed, name }, { ...how, engine, parts });
        checkCancelled(output, 'cancelled before anything was written');
        await writeResultTo(folder, last);
        for (const alarm of last.alarms.slice(said.length)) {
          said.push(alarm);
          if (!complete && !o.once) output.say(`rule "${alarm.rule}": ${alarm.text}`);
        }
      }
      if (complete || o.once || (o.first && said.length)) break;
      await pause(1000 * o.every, output.signal);
      checkCancelled(output, `stopped; the snapshots so far are judged in ${folder}`);
    }
  } finally {
    await engine.close();
  }
  const alarms = last?.alarms ?? [];
  output.result(
    [
      ...(last ? alarms.map(({ text }) => text) : ['the run has no snapshot yet']),
      ...(last && !alarms.length ? [`no rule held at ${last.snapshots.length} snapshots`] : []),
      ...(last ? [`written to ${folder}`] : []),
    ].join('\n'),
    { folder: last && folder, alarms, rules: last?.rules ?? [] },
  );
  if (alarms.length) throw new Fired();
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
