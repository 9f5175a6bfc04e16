import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// The packages as people get them: packed, and installed into an empty folder. Reads dist: build first.

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const executed = promisify(execFile);
const node = (cwd: string, ...args: string[]) =>
  executed(process.execPath, args, { cwd, maxBuffer: 1 << 28, timeout: 290_000 });

let folder: string;
let browser: Browser;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'epochscope-install-'));
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
}, 120_000);
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Checks a program's types against what is installed beside it, the packages' own files included. */
async function typesOf(cwd: string, program: string): Promise<string> {
  writeFileSync(join(cwd, 'program.ts'), program);
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: 'es2022',
    lib: ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable'],
    module: 'nodenext',
    skipLibCheck: false,
    types: [],
  };
  writeFileSync(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
  return executed(process.execPath, [tsc, '-p', '.'], { cwd, timeout: 240_000 }).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  );
}

describe('epochscope, from its tarball', () => {
  let cwd: string;
  const epochscope = (...args: string[]) =>
    node(cwd, join(cwd, 'node_modules', 'epochscope', 'dist', 'main.js'), ...args);

  it('is one package of at most 12 MB, 5 to download', async () => {
    cwd = join(folder, 'one');
    mkdirSync(cwd);
    const { stdout } = await node(root, join(root, 'scripts', 'size.mjs'), '--json', '--into', cwd);
    const { download, disk, packages } = JSON.parse(stdout) as {
      download: number;
      disk: number;
      packages: string[];
    };
    expect(packages).toEqual(['epochscope']);
    expect(disk).toBeLessThan(12e6);
    expect(download).toBeLessThan(5e6);
    const manifest = JSON.parse(readFileSync(join(cwd, 'node_modules/epochscope/package.json'), 'utf8'));
    expect(manifest.dependencies).toBeUndefined();
    expect(existsSync(join(cwd, 'node_modules', '.bin', 'epochscope'))).toBe(true);
    const { messages } = await publint({
      pkgDir: join(cwd, 'node_modules', 'epochscope'),
      pack: false,
      strict: true,
    });
    expect(messages).toEqual([]);
  }, 240_000);

  it('loads no command, kernel or tfjs to say its version', () => {
    // What the entry imports without being asked, all the way down.
    const dist = join(cwd, 'node_modules', 'epochscope', 'dist');
    const seen = new Set<string>();
    const visit = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      const text = readFileSync(file, 'utf8');
      for (const [, to] of text.matchAll(/(?:\bfrom|\bimport)\s*["'](\.[^"']+)["']/g))
        visit(join(file, '..', to!));
    };
    visit(join(dist, 'main.js'));
    const bytes = [...seen].reduce((sum, file) => sum + readFileSync(file).length, 0);
    expect(seen.size).toBeGreaterThan(1);
    expect(bytes).toBeLessThan(150_000);
  });

  it('trains, analyses in workers, draws in every format, reports', async () => {
    await epochscope('train', 'mlp', '--hidden', '20', '--epochs', '1', '--samples', '300', '-o', 'run');
    const { stdout } = await epochscope(
      'tendency',
      'run',
      '--png',
      '--svg',
      '--pdf',
      '--json',
      '--threads',
      '2',
    );
    expect(JSON.parse(stdout).panels).toHaveLength(2);
    const written = readdirSync(join(cwd, 'run'), { recursive: true }).map(String);
    for (const ending of ['.png', '.svg', '.pdf'])
      expect(
        written.some((path) => path.endsWith(ending)),
        ending,
      ).toBe(true);
    await epochscope('report', 'run', '-o', 'page.html');
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(`file://${join(cwd, 'page.html')}`);
    await page.locator('es-tendency-image').first().waitFor();
    expect(problems).toEqual([]);
    await page.close();
  }, 240_000);

  it('serves the run to a browser', async () => {
    const main = join(cwd, 'node_modules', 'epochscope', 'dist', 'main.js');
    const child: ChildProcess = spawn(process.execPath, [main, 'serve', 'run', '--port', '0'], { cwd });
    try {
      const url = await new Promise<string>((resolve, reject) => {
        let text = '';
        child.stdout!.on('data', (part) => {
          text += part;
          if (text.includes('\n')) resolve(text.trim());
        });
        child.once('exit', () => reject(new Error(`serve ended: ${text}`)));
      });
      const page = await browser.newPage();
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      await page.goto(url);
      await page.locator('es-tendency-view, es-tendency-grid, es-tendency-image').first().waitFor();
      expect(problems).toEqual([]);
      await page.close();
    } finally {
      child.kill();
    }
  }, 120_000);

  it('reproduces a paper, in little', async () => {
    const { stdout } = await epochscope(
      'reproduce',
      'satoh',
      '--quick',
      '--seeds',
      '1',
      '--json',
      '-o',
      'satoh',
    );
    expect(JSON.parse(stdout)).toBeTypeOf('object');
    expect(existsSync(join(cwd, 'satoh', 'claims.json'))).toBe(true);
  }, 300_000);

  it('hands the API on, with types that check by themselves', async () => {
    const program = `import { createEngine, EpochscopeError, openRun, tendency, tendencyOfRun, type TendencyResult } from 'epochscope';
      const data = new Float32Array(60).map((_, i) => i % 7);
      const result: TendencyResult = await tendency({ data, shape: [20, 3] });
      const engine = createEngine({ threads: 2 });
      const run = await openRun('run');
      const ofRun = await tendencyOfRun(run, { snapshots: ['last'], samples: 100 }, { engine });
      await engine.close();
      try { await openRun('nowhere'); } catch (error) { if (!(error instanceof EpochscopeError)) throw error; }
      console.log(result.panels.length, ofRun.panels[0]!.order.length);`;
    expect(await typesOf(cwd, program)).toBe('');
    writeFileSync(
      join(cwd, 'program.mjs'),
      program.replace(', type TendencyResult', '').replace(': TendencyResult', '').replace('!.', '.'),
    );
    const { stdout } = await node(cwd, 'program.mjs');
    expect(stdout.trim()).toBe('1 100');
  }, 240_000);
});

