// `node scripts/assembly-style.mjs [--write]`: lint and format of AssemblyScript, which TypeScript's tools cannot parse: its decorators
// stand before functions. They are comments while Biome looks at copies of the files.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bin, root } from './prepare.mjs';

const CONFIG = {
  root: true,
  formatter: { ...JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8')).formatter, lineWidth: 120 },
  javascript: { formatter: { quoteStyle: 'single' } },
  // The order of imports decides that of functions in the module.
  assist: { enabled: false },
  linter: {
    rules: {
      preset: 'recommended',
      // == compares values, and a NaN is told by comparing it to itself; what the language has beyond TypeScript's is ignored there.
      suspicious: { noDoubleEquals: 'off', noSelfCompare: 'off', noTsIgnore: 'off' },
    },
  },
};
const DECORATOR = /^(\s*)@(\w+(?:\([^)]*\))?)/gm;
const COMMENT = /^(\s*)\/\*@(\w+(?:\([^)]*\))?)\*\//gm;

const packageRoot = join(root, 'packages', 'core-wasm');
const files = ['assembly', 'kernels']
  .flatMap((folder) =>
    readdirSync(join(packageRoot, folder), { recursive: true }).map((file) => join(folder, file)),
  )
  .filter((file) => /(^|[/\\])assembly([/\\].*)?\.ts$/.test(file));
const write = process.argv.includes('--write');
const place = mkdtempSync(join(tmpdir(), 'epochscope-assembly-'));
try {
  writeFileSync(join(place, 'biome.json'), JSON.stringify(CONFIG));
  for (const file of files) {
    mkdirSync(dirname(join(place, file)), { recursive: true });
    writeFileSync(
      join(place, file),
      readFileSync(join(packageRoot, file), 'utf8').replace(DECORATOR, '$1/*@$2*/'),
    );
  }
  const { status } = spawnSync(
    bin('biome'),
    ['check', ...(write ? ['--write'] : []), 'assembly', 'kernels'],
    {
      cwd: place,
      stdio: 'inherit',
    },
  );
  if (write)
    for (const file of files)
      writeFileSync(
        join(packageRoot, file),
        readFileSync(join(place, file), 'utf8').replace(COMMENT, '$1@$2'),
      );
  process.exitCode = status ?? 1;
} finally {
  rmSync(place, { recursive: true, force: true });
}
