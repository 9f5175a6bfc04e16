// What reading one file costs, in a process of its own: `node read-cost.mjs READER PATH [memory]` prints JSON: bytes of memory at the
// peak above the start, the longest stretch in milliseconds in which nothing else could run, and what came out.
import { readFileSync } from 'node:fs';
import { openRun, readResult, setReadLimits, withFile } from '@epochscope/analysis';
import * as formats from '@epochscope/analysis/formats';

const [reader, path, memory] = process.argv.slice(2);
const beside = (read) => {
  const [, folder, name] = /^(.*)\/([^/]+)$/.exec(path);
  return read((other, body) => withFile(`${folder}/${other}`, body), name);
};
const READERS = {
  npy: () => withFile(path, formats.readNpy),
  npz: () => withFile(path, formats.readNpz),
  safetensors: () => withFile(path, formats.readSafetensors),
  torch: () => withFile(path, formats.readTorch),
  keras: () => withFile(path, formats.readKerasWeights),
  onnx: () => beside(formats.readOnnx),
  tfjs: () => beside(formats.readTfjsModel),
  index: () => beside(formats.readSharded),
  matrix: () =>
    withFile(path, async (source) =>
      formats.readInput(await formats.openMatrix(source, {}), {
        metric: 'euclidean',
        missing: false,
        chosen: null,
      }),
    ),
  labels: () => withFile(path, (source) => formats.readLabels(source, undefined, 3)),
  run: () => openRun(path),
  result: () => readResult(...path.split('/results/')),
};
if (memory) setReadLimits({ memory: Number(memory) });

/** Of this program: what getrusage tells counts the process that started it too. */
function peak() {
  try {
    return 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  } catch {
    return 1024 * process.resourceUsage().maxRSS;
  }
}

let longest = 0;
let wall = performance.now();
let cpu = process.cpuUsage();
const look = () => {
  const now = performance.now();
  const used = process.cpuUsage(cpu);
  // Of a machine that has other things to do only the time that was ours.
  longest = Math.max(longest, Math.min(now - wall, (used.user + used.system) / 1000));
  wall = now;
  cpu = process.cpuUsage();
};
const timer = setInterval(look, 2);
await new Promise((resolve) => setTimeout(resolve, 50));
longest = 0;
const before = process.memoryUsage.rss();
const begun = process.cpuUsage();
let outcome = 'read';
try {
  await READERS[reader]();
} catch (error) {
  outcome =
    error.name === 'EpochscopeError' ? `${error.code}: ${error.message}` : `DEFECT ${error.stack ?? error}`;
}
look();
clearInterval(timer);
const used = process.cpuUsage(begun);
process.stdout.write(
  JSON.stringify({
    memory: Math.max(0, peak() - before),
    longest: Math.round(longest),
    seconds: (used.user + used.system) / 1e6,
    outcome,
  }),
);
