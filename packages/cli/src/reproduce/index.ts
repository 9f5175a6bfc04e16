import type { Experiment } from './types.js';

/** One line a paper; loaded when used. */
export const EXPERIMENTS: Record<string, () => Promise<{ experiment: Experiment }>> = {
  mototake: () => import('./mototake.js'),
  inagaki: () => import('./inagaki.js'),
  satoh: () => import('./satoh.js'),
  takehana: () => import('./takehana.js'),
  watanabe: () => import('./watanabe.js'),
};
