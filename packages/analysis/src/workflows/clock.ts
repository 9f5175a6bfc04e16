/** Not said before so much of the work and time has gone by: the first steps are not like the others. */
const FIRST_SHARE = 0.02;
const FIRST_SECONDS = 2;

/**
 * Seconds left by the pace since the first call, of a share done (0 … 1) at each; null while that cannot be known. A share that falls
 * is another pass: the pace is measured anew.
 */
export function paceClock(now: () => number = () => performance.now()): (share: number) => number | null {
  let begun: { at: number; share: number } | null = null;
  let last = 0;
  return (share) => {
    if (!begun || share < last) begun = { at: now(), share };
    last = share;
    const [seconds, gone] = [(now() - begun.at) / 1000, share - begun.share];
    if (gone < FIRST_SHARE || seconds < FIRST_SECONDS || share >= 1) return null;
    return (seconds * (1 - share)) / gone;
  };
}
