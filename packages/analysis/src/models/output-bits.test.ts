// Outputs of nets on seeded samples, as stored hashes: a change that is meant to change none changes none here. Where one is meant to
// change, say why in the commit and run vitest with -u. Against another checkout, with speed: scripts/compare-nets.mjs.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { readOnnx } from '../formats/onnx/index.js';
import { bytesSource } from '../formats/source.js';
import { graphOfModel } from './graph/from-model.js';
import { type Graph, GraphRunner, graphOfOnnx } from './graph/index.js';
import { INPUT } from './graph/types.js';
import { buildModel, MODEL_NAMES, prepareTf, type Tf } from './index.js';

let tf: Tf;
beforeAll(async () => {
  tf = await prepareTf();
});

/** Of the outputs of three samples of exact numbers in −1 … 1, of ids below 8 where the net looks them up. */
function bitsOf(graph: Graph): string {
  const ids = graph.nodes.some(({ kind, inputs }) => kind === 'embedding' && inputs[0] === INPUT);
  let state = 1;
  const x = Float32Array.from({ length: 3 * graph.inputShape.reduce((a, b) => a * b, 1) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ids ? state >>> 29 : (state >>> 8) / 2 ** 23 - 1;
  });
  const runner = new GraphRunner(tf, graph);
  const outputs = runner.run(x, 3).get(runner.last)!;
  runner.dispose();
  expect(outputs.every(Number.isFinite)).toBe(true);
  return createHash('sha256').update(new Uint8Array(outputs.buffer)).digest('hex').slice(0, 16);
}

describe('output bits', () => {
  it('of nets of ours', () => {
    const bits: Record<string, string> = {};
    for (const name of MODEL_NAMES) {
      const inputShape = name === 'cifar-cnn' ? [32, 32, 3] : [28, 28, 1];
      const { model } = buildModel(tf, { name, inputShape, classes: 10, seed: 1 });
      bits[name] = bitsOf(graphOfModel(model));
      model.dispose();
    }
    expect(bits).toMatchSnapshot();
  });

  it.each(['onnx', 'nets'])('of ONNX files: %s', async (folder) => {
    const at = fileURLToPath(new URL(`../../../../tests/fixtures/${folder}/`, import.meta.url));
    const bits: Record<string, string> = {};
    for (const file of readdirSync(at).filter((name) => name.endsWith('.onnx'))) {
      const onnx = await readOnnx(
        (name, body) => body(bytesSource(name, new Uint8Array(readFileSync(at + name)))),
        file,
      );
      bits[file] = bitsOf((await graphOfOnnx(onnx, file)).graph);
    }
    expect(bits).toMatchSnapshot();
  });
});
