// `npm run kill -- N` (default 1000): installs, builds, then N trainings and N replacements of a result killed at random moments.
// KILL_SEED chooses the moments.
import { bin, prepare, run } from './prepare.mjs';

const [count = '1000'] = process.argv.slice(2);
if (!/^[1-9]\d*$/.test(count)) {
  process.stderr.write(`kill: expected a number of kills, got ${count}\n`);
  process.exit(2);
}
prepare();
run(bin('vitest'), ['run', '--project=slow', 'tests/killed.slow.test.ts', 'tests/replaced.slow.test.ts'], {
  env: { ...process.env, KILLS: count },
});
