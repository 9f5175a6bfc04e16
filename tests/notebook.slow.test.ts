import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readResult, type TendencyResult } from '@epochscope/analysis';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksRunBy } from './blocks.js';
import { cli } from './harness.js';

// Widgets in a real JupyterLab with a real browser, from the wheel. JupyterLab comes from PyPI into an environment of its own, once
// (.cache); where that cannot be had this is skipped, saying so.

const root = fileURLToPath(new URL('..', import.meta.url));
const PINNED = ['jupyterlab==4.6.6', 'ipykernel==7.4.0', 'anywidget==0.11.0', 'numpy', 'nbconvert'];
const python = process.env.PYTHON ?? 'python3';

/** The environment's folder, or why there is none. */
function environment(): { bin: string } | { problem: string } {
  const key = createHash('sha256').update(PINNED.join(' ')).digest('hex').slice(0, 8);
  const folder = join(root, '.cache', `notebook-${key}`);
  const bin = join(folder, 'bin');
  const whole = join(folder, 'whole');
  const problem = (of: { stderr: string; error?: Error }) =>
    (of.error?.message ?? of.stderr).trim().split('\n').slice(-3).join(' ');
  const run = (command: string, ...args: string[]) =>
    spawnSync(command, args, { encoding: 'utf8', timeout: 180_000 });
  if (!existsSync(whole)) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(join(root, '.cache'), { recursive: true });
    const made = run(python, '-m', 'venv', folder);
    if (made.status !== 0) return { problem: `${python} -m venv: ${problem(made)}` };
    const got = run(join(bin, 'pip'), 'install', '--quiet', '--disable-pip-version-check', ...PINNED);
    if (got.status !== 0) return { problem: `JupyterLab from PyPI: ${problem(got)}` };
    writeFileSync(whole, '');
  }
  const wheel = run(process.execPath, join(root, 'scripts', 'wheel.mjs'), '--built');
  if (wheel.status !== 0) return { problem: `the wheel: ${problem(wheel)}` };
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const own = join(root, 'release', `epochscope-${version}-py3-none-any.whl`);
  const put = run(join(bin, 'pip'), 'install', '--quiet', '--force-reinstall', '--no-deps', own);
  return put.status === 0 ? { bin } : { problem: `${own}: ${problem(put)}` };
}

const CELLS = [
  `import numpy as np, time
from IPython.display import display
from epochscope import Live, Recorder, ivat, show
X, y = np.load("iris.npy"), np.load("iris_labels.npy")
iris = w = ivat(X, labels=y, classes=["setosa", "versicolor", "virginica"], name="iris")
await w.wait(40)
display(w)
for name in ("order", "weights", "parent"):
    getattr(w, name).tofile(f"{name}.bin")
assert (w.block_of >= 0).sum() == sum(b["end"] - b["start"] for b in w.blocks["ranges"])`,
  'show("my-run", "tendency")',
  'show("my-run", "change")',
  `run = Recorder("live-run", classes=["a", "b", "c"])
watched = Live(run)
display(watched)
random = np.random.default_rng(0)
centres, labels = random.normal(size=(3, 10)), np.repeat([0, 1, 2], 60)
run.samples(labels=labels)
for epoch in range(4):
    with run.snapshot(epoch=epoch, metrics={"loss": 1 / (epoch + 1)}) as snap:
        snap.weights({"fc.kernel": centres})
        snap.outputs({"fc": (epoch * centres[labels] + random.normal(size=(180, 10))).astype("f4")})
    time.sleep(0.3)
run.finish()`,
  'ivat(np.ones((2, 3)), metric="precomputed")',
  `try: ivat(X, labels=y[:100])
except ValueError as error: print(error)
X[3, 1] = np.nan
try: ivat(X)
except ValueError as error: print(error)
print("that is all")`,
];

/** The guide's, word by word: between them people look at the picture, which is waited for here. */
const GUIDE = blocksRunBy('notebook.slow.test.ts').flatMap(({ text }, i) =>
  i === 1 ? ['_ = await w.wait()', text] : [text],
);

