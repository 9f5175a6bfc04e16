/** Everything a method computed, as plain values and typed arrays. On disk: result.json + one .npy per typed array. */
export const RESULT_FORMAT = 'epochscope-result/2';

/** Fields that every method's result has. */
export interface ResultBase {
  format: typeof RESULT_FORMAT;
  method: string;
  /** Name of this result among those of its method: folder under results/<method>/. */
  name: string;
  tool: { name: string; version: string };
  /** What it was computed from: a run's name or a file's, and which state of each file was read, by its path in the run. */
  input: { source: string; files: Record<string, FileIdentity> };
  /** The method's options as used, defaults filled in. */
  parameters: Record<string, unknown>;
  /** Seeds used, by purpose; empty when nothing was random. */
  seeds: Record<string, number>;
  seconds: number;
}

/** Which state of a file was read. */
export type FileIdentity =
  /** The file was read whole, or its writer stored its hash. */
  | { sha256: string }
  /** Only parts of it were read: its size, time or ETag where known, and the hash of the header and rows read. */
  | { size: number; stamp: string | null; sha256OfRead: string };

/** A figure that may be undefined: null, with the reason beside it. Never NaN. */
export type Figure = { value: number; reason?: undefined } | { value: null; reason: string };
