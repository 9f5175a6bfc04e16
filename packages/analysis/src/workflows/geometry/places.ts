import { formatBytes, guard } from '@epochscope/core-wasm';
import { truncatedSvdOperatorBytes } from '@epochscope/core-wasm/jobs';
import { alignmentSize, isExplicit } from '../../methods/geometry/index.js';
import { firstReal, type Graph, shapesOf } from '../../models/graph/index.js';
import { findLayer } from '../../run/manifest.js';

const PARAMETRIC = new Set(['dense', 'conv1d', 'conv2d', 'conv3d', 'lstm', 'gru', 'rnn']);
/** Change no value. */
const QUIET = new Set([
  'flatten',
  'flatten-channels-first',
  'reshape',
  'identity',
  'pad',
  'constant',
  'transpose',
  'slice',
  'take',
  'expand',
]);
/** Bytes of tfjs's heap that a block of vectors may take. */
export const BLOCK_BYTES = 400e6;

/** A map of the net, from the input or a layer to a layer: a Jacobian of rows × columns at each input. */
export interface MapPlace {
  kind: 'depth' | 'layer';
  from: string;
  to: string;
  rows: number;
  columns: number;
  rowShape: number[];
  columnShape: number[];
}

/** Default layers: the last node before each parametric one but the first, and the end. */
function stageEnds({ nodes }: Graph): string[] {
  const ends: string[] = [];
  let current: string | null = null;
  let begun = false;
  for (const { kind, name } of nodes) {
    if (PARAMETRIC.has(kind)) {
      if (begun && current) ends.push(current);
      begun = true;
      current = null;
    }
    if (!QUIET.has(kind)) current = name;
  }
  if (current) ends.push(current);
  return ends;
}

/** The maps of the layers chosen, in the net's order. Throws `missing`, naming the layers there are. */
export function placesOf(
  graph: Graph,
  layers: readonly string[] | null,
  kinds: readonly string[],
  where: string,
): MapPlace[] {
  const shapes = shapesOf(graph);
  // Of token ids nothing flows: their maps begin at the embedding.
  const start = firstReal(graph);
  const order = ['input', ...graph.nodes.map(({ name }) => name)];
  const chosen = layers ?? stageEnds(graph);
  for (const name of chosen)
    if (!shapes.has(name))
      findLayer(
        graph.nodes.map((node) => ({ name: node.name, kind: node.kind, shape: [], parameters: [] })),
        name,
        where,
      );
  const after = order.indexOf(start);
  const sorted = [...new Set(chosen)]
    .filter((name) => start === 'input' || order.indexOf(name) > after)
    .sort((a, b) => order.indexOf(a) - order.indexOf(b));
  const place = (kind: MapPlace['kind'], from: string, to: string): MapPlace => {
    const [rowShape, columnShape] = [[...shapes.get(to)!], [...shapes.get(from)!]];
    const product = (shape: number[]) => shape.reduce((a, b) => a * b, 1);
    return { kind, from, to, rows: product(rowShape), columns: product(columnShape), rowShape, columnShape };
  };
  return sorted.flatMap((to, i) => [
    ...(kinds.includes('depth') ? [place('depth', start, to)] : []),
    ...(kinds.includes('layer') ? [place('layer', sorted[i - 1] ?? start, to)] : []),
  ]);
}

/** How many vectors go through the net at a time. */
export const blockOf = (bytes: number) => Math.max(1, Math.min(32, Math.floor(BLOCK_BYTES / bytes)));

/** What the algebra of one map takes in the kernels' memory. */
export function svdBytes({ kind, rows, columns }: MapPlace, k: number, tangents: boolean): number {
  const most = Math.min(k, rows, columns);
  return isExplicit(rows, columns, most)
    ? 16 * rows * columns + 8 * most * (rows + columns)
    : truncatedSvdOperatorBytes(rows, columns, most, {
        vectors: tangents && kind === 'depth' ? alignmentSize(most, columns) : 10,
      });
}

/** What a process takes to work on maps of this net: the weights twice, a block of vectors, the largest algebra. */
export function netBytes({ weights }: Graph): number {
  return 8 * [...weights.values()].reduce((sum, { data }) => sum + data.length, 0) + BLOCK_BYTES;
}

/** One sentence on memory where that is worth one. */
export function memoryNote(largest: MapPlace, bytes: number, graph: Graph): string[] {
  const weights = netBytes(graph) - BLOCK_BYTES;
  return bytes + weights / 2 > 300e6
    ? [
        `memory: up to ${formatBytes(bytes)} for ${largest.from} → ${largest.to}, ${formatBytes(weights)} of weights, ${formatBytes(BLOCK_BYTES)} of products`,
      ]
    : [];
}

/** Throws `memory` for what 32-bit WebAssembly cannot hold. */
export function checkSvd({ from, to }: MapPlace, k: number, bytes: number, limit = 65535 * 65536): void {
  guard(
    bytes <= limit,
    'memory',
    () =>
      `geometry of ${from} → ${to} with k = ${k} needs ${formatBytes(bytes)}, the limit is ${formatBytes(limit)}; ask for fewer singular values (option k) or other layers (option layers)`,
    { needed: bytes, limit },
  );
}
