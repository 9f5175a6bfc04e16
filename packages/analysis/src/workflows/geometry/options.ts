import { guard } from '@epochscope/core-wasm';
import type { Hierarchy } from '../../methods/geometry/index.js';
import { withDefaults } from '../select.js';

export interface GeometryRunOptions {
  /** Layers to look at; null: the end of each stage. */
  layers: readonly string[] | null;
  /** Ids, epochs, "first", "last", "init" or "all". */
  snapshots: readonly (string | number)[];
  /** How many inputs: taken in turn from each class where there are labels, else the first ones. */
  inputs: number;
  /** Singular triplets of each Jacobian. */
  k: number;
  /** "depth": from the input; "layer": from the chosen layer before (the first: from the input). */
  maps: readonly ('depth' | 'layer')[];
  /** Tangent vectors and steps along and across; only for pictures. */
  tangents: boolean;
  /** Largest vectors kept for each input, and of how many inputs. */
  pictures: number;
  pictureInputs: number;
  /** A hierarchy of the classes to hold the class tree against. */
  hierarchy: Hierarchy | null;
  /** Starting vectors, random directions. */
  seed: number;
  /** Of the result. */
  name: string;
}

export const GEOMETRY_DEFAULTS: GeometryRunOptions = {
  layers: null,
  snapshots: ['last'],
  inputs: 16,
  k: 100,
  maps: ['depth'],
  tangents: true,
  pictures: 8,
  pictureInputs: 4,
  hierarchy: null,
  seed: 1,
  name: 'default',
};

/** Options over defaults. Throws `argument`. */
export function geometryOptions(given: Partial<GeometryRunOptions>): GeometryRunOptions {
  const options = withDefaults('geometry', GEOMETRY_DEFAULTS, given);
  for (const [name, least] of [
    ['inputs', 1],
    ['k', 1],
    ['pictures', 0],
    ['pictureInputs', 0],
  ] as const)
    guard(
      Number.isInteger(options[name]) && options[name] >= least,
      'argument',
      () => `geometry: ${name}: expected an integer ≥ ${least}, got ${options[name]}`,
      { got: options[name] },
    );
  guard(
    options.maps.length > 0 && options.maps.every((map) => map === 'depth' || map === 'layer'),
    'argument',
    () => `geometry: maps: expected "depth", "layer" or both, got ${options.maps.join(', ') || 'none'}`,
  );
  return options;
}
