// `npm run kill -- [N] [--seed S] [--only NAME]`: N processes (default 1000) killed, see kills.ts.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { kill } from './kills.js';

export async function main(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: { seed: { type: 'string', default: '1' }, only: { type: 'string' } },
  });
  const [kills, seed] = [Number(positionals[0] ?? 1000), Number(values.seed)];
  if (!(Number.isInteger(kills) && kills > 0) || !Number.isInteger(seed)) {
    process.stderr.write('expected a number of kills, and --seed S\n');
    return 2;
  }
  process.stdout.write(`${kills} kills, seed ${seed}\n`);
  const place = await mkdtemp(join(tmpdir(), 'epochscope-kill-'));
  try {
    const report = await kill(place, kills, seed, {
      only: values.only,
      say: (line) => process.stdout.write(`${line}\n`),
    });
    for (const line of [...report.lines, ...report.skipped.map((why) => `skipped ${why}`)])
      process.stdout.write(`${line}\n`);
    process.stdout.write(`${report.kills} kills, nothing lost\n`);
    await rm(place, { recursive: true, force: true });
    return 0;
  } catch (error) {
    process.stdout.write(`FAILED: ${(error as Error).message}\n(left in ${place})\n`);
    return 1;
  }
}
