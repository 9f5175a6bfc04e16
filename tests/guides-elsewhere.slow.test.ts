import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openRun, readResult, type TendencyResult } from '@epochscope/analysis';
import { encodeNpy, encodeSafetensors } from '@epochscope/analysis/formats';
import { random } from '@epochscope/analysis/methods';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { blocksRunBy, root } from './blocks.js';
import { furnish } from './harness.js';
import { testHub } from './hub-server.js';
import { builtPage, folderServer, projectOfPrograms } from './page-server.js';

// Blocks of guides that want a hub, a queue, a page or files of others: each runs as it stands beside a stand-in for that.

const blocks = blocksRunBy('guides-elsewhere.slow.test.ts');
const run = new Set<object>();
/** A guide's blocks of a kind, in their order. */
function blocksOf(guide: string, kind: string): string[] {
  const found = blocks.filter((block) => block.document === `docs/guides/${guide}.md` && block.kind === kind);
  for (const block of found) run.add(block);
  return found.map(({ text }) => text);
}

let folder: string;
let server: Awaited<ReturnType<typeof folderServer>>;
let url: string;
let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  server = await folderServer(() => folder);
  url = server.url;
}, 60_000);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'epochscope-elsewhere-'));
  furnish(folder);
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return () => rm(folder, { recursive: true, force: true });
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});

/** A shell's answer; not of this thread, whose servers must answer. */
async function shell(command: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const path = `${join(folder, 'bin')}:${process.env.PATH}`;
  const options = { cwd: folder, env: { ...process.env, ...env, PATH: path }, timeout: 500_000 };
  return (await promisify(execFile)('sh', ['-ec', command], options)).stdout;
}
/** Opens a page of the folder and says what went wrong in it. */
async function open(path: string): Promise<{ page: Page; problems: string[] }> {
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(url + path);
  return { page, problems };
}
/** A page with `body`, built as any project's is. */
async function built(body: string): Promise<string> {
  const place = join(folder, 'project');
  await projectOfPrograms(place);
  await writeFile(join(place, 'page.html'), `<!doctype html><meta charset="utf-8">${body}`);
  await builtPage(place, 'page.html');
  return 'page/page.html';
}
const iris = async () => {
  await shell('epochscope tendency tests/goldens/iris.npy -o iris');
  await shell('epochscope export iris -o tendency.json');
};

it('dashboards.md: a view by a script tag', async () => {
  await iris();
  await cp(join(root, 'packages/ui/dist/cdn/epochscope.js'), join(folder, 'epochscope.js'));
  const [html] = blocksOf('dashboards', 'html');
  const address = 'https://…/@epochscope/ui/dist/cdn/epochscope.js';
  expect(html).toContain(address);
  await writeFile(join(folder, 'view.html'), html!.replace(address, 'epochscope.js'));
  const { page, problems } = await open('view.html');
  await page.locator('es-tendency-view es-tendency-image canvas').first().waitFor();
  expect(problems).toEqual([]);
  await page.close();
}, 240_000);

it('dashboards.md: elements linked by a selection', async () => {
  await iris();
  const [js] = blocksOf('dashboards', 'js');
  const path = await built(
    `<es-tendency-image src="../tendency.json"></es-tendency-image><es-tendency-image src="../tendency.json"></es-tendency-image>
     <script type="module">${js}</script>`,
  );
  const { page, problems } = await open(path);
  const image = page.locator('es-tendency-image');
  await image.nth(1).locator('canvas').first().waitFor();
  await image
    .first()
    .locator('canvas')
    .first()
    .click({ position: { x: 60, y: 60 } });
  const chosen = (i: number) =>
    image.nth(i).evaluate((element) => (element as unknown as { selection: { sample?: number } }).selection);
  await expect.poll(async () => (await chosen(1)).sample).toBeTypeOf('number');
  expect(await chosen(0)).toEqual(await chosen(1));
  expect(problems).toEqual([]);
  await page.close();
}, 240_000);

it('kernels.md: a page', async () => {
  const [html] = blocksOf('kernels', 'html');
  const path = await built(html!);
  const page = await browser.newPage();
  const said = page.waitForEvent('console');
  await page.goto(url + path);
  expect((await said).text()).toBe(String(128 * 128));
  await page.close();
}, 240_000);

