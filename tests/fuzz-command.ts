// `npm run fuzz -- [--cases N] [--seed S] [--only NAME]`: N cases (default 1 000 000) shared among all parsers.
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.js';
import { PARSERS } from './fuzz-parsers.js';

export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      cases: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
    },
  });
  const chosen = PARSERS.filter(([name]) => !values.only || name.includes(values.only));
  const each = Math.ceil(Number(values.cases) / chosen.length);
  const seed = Number(values.seed);
  if (!chosen.length || !(each > 0) || !Number.isInteger(seed)) {
    process.stderr.write(
      `expected --cases N, --seed S and --only one of ${PARSERS.map(([name]) => name).join(', ')}\n`,
    );
    return 2;
  }
  process.stdout.write(`${chosen.length} parsers, seeds ${seed} … ${seed + each - 1} for each\n`);
  let failed = 0;
  let cases = 0;
  for (const [name, file, , read] of chosen) {
    try {
      const { refused, slowest, largest } = await fuzz(name, file, read, seed, each);
      cases += each;
      process.stdout.write(
        `${name}: ${each} cases, ${refused} refused; slowest ${slowest.milliseconds.toFixed(0)} ms (seed ${slowest.seed}); ` +
          `most memory ${(largest.bytes / 2 ** 20).toFixed(1)} MB (seed ${largest.seed})\n`,
      );
    } catch (error) {
      failed++;
      process.stdout.write(`${name}: FAILED: ${(error as Error).message}\n`);
    }
  }
  const most = process.resourceUsage().maxRSS / 1024;
  process.stdout.write(
    `${cases} cases, ${failed} parsers failed; most memory of the process ${most.toFixed(0)} MB\n`,
  );
  return failed ? 1 : 0;
}
