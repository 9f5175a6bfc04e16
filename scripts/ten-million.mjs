// What is made of a tendency result of ten million samples, in processor milliseconds and memory: blocks, scores, marks, and the picture as
// SVG, PNG and PDF. The figures of docs/guides/outgrown.md.
//
//   node scripts/ten-million.mjs [--n 10000000] [--png FILE]
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';

const args = process.argv.slice(2);
const option = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
const n = Number(option('--n') ?? 10_000_000);
const packages = resolve(import.meta.dirname, '../packages');
const { assignFree, blockLabels, chooseSamples, findBlocks, labelScores, placeMarks, random, rimScore } =
  await import(join(packages, 'analysis/dist/methods.js'));
const { panelPictures } = await import(join(packages, 'cli/dist/pictures/tendency.js'));
const { loadFonts, pdfFile, pngFile, svgFile } = await import(join(packages, 'cli/dist/pictures/render.js'));
const { fontMeasure } = await import(join(packages, 'ui/dist/drawing.js'));

const times = {};
async function timed(what, body) {
  const begun = process.cpuUsage();
  const value = await body();
  const { user, system } = process.cpuUsage(begun);
  times[what] = (user + system) / 1000;
  return value;
}
const memory = () => process.memoryUsage();
const before = memory();
const BLOCKS = 8;
// Eight blocks of the order, tight inside and far apart, as VAT of eight clusters leaves them; of 50 samples one is predicted wrong.
const draw = random(1);
const order = draw.permutation(n);
const vat = { order, weights: new Float32Array(n - 1), parent: order.slice(0, n - 1) };
const labels = new Uint32Array(n);
const predictions = new Uint32Array(n);
for (let k = 0; k < n; k++) {
  const block = Math.floor((k * BLOCKS) / n);
  if (k) vat.weights[k - 1] = (block === Math.floor(((k - 1) * BLOCKS) / n) ? 1 : 40) + draw.uniform();
  labels[order[k]] = block;
  predictions[order[k]] = draw.uniform() < 0.02 ? (block + 1) % BLOCKS : block;
}
const side = 512;
const image = Float32Array.from({ length: side * side }, (_, i) => {
  const block = (pixel) => Math.floor((pixel * BLOCKS) / side);
  return (block(Math.floor(i / side)) === block(i % side) ? 10 : 50) + draw.uniform();
});
const made = memory();
const found = await timed('blocks', () => findBlocks(vat.weights, n));
const inBlocks = await timed('block of each sample', () => blockLabels(found, order));
const scores = await timed('scores of both kinds', () => ({
  inBlocks: labelScores(inBlocks, labels, found.reason),
  overall: labelScores(assignFree(vat, inBlocks), labels, found.reason),
}));
const rim = await timed('rim score', () =>
  rimScore(
    found,
    order,
    labels.map((label, i) => Number(label === predictions[i])),
  ),
);
const marks = await timed('marks: the wrong ones', () =>
  placeMarks(
    chooseSamples({ rule: 'wrong' }, { n, labels, predictions, logLikelihood: null }),
    'wrong',
    order,
    labels,
    predictions,
  ),
);
const panel = {
  ...{ snapshot: { id: 'points', epoch: null, step: null }, layer: 'points', n, d: 84, metric: 'euclidean' },
  ...{ start: order[0], ...vat, vat: { side, data: image, pairsPerPixel: 16 }, scores, rimScore: rim, marks },
  blocks: { ...found, stability: { value: null, reason: 'not worked out' } },
  seconds: 0,
};
const result = {
  method: 'tendency',
  ...{ tool: { name: 'epochscope', version: 'none' }, input: { source: 'synthetic', files: {} } },
  ...{ parameters: {}, seeds: {} },
  panels: [panel],
  samples: { count: n, labels, classes: null, images: null },
};
const analysed = memory();
const fonts = await loadFonts();
const measure = fontMeasure(fonts);
for (const mode of ['ivat', 'vat']) {
  const [{ figure }] = await timed(`${mode}: scale of greys`, () => panelPictures(result, mode));
  const scene = await timed(`${mode}: scene`, () => figure.toScene(measure, { width: 640 }));
  const { title, caption } = figure.captions();
  const words = { title, description: caption };
  const png = await timed(`${mode}: PNG, 300 dpi`, () => pngFile(scene, words, fonts, 300));
  await timed(`${mode}: SVG`, () => svgFile(scene, words, fonts));
  await timed(`${mode}: PDF`, () => pdfFile(scene, words, fonts));
  if (mode === 'ivat' && option('--png')) writeFileSync(option('--png'), png);
}
const held = (a, b) => (b.arrayBuffers + b.heapUsed - a.arrayBuffers - a.heapUsed) / 1e6;
console.log(
  `n = ${n} (${cpus()[0].model.trim()}, Node ${process.version}, load ${loadavg()[0].toFixed(1)}): ${found.count} blocks, ${marks.length} marks; order, weights, parents, labels ${held(before, made).toFixed(0)} MB, ${held(made, analysed).toFixed(0)} MB more with blocks and marks, ${held(analysed, memory()).toFixed(0)} MB more once drawn; the process at its peak ${(process.resourceUsage().maxRSS / 1000).toFixed(0)} MB`,
);
for (const [what, ms] of Object.entries(times)) console.log(`${ms.toFixed(0).padStart(6)} ms  ${what}`);
