import type { Output } from '../output.js';

export interface ExperimentOptions {
  /** Folder for the run, results, pictures, claims.json and claims.md. */
  output: string;
  /** A folder of the data set, "bundled" or "download"; undefined: the bundled digits when quick, else an error. */
  data?: string;
  /** Folder that "download" fetches into; default the user's cache. */
  download?: string;
  /** Small data, few epochs: shows that it works, not what the paper says. */
  quick: boolean;
  seed: number;
  /** Instead of the paper's number. */
  epochs?: number;
  /** Replace what an earlier reproduction wrote there. */
  overwrite: boolean;
}

/** A paper's experiment, run again. It ends by `writeClaims` and one `output.result`. */
export interface Experiment {
  /** Authors, title, what is trained: one line for --help. */
  describe: string;
  run(options: ExperimentOptions, output: Output): Promise<void>;
}
