/** A layer at a snapshot that a result says something about, with its headline figure where there is one. */
export interface Covered {
  layer: string;
  snapshot: string;
  /** Short: "10". */
  figure?: string;
  /** In words: "10 blocks". */
  text?: string;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const idOf = (value: unknown): string | null =>
  typeof value === 'string' ? value : isObject(value) && typeof value.id === 'string' ? value.id : null;
const figureOf = (value: unknown): number | null =>
  typeof value === 'number' ? value : isObject(value) && typeof value.value === 'number' ? value.value : null;

/** What a method's panels say in one figure. A method that is not here only shows that it was there. */
const HEADLINES: Record<string, (node: Record<string, unknown>) => { figure: string; text: string } | null> =
  {
    tendency: ({ blocks }) => {
      const count = isObject(blocks) ? figureOf(blocks.count) : null;
      return count === null
        ? null
        : { figure: String(count), text: `${count} ${count === 1 ? 'block' : 'blocks'}` };
    },
    geometry: ({ dimensions }) => {
      const count =
        isObject(dimensions) && isObject(dimensions.atLeastOne) ? dimensions.atLeastOne.mean : null;
      return typeof count === 'number'
        ? { figure: count.toFixed(1), text: `${count.toFixed(1)} singular values at least 1` }
        : null;
    },
    activity: ({ distribution }) => {
      const median = isObject(distribution) ? figureOf(distribution.median) : null;
      return median === null
        ? null
        : { figure: median.toFixed(1), text: `median selectivity ${median.toFixed(2)}` };
    },
  };

/** Deeper trees than this are not searched. */
const DEPTH = 8;

/**
 * Which layers at which snapshots a result is about, read off its JSON alone (arrays may be references): every object with a
 * `layer` and a `snapshot` (or `from` and `to`), its own or one that an object around it has. Works for methods this page
 * does not know.
 */
export function coverageOf(outline: unknown): Covered[] {
  const found = new Map<string, Covered>();
  const method = isObject(outline) && typeof outline.method === 'string' ? outline.method : '';
  const headline = HEADLINES[method];
  const walk = (node: unknown, layer: string | null, snapshots: readonly string[], depth: number): void => {
    if (depth > DEPTH) return;
    if (Array.isArray(node)) {
      if (isObject(node[0]) || Array.isArray(node[0]))
        for (const item of node) walk(item, layer, snapshots, depth + 1);
      return;
    }
    if (!isObject(node) || '$array' in node || '$base64' in node) return;
    const many = Array.isArray(node.snapshots) ? node.snapshots : [];
    // A map of geometry goes from one layer to another at one snapshot.
    const map = method === 'geometry' && isObject(node.snapshot) && typeof node.to === 'string';
    const ownLayer = map ? (node.to as string) : typeof node.layer === 'string' ? node.layer : null;
    const own = (map ? [node.snapshot] : [node.snapshot, node.from, node.to, ...many])
      .map(idOf)
      .filter((id): id is string => id !== null);
    const here = ownLayer ?? layer;
    const at = own.length ? own : snapshots;
    if (here !== null && (ownLayer !== null || own.length))
      for (const snapshot of at) {
        const key = `${here}\n${snapshot}`;
        const before = found.get(key);
        if (!before?.figure) found.set(key, { layer: here, snapshot, ...(headline?.(node) ?? {}) });
      }
    // What a method was asked for is not what it covers; thinned panels count within their subset.
    for (const [key, value] of Object.entries(node))
      if (!['parameters', 'input', 'seeds', 'samples', 'thinning', 'snapshot', 'from', 'to'].includes(key))
        walk(value, here, at, depth + 1);
  };
  walk(outline, null, [], 0);
  return [...found.values()];
}