describe('the packages beside it, from their tarballs', () => {
  it('check their types by themselves and run', async () => {
    const cwd = join(folder, 'beside');
    const ours = join(cwd, 'node_modules', '@epochscope');
    mkdirSync(ours, { recursive: true });
    writeFileSync(join(cwd, 'package.json'), '{ "private": true, "type": "module" }\n');
    for (const name of ['core-wasm', 'analysis', 'ui']) {
      const { stdout } = await executed(
        'npm',
        ['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
        { cwd: join(root, 'packages', name), maxBuffer: 1 << 28 },
      );
      const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
      mkdirSync(join(ours, name));
      await executed('tar', ['xzf', join(folder, filename), '--strip-components=1', '-C', join(ours, name)]);
    }
    // What they rest on, from where the workspace has it: no network.
    const modules = join(root, 'node_modules');
    for (const entry of readdirSync(modules))
      if (!entry.startsWith('.') && !['@epochscope', 'epochscope'].includes(entry))
        symlinkSync(join(modules, entry), join(cwd, 'node_modules', entry));
    const program = `import { loadKernels, vatFromPoints } from '@epochscope/core-wasm';
      import { vatPointsBytes } from '@epochscope/core-wasm/jobs';
      import { createEngine, tendency } from '@epochscope/analysis';
      import { bytesSource, encodeNpy, readNpy } from '@epochscope/analysis/formats';
      import { purity } from '@epochscope/analysis/methods';
      import { decodeAny, encodeInline } from '@epochscope/analysis/results';
      import { openRun } from '@epochscope/analysis';
      import { tendencyWorkflow } from '@epochscope/analysis/workflows';
      import { EsTendencyImage } from '@epochscope/ui';
      import { sceneSvg } from '@epochscope/ui/drawing';
      const shape: [number, number] = [20, 3];
      const x = { data: new Float32Array(60).map((_, i) => i % 7), shape };
      const vat = vatFromPoints(await loadKernels(), x, { metric: 'euclidean' });
      const result = await tendency(x);
      const back = await readNpy(bytesSource('x.npy', encodeNpy(x.data, x.shape)));
      console.log(vat.order.length, result.panels.length, back.shape.join('×'), typeof EsTendencyImage);
      void [createEngine, purity, decodeAny, encodeInline, openRun, tendencyWorkflow, sceneSvg, vatPointsBytes];`;
    expect(await typesOf(cwd, program)).toBe('');
    // Every other way in, its types alone: those of frameworks want the framework's.
    const entries = ['core-wasm', 'analysis', 'ui'].flatMap((name) => {
      const { exports } = JSON.parse(readFileSync(join(ours, name, 'package.json'), 'utf8')) as {
        exports: Record<string, { types?: string } | string>;
      };
      return Object.entries(exports)
        .filter(([path, to]) => typeof to !== 'string' && to.types && !/\*|react|vue|svelte/.test(path))
        .map(([path]) => `@epochscope/${name}${path.slice(1)}`);
    });
    expect(entries).toContain('@epochscope/analysis/models');
    const imports = entries.map((entry, i) => `import type * as entry${i} from '${entry}';`);
    const named = entries.map((_, i) => `typeof entry${i}`).join(' | ');
    expect(await typesOf(cwd, `${imports.join('\n')}\nexport type Every = ${named};`)).toBe('');
    writeFileSync(join(cwd, 'program.js'), program.replace(': [number, number]', ''));
    const { stdout } = await node(cwd, 'program.js');
    expect(stdout.trim()).toBe('20 1 20×3 function');
  }, 240_000);
});
