import type { Output } from '../output.js';
import type { Claim } from './claims.js';

export interface ExperimentOptions {
  /** Folder of one seed: run, results, pictures. */
  output: string;
  /** A folder of the data set, "bundled" or "download"; undefined: the bundled digits when quick, else an error. */
  data?: string;
  /** mototake: where CIFAR-10 is, for its §7; undefined: that part is left out. */
  cifar?: string;
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

/** A figure of the paper as we draw it. */
export interface ReportFigure {
  /** "Figure 2", or the section where the paper shows none: "§6". */
  title: string;
  /** In our words: what is drawn, and what of it is ours. */
  caption: string;
  /** PNG files, within the seed's folder. */
  files: readonly string[];
  /** Claims that stand below it, by id. */
  claims: readonly string[];
}

/** What one seed gave. */
export interface SeedReport {
  /** Everything that was chosen, but the seed: data, epochs, rates. */
  parameters: Record<string, unknown>;
  claims: Claim[];
  /** What else this seed showed: paragraphs after the claims. Markdown. */
  remarks: string[];
  /** In the paper's order. */
  figures: ReportFigure[];
}

/** A paper's experiment, run again. */
export interface Experiment {
  /** Authors, title, what is trained: one line for --help. */
  describe: string;
  /** Authors, title. */
  paper: string;
  /** What holds for every seed: our reading where the paper leaves something open. Paragraphs, Markdown. */
  about: readonly string[];
  /** Trains and analyses with one seed, and takes up what an earlier one with the same options left. */
  run(options: ExperimentOptions, output: Output): Promise<SeedReport>;
}
