import { type Graph, graphOfRun } from '../models/graph/index.js';
import { prepareTf } from '../models/index.js';
import type { Run } from '../run/types.js';
import type { PartContext } from './types.js';

/** A run's net with the weights of a snapshot. Throws `unsupported` for a run whose net is not known, `missing`. */
export async function graphAt(run: Run, snapshot: string, reads?: PartContext['reads']): Promise<Graph> {
  return graphOfRun(
    await prepareTf(),
    run.manifest,
    await run.weights(snapshot, reads ? { reads } : {}),
    `${run.store.name}, snapshot ${snapshot}`,
  );
}
