// `npm run measure:page [-- size step training interaction grokking]`: what the page costs, in Chromium. Main-thread tasks by their processor time,
// which other work on the machine does not lengthen as it does wall time; both are printed.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { root } from './prepare.mjs';

const dashboard = join(root, 'packages', 'ui', 'dist', 'dashboard');
const analysis = join(root, 'packages', 'analysis', 'dist');
const wanted = process.argv.slice(2);
const asked = (name) => !wanted.length || wanted.includes(name);
const TYPES = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  wasm: 'application/wasm',
  ttf: 'font/ttf',
};

const server = createServer((request, response) => {
  const path = new URL(request.url, 'http://x').pathname;
  try {
    const name = path === '/' ? '/index.html' : path;
    response.setHeader('Content-Type', TYPES[name.split('.').at(-1)] ?? 'application/octet-stream');
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    response.end(readFileSync(join(dashboard, name)));
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
const load = () => loadavg()[0].toFixed(1);
console.log(
  `${cpus()[0].model}, ${cpus().length} processors, load ${load()}, Chromium ${browser.version()}\n`,
);

/** Scripts that come before anything is opened, gzipped. */
function size() {
  const assets = join(dashboard, 'assets');
  const left = [
    ...readFileSync(join(dashboard, 'index.html'), 'utf8').matchAll(/assets\/([\w.-]+\.js)/g),
  ].map((m) => m[1]);
  const seen = new Set();
  let bytes = 0;
  while (left.length) {
    const name = left.pop();
    if (seen.has(name)) continue;
    seen.add(name);
    const text = readFileSync(join(assets, name), 'utf8');
    bytes += gzipSync(text, { level: 9 }).length;
    for (const [, next] of text.matchAll(/(?:import|from)\s*["']\.\/([\w.-]+\.js)["']/g)) left.push(next);
  }
  const all = readdirSync(assets).filter((name) => name.endsWith('.js')).length;
  console.log(
    `script at first: ${(bytes / 1000).toFixed(1)} kB gzipped in ${seen.size} files of ${all}; aim 120 kB\n`,
  );
}

async function visit() {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    serviceWorkers: 'block',
  });
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.locator('es-app h1').waitFor();
  return { page, context, session: await context.newCDPSession(page) };
}
async function drop({ page, session }, ...files) {
  for (const type of ['dragEnter', 'dragOver', 'drop'])
    await session.send('Input.dispatchDragEvent', {
      type,
      x: 300,
      y: 300,
      data: { items: [], files, dragOperationsMask: 1 },
    });
  await page.locator('es-dashboard h1').first().waitFor({ timeout: 120_000 });
}

/** Main-thread tasks while `act` runs: [processor time, wall time] in milliseconds each, the longest first. */
async function tasksOf({ session }, act) {
  const events = [];
  const onData = ({ value }) => events.push(...value);
  session.on('Tracing.dataCollected', onData);
  const categories = 'toplevel,disabled-by-default-devtools.timeline,__metadata';
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: categories.split(',') },
  });
  let result;
  try {
    result = await act();
  } finally {
    const complete = new Promise((done) => session.once('Tracing.tracingComplete', done));
    await session.send('Tracing.end');
    await complete;
    session.off('Tracing.dataCollected', onData);
  }
  const mains = new Set(
    events
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  const tasks = events
    .filter(({ name, ph, pid, tid }) => name === 'RunTask' && ph === 'X' && mains.has(`${pid} ${tid}`))
    .map(({ tdur = 0, dur = 0 }) => [tdur / 1000, dur / 1000])
    .sort(([a], [b]) => b - a);
  return { tasks, result };
}
const ms = (value) => `${value.toFixed(1)} ms`;
const longest = (tasks) =>
  tasks.length
    ? `${ms(tasks[0][0])} processor time (${ms(Math.max(...tasks.map(([, wall]) => wall)))} wall)`
    : 'none';

const EPOCHS = 2;
const NETS = { lenet5: 'LeNet-5', mlp: 'MLP' };
/** A training in the page, from the start screen. Returns what it says of itself at its end, its run as a zip, and the main thread's tasks. */
async function trainedHere(net, fields) {
  const visited = await visit();
  const { page, context } = visited;
  await page.locator('form.train [name=net]').selectOption(net);
  await page.locator('form.train summary').click();
  for (const [name, value] of Object.entries(fields))
    await page.locator(`form.train [name=${name}]`).fill(String(value));
  // What a page's own observer sees: wall time, which other work on the machine lengthens.
  await page.evaluate(() => {
    window.longTasks = [];
    new PerformanceObserver((list) =>
      window.longTasks.push(...list.getEntries().map((e) => e.duration)),
    ).observe({
      type: 'longtask',
    });
  });
  const { tasks, result } = await tasksOf(visited, async () => {
    await page.getByRole('button', { name: 'Start training' }).click();
    await page.waitForFunction(
      () => ['drawing', 'done'].includes(document.querySelector('es-app').source?.state),
      null,
      { timeout: 1_800_000, polling: 500 },
    );
    return page.evaluate(() => {
      const { progress, version } = document.querySelector('es-app').source;
      return { ...progress, pictures: version, longTasks: window.longTasks };
    });
  });
  await page.locator('es-training-bar', { hasText: 'Trained in this page' }).waitFor({ timeout: 600_000 });
  const waiting = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save the run and its results as a zip' }).click();
  const folder = mkdtempSync(join(tmpdir(), 'epochscope-trained-'));
  const zip = join(folder, 'run.zip');
  await (await waiting).saveAs(zip);
  await context.close();
  return { tasks, result, zip, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
/** Whether two runs hold the same snapshots, bit by bit. */
async function sameBits(a, b) {
  const { openRun } = await import(join(analysis, 'index.js'));
  const runs = [await openRun(a), await openRun(b)];
  const [ids, others] = runs.map(({ manifest }) => manifest.snapshots.map(({ id }) => id));
  if (ids.join() !== others.join()) return `not the same snapshots: ${ids} and ${others}`;
  for (const id of ids) {
    const [here, there] = await Promise.all(runs.map((run) => run.weights(id)));
    for (const [name, { data }] of here)
      if (!Buffer.from(data.buffer, data.byteOffset, data.byteLength).equals(bytesOf(there.get(name).data)))
        return `${name} differs at ${id}`;
  }
  return `bit-equal in all ${ids.length} snapshots`;
}
const bytesOf = ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength);

/** Nets on the bundled digits: images a second beside Node's, pictures' share, long main-thread tasks, and whether the weights are Node's. */
async function training() {
  const { memoryStore, trainRun } = await import(join(analysis, 'index.js'));
  const { bundledMnist } = await import(join(analysis, 'models.js'));
  const data = await bundledMnist();
  for (const [net, title] of Object.entries(NETS)) {
    const node = async () => {
      const store = memoryStore('node');
      const { imagesPerSecond } = await trainRun(store, data, {
        epochs: EPOCHS,
        batchSize: 50,
        learningRate: 0.001,
        noise: 0.3,
        seed: 1,
        model: { name: net, seed: 1 },
        samples: 500,
        snapshots: { init: true, everySteps: 40 },
      });
      return { imagesPerSecond, store };
    };
    const before = await node();
    const { tasks, result, zip, remove } = await trainedHere(net, { epochs: EPOCHS });
    // Before and after, since what else runs on the machine changes.
    const there = (before.imagesPerSecond + (await node()).imagesPerSecond) / 2;
    const speed = result.imagesPerSecond;
    console.log(
      `training ${title}, ${EPOCHS} epochs of 8 000: ${Math.round(speed)} images a second in the page, ${Math.round(there)} in Node (${(speed / there).toFixed(2)} times); load ${load()}`,
    );
    console.log(`  weights: ${await sameBits(zip, before.store)}`);
    tell(tasks, result);
    remove();
  }
}
function tell(tasks, { pictures, picturesShare, longTasks }) {
  console.log(`  ${pictures} pictures, ${(100 * picturesShare).toFixed(1)} % of the time; aim 10 %`);
  console.log(
    `  longest main-thread task: ${longest(tasks)}; aim 50 ms; ${tasks.filter(([cpu]) => cpu > 50).length} over it by processor time, ${longTasks.length} by wall time\n`,
  );
}

/** The transformer that learns a + b mod 59, for three seeds: steps a second, and after how long it reads test pairs. */
async function grokking() {
  const { openRun } = await import(join(analysis, 'index.js'));
  for (const seed of [1, 2, 3]) {
    const { tasks, result, zip, remove } = await trainedHere('transformer', { seed });
    const { snapshots } = (await openRun(zip)).manifest;
    const steps = result.imagesPerSecond / Math.round(0.5 * 59 ** 2);
    const first = (name, least) =>
      snapshots.find(({ metrics }) => (name === 'loss' ? metrics[name] < least : metrics[name] >= least));
    const [heart, rule] = [first('loss', 0.1), first('testAccuracy', 0.99)];
    console.log(
      `a + b mod 59, seed ${seed}: ${steps.toFixed(1)} steps a second; by heart (training loss < 0.1) by step ${heart?.step ?? '–'}; test accuracy ≥ 0.99 by step ${rule?.step ?? '–'}${rule ? `, after ${(rule.step / steps / 60).toFixed(1)} minutes` : ''}; at the end ${snapshots.at(-1).metrics.testAccuracy}; load ${load()}`,
    );
    tell(tasks, result);
    remove();
  }
}

const settled = (page) =>
  page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
const pressed = (page, name) => async () => {
  await page.keyboard.press(name);
  await settled(page);
};
const total = (tasks) => tasks.reduce((sum, [cpu]) => sum + cpu, 0);

/** The first screen of a run like the demo's, LeNet-5 with five snapshots of four layers: all main-thread tasks of a step. */
async function step() {
  const folder = mkdtempSync(join(tmpdir(), 'epochscope-measure-'));
  try {
    const { tendencyOfRun, trainRun, openRun, writeResult } = await import(join(analysis, 'index.js'));
    const { bundledMnist } = await import(join(analysis, 'models.js'));
    const whole = await bundledMnist();
    // As many as it takes for pictures that are not empty.
    const { images, labels, count } = whole.train;
    const some = 4000;
    const data = {
      ...whole,
      train: {
        images: images.subarray(0, (images.length / count) * some),
        labels: labels.subarray(0, some),
        count: some,
      },
    };
    const place = join(folder, 'digits');
    await trainRun(place, data, {
      epochs: 1,
      batchSize: 50,
      noise: 0.3,
      seed: 1,
      model: { name: 'lenet5', seed: 1 },
      snapshots: { init: true, everySteps: 20 },
    });
    const result = await tendencyOfRun(await openRun(place), { layers: ['P1', 'R3', 'R4', 'S5'], seed: 1 });
    await writeResult(place, 'results/tendency/default', result);
    const visited = await visit();
    const { page } = visited;
    await drop(visited, place);
    await page.locator('.story es-tendency-image').waitFor();
    await settled(page);
    const snapshots = result.panels.filter(({ layer }) => layer === 'S5').length;
    const keys = [...Array(snapshots - 1).fill('ArrowLeft'), ...Array(snapshots - 1).fill('ArrowRight')];
    for (const round of ['first time', 'again']) {
      const sums = [];
      for (const key of keys) sums.push(total((await tasksOf(visited, pressed(page, key))).tasks));
      console.log(
        `a step on the first screen of ${snapshots} snapshots, ${round}: ${sums.map((sum) => sum.toFixed(1)).join(', ')} ms of processor time, mean ${ms(sums.reduce((a, b) => a + b) / sums.length)}; aim 16 ms; load ${load()}`,
      );
    }
    console.log();
    await visited.context.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const [N, PANELS] = [60_000, 20];
/** Distance of classes, in standard deviations: as clear blocks, each with a button that follows its class. */
const APART = 12;
/** A result of 20 pictures of 60 000 samples: each step, each thing followed, zoom. */
async function interaction() {
  const folder = mkdtempSync(join(tmpdir(), 'epochscope-measure-'));
  try {
    const { writeResult } = await import(join(analysis, 'index.js'));
    const { analyseTendency, random } = await import(join(analysis, 'methods.js'));
    const { createEngine } = await import(join(analysis, 'index.js'));
    const engine = createEngine();
    const source = random(1);
    const labels = Uint32Array.from({ length: N }, (_, i) => i % 10);
    const data = Float32Array.from(
      { length: N * 4 },
      (_, i) => ((labels[Math.floor(i / 4)] >> (i % 4)) & 1) * APART + source.normal(),
    );
    const place = { snapshot: { id: 'epoch-0001', epoch: 1, step: null }, layer: 'L0' };
    const panel = await analyseTendency(
      engine,
      { ...place, outputs: { data, shape: [N, 4] }, labels, predictions: null, logLikelihood: null },
      { metric: 'euclidean', marks: [], vatSide: 0, stabilitySubsets: 0, seed: 1 },
    );
    await engine.close();
    if (!panel.blocks.count) throw new Error('the 60 000 samples have no blocks: no class could be followed');
    const panels = Array.from({ length: PANELS }, (_, i) => ({
      ...panel,
      layer: `L${i % 2}`,
      snapshot: {
        id: `epoch-${String(Math.floor(i / 2) + 1).padStart(4, '0')}`,
        epoch: Math.floor(i / 2) + 1,
        step: null,
      },
      weights: panel.weights.map((weight) => weight * (1 + i / 40)),
    }));
    await writeResult(folder, 'large', {
      format: 'epochscope-result/2',
      method: 'tendency',
      name: 'default',
      tool: { name: 'epochscope', version: '' },
      input: { source: 'measure', files: {} },
      parameters: {},
      seeds: {},
      seconds: 1,
      samples: { count: N, labels, classes: Array.from({ length: 10 }, (_, c) => String(c)), images: null },
      panels,
    });
    const visited = await visit();
    const { page } = visited;
    page.setDefaultTimeout(20_000);
    await drop(visited, join(folder, 'large'));
    const settle = () => settled(page);
    await settle();
    const key = (name) => pressed(page, name);
    const image = page.locator('es-tendency-image').first();
    const at = async (x, y) => {
      const box = await image.boundingBox();
      return [box.x + x * box.width, box.y + y * box.height];
    };
    const acts = {
      'first step back': key('ArrowLeft'),
      'step back': key('ArrowLeft'),
      'step forth': key('ArrowRight'),
      'same step again': key('ArrowLeft'),
      'other layer': key('ArrowUp'),
      'pointer over the picture': async () => {
        for (let i = 0; i < 10; i++) await page.mouse.move(...(await at(0.2 + 0.05 * i, 0.4)));
        await settle();
      },
      'follow a sample': async () => {
        await page.mouse.click(...(await at(0.5, 0.5)));
        await settle();
      },
      'step while following': key('ArrowLeft'),
      'follow a class': async () => {
        await page.locator('.beside:not([disabled])').first().click();
        await settle();
      },
      'step while following a class': key('ArrowRight'),
      zoom: async () => {
        await page.mouse.move(...(await at(0.5, 0.5)));
        await page.mouse.wheel(0, -300);
        await settle();
      },
    };
    console.log(`${N} samples × ${PANELS} panels: longest main-thread task, and all of them; load ${load()}`);
    for (const [name, act] of Object.entries(acts)) {
      const { tasks } = await tasksOf(visited, act);
      console.log(`  ${name.padEnd(30)} ${longest(tasks)}, sum ${ms(total(tasks))}`);
    }
    console.log('  aim: each under 50 ms\n');
    await visited.context.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

try {
  if (asked('size')) size();
  if (asked('training')) await training();
  // Minutes: asked for by name.
  if (wanted.includes('grokking')) await grokking();
  if (asked('step')) await step();
  if (asked('interaction')) await interaction();
} finally {
  await browser.close();
  server.closeAllConnections();
  server.close();
}
