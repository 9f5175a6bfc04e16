import { resolve } from 'node:path';
import { storeOf, toolInfo } from '@epochscope/analysis';
import {
  arrayForm,
  type BatchPlan,
  faultOfPart,
  missingTasks,
  parseArray,
  readBatchPlan,
  writeBatchPlan,
  writePart,
} from '@epochscope/analysis/batch';
import { EpochscopeError, formatBytes, guard } from '@epochscope/core-wasm';
import { type Command, InvalidArgumentError } from 'commander';
import { isWhole, parsedCommand, runUpToWork } from '../batch/command.js';
import { planOfCommand } from '../batch/commands.js';
import { submitToSlurm } from '../batch/slurm.js';
import { doing, joining, type Planned, planning } from '../batch/work.js';
import type { Output } from '../output.js';
import { usage } from '../usage.js';
import { type CommonOptions, whole } from './_shared.js';

const ACTIONS = ['plan', 'task', 'status', 'reduce', 'submit'] as const;
type Action = (typeof ACTIONS)[number];

/** What a task may take unless told otherwise. */
const MEMORY = 2e9;

export function define(command: Command): Command {
  return command
    .argument('<action>', 'plan, task, status, reduce or submit', (text: string): Action => {
      if (!ACTIONS.includes(text as Action))
        throw new InvalidArgumentError(`expected one of ${ACTIONS.join(', ')}.`);
      return text as Action;
    })
    .argument('<dir>', 'folder of the plan and its parts, which all machines see')
    .argument(
      '[command...]',
      'plan: after --, the command: tendency, modules, change, activity, geometry, features, difference, prune, import or reproduce, with its arguments',
    )
    .option(
      '--tasks <n>',
      'plan: at least so many, where the number is free (points of a file)',
      whole(1, 3000),
    )
    .option('--no-estimate', 'plan: do not time some rows to say how long it will take')
    .option('--index <which>', 'task: index, or several as 0,3-7')
    .option('--key <key>', 'task: by its key instead')
    .option('--array', 'status: only the indices that are missing, as 0,3-7')
    .option('-o, --output <dir>', 'reduce, submit: where the result goes instead')
    .option('--slurm', 'submit: to Slurm, by sbatch')
    .option(
      '--sbatch <options>',
      'submit: further options of sbatch, in one text: "--partition=all --time=60"',
    )
    .option('--dry-run', 'submit: write the scripts and print the calls of sbatch, and make none')
    .addHelpText(
      'after',
      `
--memory <size> is what a task may take (default 2GB); --threads <n> its workers.

  plan    writes DIR/plan.json and prints tasks, memory, bytes read and core-hours
  task    does one of them into DIR/parts/KEY/; one that is done is left alone
  status  says which are missing, or not as they were written: exit 1 if any
  reduce  checks every part and writes the result as the command itself would have
  submit  writes the scripts, submits what is missing, and then reduce

Exit codes: 1 try again, 2 wrong usage, 3 would fail again (another version, changed input, too many ties).

Examples:
  epochscope batch plan work --memory 2GB -- tendency points.npy --metric cosine -o result
  epochscope batch submit work --slurm --sbatch "--partition=all"
  epochscope batch status work --array`,
    );
}

interface Options extends Omit<CommonOptions, 'name'> {
  memory?: number;
  threads?: number;
  tasks?: number;
  estimate: boolean;
  index?: string;
  key?: string;
  array?: boolean;
  slurm?: boolean;
  sbatch?: string;
  dryRun?: boolean;
}

export async function run(
  [action, folder, ...command]: [Action, string, ...string[]],
  o: Options,
  output: Output,
): Promise<void> {
  if (action === 'plan') return plan(folder, command, o, output);
  if (command.length) throw usage(`${action} takes no command: that of the plan is used`);
  const store = await storeOf(folder);
  const batch = await readBatchPlan(store);
  if (action === 'task') return task(store, batch, o, output);
  if (action === 'status') return status(store, batch, o, output);
  if (action === 'reduce') return reduce(store, batch, o, output);
  if (!o.slurm) throw usage('submit: expected --slurm, the only queue there is');
  const missing = (await missingTasks(store, batch, output.signal)).map(({ index }) => index);
  return submitToSlurm(resolve(folder), batch, missing, o, output);
}

/** What a command says is not the batch's result. */
const muted = (output: Output): Output => ({ ...output, result: () => {} });

async function plan(folder: string, command: string[], o: Options, output: Output): Promise<void> {
  const memory = o.memory ?? MEMORY;
  const store = await storeOf(folder);
  let planned: Planned | null = null;
  if (isWhole(command)) planned = { plan: await planOfCommand(command, memory), reduce: null, seconds: null };
  else {
    const batch = planning({ command, memory, tasks: o.tasks ?? 1, estimate: o.estimate }, output, (made) => {
      planned = made;
    });
    await runUpToWork(command, { ...muted(output), batch });
  }
  const { plan, reduce, seconds } = planned as unknown as Planned;
  await writeBatchPlan(store, plan);
  const { tasks } = plan;
  const largest = Math.max(...tasks.map((task) => task.memory));
  const reads = tasks.some((task) => task.reads === null)
    ? null
    : tasks.reduce((sum, task) => sum + task.reads!, 0);
  const hours = seconds && [seconds.low, seconds.high].map((one) => (one * tasks.length) / 3600);
  const figures = {
    folder: resolve(folder),
    tasks: tasks.length,
    memory: largest,
    reads,
    reduceMemory: reduce,
    coreHours: hours,
  };
  output.result(
    [
      `${tasks.length} ${tasks.length === 1 ? 'task' : 'tasks'} (--array=${arrayForm([...tasks.keys()])}), the largest ${formatBytes(largest)}`,
      ...(reads === null ? [] : [`reads ${formatBytes(reads)} in all`]),
      ...(reduce === null ? [] : [`putting them together: ${formatBytes(reduce)}`]),
      ...(hours
        ? [
            `${hours.map(twoDigits).join(' to ')} core-hours, as ${seconds!.rows} rows took on one thread here`,
          ]
        : []),
      `next: epochscope batch submit ${folder} --slurm, or epochscope batch task ${folder} --index 0, …, then epochscope batch reduce ${folder}`,
    ].join('\n'),
    figures,
  );
}