const made = environment();
const bin = 'bin' in made ? made.bin : null;
if ('problem' in made) console.warn(`tests/notebook.slow.test.ts: widgets are not tried: ${made.problem}`);

describe.skipIf(!bin)('widgets in JupyterLab', () => {
  let folder: string;
  let server: ChildProcess;
  let browser: Browser;
  let page: Page;
  let address: string;
  const problems: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'epochscope-notebook-'));
    const [files, settings] = [join(folder, 'files'), join(folder, 'settings')];
    mkdirSync(files);
    for (const name of ['iris.npy', 'iris_labels.npy'])
      cpSync(join(root, 'tests', 'goldens', name), join(files, name));
    for (const argv of [
      ['train', 'mlp', '--hidden', '20', '--epochs', '1', '--samples', '300', '-o', join(files, 'my-run')],
      ['tendency', join(files, 'my-run')],
      ['change', join(files, 'my-run'), '--from', 'init', '--to', 'last'],
      ['export', join(files, 'my-run'), 'tendency', '-o', join(files, 'tendency.epochscope')],
      [
        'tendency',
        join(files, 'iris.npy'),
        '--labels',
        join(files, 'iris_labels.npy'),
        '-o',
        join(folder, 'cli'),
      ],
    ])
      expect((await cli(...argv)).err, argv.join(' ')).not.toMatch(/^error/im);
    const cells = [...CELLS, ...GUIDE].map((source, i) => ({
      cell_type: 'code',
      id: `cell-${i}`,
      source,
      metadata: {},
      outputs: [],
      execution_count: null,
    }));
    const kernelspec = { name: 'python3', display_name: 'Python 3', language: 'python' };
    writeFileSync(
      join(files, 'test.ipynb'),
      JSON.stringify({ cells, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 }),
    );
    // All cells stand in the page, seen or not; no news from elsewhere.
    for (const [of, values] of [
      ['notebook-extension/tracker', { windowingMode: 'none' }],
      ['apputils-extension/notification', { fetchNews: 'false', checkForUpdates: false }],
    ] as const) {
      const file = join(settings, '@jupyterlab', `${of}.jupyterlab-settings`);
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, JSON.stringify(values));
    }
    server = spawn(
      join(bin!, 'jupyter-lab'),
      [
        '--no-browser',
        '--allow-root',
        '--ip=127.0.0.1',
        '--port=0',
        '--expose-app-in-browser',
        '--IdentityProvider.token=',
        `--ServerApp.root_dir=${files}`,
      ],
      {
        cwd: files,
        env: {
          ...process.env,
          HOME: folder,
          JUPYTERLAB_SETTINGS_DIR: settings,
          PATH: `${bin}:${process.env.PATH}`,
        },
      },
    );
    address = await new Promise<string>((resolve, reject) => {
      let text = '';
      server.stderr!.on('data', (part) => {
        text += part;
        const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(text);
        if (found && text.includes('Use Control-C')) resolve(found[0]);
      });
      server.once('exit', () => reject(new Error(`JupyterLab ended: ${text}`)));
    });
    browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu'],
    });
    page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
    page.on('pageerror', ({ message }) => problems.push(message));
    await open();
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    if (server?.exitCode === null) {
      server.kill('SIGTERM');
      await new Promise((resolve) => server.once('exit', resolve));
    }
    if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  /** Opens the notebook, and waits for its kernel. */
  async function open(): Promise<void> {
    await page.goto(`${address}lab/tree/test.ipynb`);
    await page.locator('.jp-Notebook .jp-Cell').first().waitFor({ timeout: 60_000 });
    await page.waitForFunction(
      () => {
        // biome-ignore lint/suspicious/noExplicitAny: JupyterLab's own objects.
        const kernel = (window as any).jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel;
        return kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
      },
      null,
      { timeout: 60_000 },
    );
  }
  const command = (name: string, args: object = {}) =>
    page.evaluate(
      // biome-ignore lint/suspicious/noExplicitAny: JupyterLab's own objects.
      ([id, given]) => void (window as any).jupyterapp.commands.execute(id, given),
      [name, args] as const,
    );
  /** Runs code in the notebook's kernel, beside its cells. */
  const inKernel = (code: string) =>
    page.evaluate(async (text) => {
      // biome-ignore lint/suspicious/noExplicitAny: JupyterLab's own objects.
      const { kernel } = (window as any).jupyterapp.shell.currentWidget.sessionContext.session;
      await kernel.requestExecute({ code: text }).done;
    }, code);
  const cell = (i: number) => page.locator('.jp-Notebook .jp-Cell').nth(i);
  const saved = () =>
    JSON.parse(readFileSync(join(folder, 'files', 'test.ipynb'), 'utf8')) as {
      cells: { outputs: { output_type: string; data?: Record<string, string | string[]> }[] }[];
    };
  const ofCell = (i: number, kind: string) => {
    const found = saved().cells[i]!.outputs.find(({ data }) => data?.[kind])?.data?.[kind];
    return found && [found].flat().join('');
  };

  it('compute what the command line computes, bit by bit, and draw it', async () => {
    await command('notebook:run-all-cells');
    await cell(5).getByText('that is all').waitFor({ timeout: 90_000 });
    await cell(0).locator('epochscope-figure es-tendency-image canvas').first().waitFor();
    const result = await readResult<TendencyResult>(
      join(folder, 'cli', 'results', 'tendency', 'default'),
    ).catch(() => readResult<TendencyResult>(join(folder, 'cli')));
    const [panel] = result.panels;
    for (const name of ['order', 'weights', 'parent'] as const) {
      const bytes = readFileSync(join(folder, 'files', `${name}.bin`));
      expect(
        bytes.equals(Buffer.from(panel![name].buffer, panel![name].byteOffset, panel![name].byteLength)),
        name,
      ).toBe(true);
    }
    const inks = await cell(0)
      .locator('es-tendency-image canvas')
      .first()
      .evaluate((canvas: HTMLCanvasElement) => {
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
        return new Set(data).size;
      });
    expect(inks).toBeGreaterThan(20);
  }, 120_000);

  it('draw results of runs, and a run while it is recorded', async () => {
    expect(await cell(1).locator('es-tendency-grid button[part=cell]').count()).toBe(2);
    await cell(2).locator('es-change-view es-change-heatmap canvas').first().waitFor();
    await expect.poll(() => cell(3).locator('es-tendency-grid button[part=cell]').count()).toBe(4);
    await cell(3).locator('es-metrics svg').first().waitFor();
    // Sent when nothing new has come for a moment.
    const epochs = '[p["snapshot"]["epoch"] for p in watched.result["panels"]]';
    await expect
      .poll(async () => {
        await inKernel(`open("live.txt", "w").write(str(${epochs}))`);
        return readFileSync(join(folder, 'files', 'live.txt'), 'utf8');
      })
      .toBe('[0, 1, 2, 3]');
  }, 60_000);

  it('say what is wrong with points and labels', async () => {
    const text = await cell(5).innerText();
    expect(text).toContain('labels: expected one for each of 150 rows, got 100');
    expect(text).toContain('X, row 3, column 1 (from 0): expected a finite number, got nan');
    await cell(4).getByText('expected').waitFor();
  });

  it('do what the guide says', async () => {
    expect(GUIDE).toHaveLength(5);
    const said = cell(CELLS.length + 2);
    await said.locator('pre', { hasText: '3 (3,) float32' }).last().waitFor();
    expect(await said.innerText()).toMatch(/\[.*[012].*\]/);
    // Of several widgets in a cell the last is shown: the change of the run's weights.
    await cell(CELLS.length + 3)
      .locator('es-change-view es-change-heatmap canvas')
      .first()
      .waitFor();
    const live = cell(CELLS.length + 4);
    await expect.poll(() => live.locator('es-tendency-grid button[part=cell]').count()).toBe(3);
  });

  it('tell Python what is chosen', async () => {
    await cell(0)
      .locator('es-tendency-image canvas')
      .first()
      .click({ position: { x: 200, y: 200 } });
    await inKernel('import json; json.dump(iris.selected, open("selected.json", "w"))');
    const selected = JSON.parse(readFileSync(join(folder, 'files', 'selected.json'), 'utf8'));
    expect(selected).toMatchObject({ layer: 'iris', block: expect.any(Number), sample: expect.any(Number) });
  });

  it('follow the theme', async () => {
    const ink = () =>
      cell(0)
        .locator('es-tendency-view')
        .evaluate((view) => getComputedStyle(view).color);
    const light = await ink();
    await command('apputils:change-theme', { theme: 'JupyterLab Dark' });
    await expect.poll(ink).not.toBe(light);
    await page.locator('#jupyterlab-splash').waitFor({ state: 'detached' });
    if (process.env.SCREENSHOTS)
      await page.screenshot({ path: join(process.env.SCREENSHOTS, 'notebook-dark.png') });
    await command('apputils:change-theme', { theme: 'JupyterLab Light' });
    await expect.poll(ink).toBe(light);
    if (process.env.SCREENSHOTS)
      await page.screenshot({ path: join(process.env.SCREENSHOTS, 'notebook.png') });
  });

  it('come back when the page is loaded anew', async () => {
    await expect
      .poll(async () => {
        await command('docmanager:save');
        return [0, 1, 2, 3, CELLS.length, CELLS.length + 3, CELLS.length + 4].every((i) =>
          ofCell(i, 'image/png'),
        );
      })
      .toBe(true);
    await open();
    await cell(0).locator('epochscope-figure es-tendency-image canvas').first().waitFor();
    await cell(2).locator('epochscope-figure es-change-view').first().waitFor();
    expect(problems).toEqual([]);
  }, 60_000);

  it('leave their picture in the saved notebook, where no Python is', async () => {
    expect(ofCell(0, 'text/plain')).toContain('iris');
    await page.evaluate(async () => {
      // biome-ignore lint/suspicious/noExplicitAny: JupyterLab's own objects.
      await (window as any).jupyterapp.shell.currentWidget.sessionContext.shutdown();
    });
    await page.goto(`${address}lab/tree/test.ipynb`);
    for (const i of [0, 1, 2, 3]) {
      const image = cell(i).locator('epochscope-figure > img, .jp-RenderedHTML img').first();
      await image.waitFor({ timeout: 30_000 });
      await expect
        .poll(() => image.evaluate((img: HTMLImageElement) => img.naturalWidth))
        .toBeGreaterThan(600);
      expect(await image.getAttribute('alt')).toMatch(/\w+/);
    }
    expect(await page.getByText('Error displaying widget').count()).toBe(0);
    if (process.env.SCREENSHOTS)
      await page.screenshot({ path: join(process.env.SCREENSHOTS, 'notebook-saved.png') });
    // And as a page for people without Jupyter.
    execFileSync(join(bin!, 'jupyter-nbconvert'), ['--to', 'html', 'test.ipynb'], {
      cwd: join(folder, 'files'),
      env: { ...process.env, HOME: folder },
      stdio: 'pipe',
    });
    const html = readFileSync(join(folder, 'files', 'test.html'), 'utf8');
    expect(html.match(/<epochscope-figure[^>]*>\s*<img/g)).toHaveLength(7);
  }, 60_000);

  it('need anywidget alone, and say so', () => {
    const run = (code: string) =>
      spawnSync(join(bin!, 'python'), ['-c', code], { encoding: 'utf8', cwd: folder });
    const { stderr } = run('import sys; sys.modules["anywidget"] = None; import epochscope; epochscope.show');
    expect(stderr).toContain('widgets need anywidget: pip install "epochscope[notebook]"');
    const tests = join(root, 'integrations', 'python', 'tests', 'test_notebook.py');
    expect(spawnSync(join(bin!, 'python'), [tests], { encoding: 'utf8' }).stderr).toMatch(/\nOK/);
  });
});
