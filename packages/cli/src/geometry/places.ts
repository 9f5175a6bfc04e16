import type { GraphRunner } from '@epochscope/analysis';

const PARAMETRIC = new Set(['dense', 'conv2d']);

/** Default layers: the last node before each parametric one but the first, and the end. */
export function stageEnds(runner: GraphRunner): string[] {
  const { nodes } = runner.graph;
  const ends: string[] = [];
  const quiet = new Set(['flatten', 'flatten-channels-first', 'reshape', 'identity', 'pad']);
  let current: string | null = null;
  let begun = false;
  for (const node of nodes) {
    if (PARAMETRIC.has(node.kind)) {
      if (begun && current) ends.push(current);
      begun = true;
      current = null;
    }
    if (!quiet.has(node.kind)) current = node.name;
  }
  if (current) ends.push(current);
  return ends;
}

/** A map of the net: from the input or a layer, to a layer. */
export interface MapPlace {
  kind: 'depth' | 'layer';
  from: string;
  to: string;
}

/** The maps of the layers chosen, in the net's order. */
export function placesOf(
  runner: GraphRunner,
  layers: readonly string[],
  kinds: readonly string[],
): MapPlace[] {
  const places: MapPlace[] = [];
  for (const to of layers) runner.sizeOf(to);
  const order = ['input', ...runner.graph.nodes.map(({ name }) => name)];
  const sorted = [...new Set(layers)].sort((a, b) => order.indexOf(a) - order.indexOf(b));
  for (const [i, to] of sorted.entries()) {
    if (kinds.includes('depth')) places.push({ kind: 'depth', from: 'input', to });
    if (kinds.includes('layer')) places.push({ kind: 'layer', from: sorted[i - 1] ?? 'input', to });
  }
  return places;
}