const twoDigits = (hours: number): string => String(Number(hours.toPrecision(2)));

type Store = Awaited<ReturnType<typeof storeOf>>;

/** Commands name files from where they were given. */
function goTo({ directory }: BatchPlan): void {
  if (process.cwd() === directory) return;
  try {
    process.chdir(directory);
  } catch (cause) {
    throw new EpochscopeError(
      'missing',
      `${directory}, where the plan was made, is not to be had on this machine: ${(cause as Error).message}`,
      { path: directory },
    );
  }
}

async function task(store: Store, batch: BatchPlan, o: Options, output: Output): Promise<void> {
  const indices = indicesOf(batch, o);
  const done: number[] = [];
  const before: number[] = [];
  goTo(batch);
  for (const index of indices) {
    const { key, after } = batch.tasks[index]!;
    if ((await faultOfPart(store, key, toolInfo.version)) === null) {
      before.push(index);
      continue;
    }
    for (const other of after) {
      const why = await faultOfPart(store, batch.tasks[other]!.key, toolInfo.version);
      guard(why === null, 'missing', () => `task ${index} needs task ${other}: ${why}`, {
        index,
        needs: other,
      });
    }
    const { work } = batch;
    if (work.kind === 'commands') {
      const begun = performance.now();
      await (await parsedCommand(work.commands[index]!)).run(muted(output));
      await writePart(store, { key, seconds: (performance.now() - begun) / 1000, reads: {}, output: {} });
    } else await runUpToWork(batch.command, { ...muted(output), batch: doing(batch, index, store, output) });
    done.push(index);
  }
  output.result(
    [
      ...(done.length ? [`done: ${arrayForm(done)}`] : []),
      ...(before.length ? [`was done before: ${arrayForm(before)}`] : []),
    ].join('\n'),
    { done, before },
  );
}

function indicesOf({ tasks }: BatchPlan, { index, key }: Options): number[] {
  if ((index === undefined) === (key === undefined)) throw usage('task: expected --index or --key');
  try {
    if (index !== undefined) return parseArray(index, tasks.length);
  } catch (cause) {
    // A queue is not to try it again.
    throw usage(`--index: ${(cause as Error).message}`);
  }
  const found = tasks.findIndex((task) => task.key === key);
  if (found < 0) throw usage(`--key: the plan has no task ${key}`);
  return [found];
}

async function status(store: Store, batch: BatchPlan, o: Options, output: Output): Promise<void> {
  const missing = await missingTasks(store, batch, output.signal);
  const array = arrayForm(missing.map(({ index }) => index));
  const all = batch.tasks.length;
  output.result(
    o.array
      ? array
      : missing.length
        ? [
            `${all - missing.length} of ${all} tasks are done; missing: --array=${array}`,
            ...missing.filter(({ why }) => why !== 'not there').map(({ index, why }) => `${index}: ${why}`),
          ].join('\n')
        : `all ${all} tasks are done`,
    { tasks: all, missing },
  );
  if (missing.length) throw new Unfinished();
}

/** Exit 1 without a line: what is missing has been said. */
class Unfinished extends EpochscopeError {
  constructor() {
    super('missing', '', { said: true });
  }
}

async function reduce(store: Store, batch: BatchPlan, o: Options, output: Output): Promise<void> {
  const missing = await missingTasks(store, batch, output.signal);
  if (missing.length) {
    const array = arrayForm(missing.map(({ index }) => index));
    const damaged = missing.find(({ why }) => why !== 'not there');
    throw new EpochscopeError(
      'missing',
      `${missing.length} of ${batch.tasks.length} tasks are not done: --array=${array}${damaged ? ` (${damaged.index}: ${damaged.why})` : ''}`,
      { array },
    );
  }
  const place = o.output === undefined ? undefined : resolve(o.output);
  goTo(batch);
  const { work } = batch;
  const { run } = await parsedCommand(batch.command);
  if (work.kind === 'commands') {
    const [name] = batch.command;
    if (place !== undefined)
      throw usage(`the tasks of ${name} write into its own folder: -o belongs to the plan's command`);
    // Takes over what the tasks left: no seed is to be run again.
    if (name === 'reproduce') return run(output, { overwrite: false });
    output.result(`done: epochscope ${batch.command.join(' ')}`, { command: batch.command });
    return;
  }
  await run(
    { ...output, batch: joining(batch, store, output, o.memory ?? Number.POSITIVE_INFINITY) },
    place === undefined ? {} : { output: place },
  );
}