it('keras.md: TensorFlow.js, recorded while it trains', async () => {
  const [js] = blocksOf('keras', 'js');
  const before = `import * as tf from '@tensorflow/tfjs';
    const model = tf.sequential();
    model.add(tf.layers.dense({ units: 3, inputShape: [4], activation: 'softmax', name: 'out' }));
    model.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' });
    const inputs = { data: Float32Array.from({ length: 120 }, (_, i) => (i % 7) / 7), shape: [30, 4] };
    const labels = Uint32Array.from({ length: 30 }, (_, i) => i % 3);
    const classes = ['a', 'b', 'c'];
    const [x, y] = [tf.tensor2d(inputs.data, inputs.shape), tf.tensor1d(Float32Array.from(labels))];`;
  await writeFile(join(folder, 'train.mjs'), `${before}\n${js}`);
  await shell('node train.mjs');
  const { manifest } = await openRun(join(folder, 'my-run'));
  expect(manifest.snapshots).toHaveLength(11);
  expect(manifest.classes).toEqual(['a', 'b', 'c']);
}, 120_000);

it('nets.md: checkpoints with their net', async () => {
  const [whole, texts, decoder] = blocksOf('nets', 'sh');
  await cp(join(root, 'tests/fixtures/series/vit'), folder, { recursive: true });
  await shell(whole!.replace('FOLDER', 'tests/fixtures/series/vit'));
  expect((await openRun(join(folder, 'run'))).manifest.snapshots).toHaveLength(2);
  await writeFile(join(folder, 'texts.txt'), 'hello there\ngood day\n');
  const given = { 'FOLDER/checkpoint-500/tokenizer.json': 'tests/fixtures/tokenizers/letters.json', 32: '6' };
  const own = Object.entries(given).reduce(
    (text, [from, to]) => text.replace(from, to),
    texts!.replace('-o run', '-o texts'),
  );
  const gpt2 = 'tests/fixtures/series/gpt2';
  await shell(own.replace('FOLDER --model net.onnx', `${gpt2} --model ${gpt2}/net.onnx`));
  expect((await openRun(join(folder, 'texts'))).manifest.samples?.count).toBe(2);
  await shell(decoder!);
  const { panels } = (await readResult(join(folder, 'decoder/results/tendency/default'))) as TendencyResult;
  // "thirteen clear blocks, one a sum, with every pair in its own (ARI 0.99 to 1.00)"
  expect(panels.at(-1)!.blocks.count).toBe(13);
}, 600_000);

it('outgrown.md: plan, submit, status, and the same task by task', async () => {
  const normal = random(7);
  const data = Float32Array.from({ length: 600 * 8 }, () => normal.normal());
  await writeFile(join(folder, 'points.npy'), encodeNpy(data, [600, 8]));
  const [sh] = blocksOf('outgrown', 'sh');
  const [plan, submit, status] = sh!.trim().split('\n');
  expect(await shell(plan!)).toMatch(/\d+ tasks?/);
  // No queue here: what would be submitted (a real Slurm: npm run test:scale).
  expect(await shell(`${submit!.replace(/#.*/, '')} --dry-run`)).toMatch(/sbatch/);
  await expect(shell(status!)).rejects.toThrow();
  const { tasks } = JSON.parse(await shell('epochscope batch status work --json || true')) as {
    tasks: number;
  };
  for (let i = 0; i < tasks; i++) await shell(`epochscope batch task work --index ${i}`);
  await shell(status!);
  await shell('epochscope batch reduce work');
  await shell('epochscope tendency points.npy --metric cosine -o one');
  const order = async (of: string) =>
    ((await readResult(join(folder, of))) as TendencyResult).panels[0]!.order;
  expect(await order('result')).toEqual(await order('one'));
}, 240_000);

it('public-series.md: a series of a hub, looked at and linked', async () => {
  const weights = (step: number) => {
    const tensors = ['a', 'b'].map((name, t) => {
      const dice = random(t);
      const noise = random(t, step);
      const of = () => dice.normal() * (1 + step / 2) + noise.normal() / 50;
      const data = Float32Array.from({ length: 600 }, of);
      return [`${name}.weight`, { data, shape: [20, 30], dtype: 'float32' as const }] as const;
    });
    return { 'config.json': '{}', 'model.safetensors': encodeSafetensors(new Map(tensors)) };
  };
  const steps = Object.fromEntries([0, 1, 2, 3, 4].map((step) => [`step${step}000`, weights(step)]));
  // One is a copy of another.
  const hub = await testHub('ORG/MODEL', { main: weights(4), ...steps, step3000: steps.step1000! });
  try {
    const [look, go] = blocksOf('public-series', 'sh');
    const here = (text: string) => text.replaceAll('https://huggingface.co', hub.origin);
    // A fault found ends with 1.
    const said = await shell(`${here(look!).trim()} || test $? = 1`);
    expect(said).toMatch(/step-00003000 is a copy of step-00001000/);
    await shell(here(go!));
    const series = await openRun(join(folder, 'run'));
    expect(series.manifest.snapshots).toHaveLength(5);
    expect((await series.weights(series.manifest.snapshots.at(-1)!.id)).size).toBe(2);
  } finally {
    await hub.close();
  }
}, 240_000);

it('has run every block that is its own', () => expect(run.size).toBe(blocks.length));
