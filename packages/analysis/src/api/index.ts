import type { DType } from '../formats/types.js';
import type { LayerInfo, RunManifest, SnapshotInfo } from '../run/types.js';

// What `epochscope serve` answers, for server and pages alike; docs/formats/http-api.md tells the rest. No run-time dependency.

export const API_FORMAT = 'epochscope-http/1';

/** `GET /api`. */
export interface ApiInfo {
  format: typeof API_FORMAT;
  tool: { name: string; version: string };
  /** "run": one run is served, whose `key` is the only one of `GET /api/runs`; "folder": a folder of runs. */
  serving: 'run' | 'folder';
}

/** One line of `GET /api/runs`. */
export interface ApiRunSummary {
  /** Name in addresses, to be percent-encoded (`apiPaths` does). */
  key: string;
  model: string | null;
  layers: string[];
  classes: string[] | null;
  snapshots: number;
  last: SnapshotInfo | null;
  complete: boolean;
  results: ApiResultName[];
  /** Why a run cannot be read; the other fields are empty then. */
  problem: string | null;
}

export interface ApiRunList {
  runs: ApiRunSummary[];
}

export interface ApiResultName {
  method: string;
  name: string;
  /** Changes when the result is replaced. */
  version: string;
}

/** `GET /api/runs/:run`: the manifest with its complete snapshots, what was skipped, and which results there are. */
export interface ApiRun {
  key: string;
  manifest: RunManifest;
  warnings: string[];
  results: ApiResultName[];
}

/** `GET /api/runs/:run/snapshots/:id`: tensors and captured layers of one snapshot. */
export interface ApiSnapshot {
  snapshot: SnapshotInfo;
  tensors: ApiTensor[];
  /** Layers whose outputs on the analysis samples are stored. */
  outputs: string[];
}

export interface ApiTensor {
  name: string;
  /** As stored; the body is little-endian, row-major. */
  dtype: DType;
  shape: number[];
  bytes: number;
}

/** Body of every answer that is not 2xx or 304. */
export interface ApiProblem {
  error: { code: string; message: string };
}

/**
 * Server-sent events of `GET /api/runs/:run/events`, event name → data. Each connection begins with `state`, then
 * `snapshots` with all from `Last-Event-ID` on (or all), and then what changes. States are told, not differences, so a
 * missed moment is made up for by the next.
 */
export interface ApiRunEvents {
  /** At the start, and when the run completes or its results change. */
  state: { complete: boolean; snapshots: number; results: ApiResultName[] };
  /** New snapshots, in order; `from` is the place of the first. The event id names the last one, for reconnecting. */
  snapshots: { from: number; snapshots: SnapshotInfo[] };
  /** The run was replaced by another: load it anew. `snapshots` with all of them follows. */
  reset: { layers: LayerInfo[] };
  /** The run cannot be read at present, for instance because it was removed. */
  problem: ApiProblem['error'];
}

/** Server-sent events of `GET /api/events`: the list of runs, at the start and when it changes. */
export interface ApiEvents {
  runs: ApiRunList;
}

const part = encodeURIComponent;
const run = (key: string) => `/api/runs/${part(key)}`;
const snapshot = (key: string, id: string) => `${run(key)}/snapshots/${part(id)}`;

/** Addresses, each name percent-encoded. All are `GET` (and `HEAD`); binary ones take `Range`. */
export const apiPaths = {
  info: () => '/api',
  runs: () => '/api/runs',
  /** Server-sent events of the list. */
  events: () => '/api/events',
  run,
  runEvents: (key: string) => `${run(key)}/events`,
  /**
   * The result in one file, JSON and raw arrays; `decodeAny` reads it. `samples: 'reference'`: with references to the run's samples in
   * place of their images. Binary.
   */
  result: (key: string, method: string, name: string, options: { samples?: 'reference' } = {}) =>
    `${run(key)}/results/${part(method)}/${part(name)}${options.samples ? `?samples=${options.samples}` : ''}`,
  /** One file of a result's folder: result.json, an .npy array (by its path there), a picture. Binary. */
  resultFile: (key: string, method: string, name: string, file: string) =>
    `${run(key)}/results/${part(method)}/${part(name)}/files/${file.split('/').map(part).join('/')}`,
  snapshot,
  /** The snapshot as a safetensors file. Binary. */
  weights: (key: string, id: string) => `${snapshot(key, id)}/weights.safetensors`,
  /** One tensor's elements, no header. Binary; dtype and shape also in the headers X-Tensor-Dtype and X-Tensor-Shape. */
  tensor: (key: string, id: string, tensor: string) => `${snapshot(key, id)}/tensors/${part(tensor)}`,
  /** One tensor over all snapshots: float32, snapshots × elements (of `indices`, or all). Binary. */
  series: (
    key: string,
    tensor: string,
    options: { snapshots?: readonly string[]; indices?: readonly number[] } = {},
  ) => {
    const query = [
      options.snapshots ? `snapshots=${options.snapshots.map(part).join(',')}` : '',
      options.indices ? `indices=${options.indices.join(',')}` : '',
    ].filter(Boolean);
    return `${run(key)}/series/${part(tensor)}${query.length ? `?${query.join('&')}` : ''}`;
  },
  /** A layer's outputs on the analysis samples, .npy. Binary. */
  outputs: (key: string, id: string, layer: string) => `${snapshot(key, id)}/outputs/${part(layer)}.npy`,
  /** inputs.npy, labels.npy or predictions.npy. Binary. */
  samples: (key: string, file: 'inputs.npy' | 'labels.npy' | 'predictions.npy') =>
    `${run(key)}/samples/${file}`,
} as const;
