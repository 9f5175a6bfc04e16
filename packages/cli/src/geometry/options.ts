import type {
  FileIdentity,
  GeometryResult,
  GeometrySpectrum,
  GraphRunner,
  Hierarchy,
} from '@epochscope/analysis';

export interface GeometryOptions {
  /** Layers to look at; default: the end of each stage. */
  layers?: string[];
  k: number;
  /** "depth": from the input; "layer": from the chosen layer before (the first: from the input). */
  maps: ('depth' | 'layer')[];
  /** Tangent vectors and steps along and across; only for pictures. */
  tangents: boolean;
  /** Largest vectors kept for each input, and of how many inputs. */
  pictures: number;
  pictureInputs: number;
  /** A hierarchy of the classes to hold the class tree against. */
  hierarchy?: Hierarchy | null;
  seed: number;
  name: string;
  resume: boolean;
  /** Bytes the SVD of one map may take; default 4 GB less a page. */
  memoryLimit?: number;
}

/** What is analysed: a run, or a net given by its weights. */
export interface GeometrySource {
  source: string;
  files: Record<string, FileIdentity>;
  /** What decides the figures, beside the options: parts of another source are not gone on with. */
  key: unknown;
  inputShape: number[];
  /** n × input values, as the net takes them. */
  inputs: Float32Array;
  samples: GeometryResult['samples'];
  snapshots: {
    info: GeometrySpectrum['snapshot'];
    /** A net for this snapshot; disposed when the next one is asked for. */
    open(): Promise<GraphRunner>;
  }[];
}

/** What must be the same for parts to be gone on with. */
export function keyOf({
  layers,
  k,
  maps,
  tangents,
  pictures,
  pictureInputs,
  hierarchy,
  seed,
}: GeometryOptions) {
  return {
    layers: layers ?? null,
    k,
    maps,
    tangents,
    pictures,
    pictureInputs,
    hierarchy: hierarchy ?? null,
    seed,
  };
}
