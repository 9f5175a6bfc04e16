import { NO_CLASS } from '../tendency/types.js';
import type { PathResult } from './types.js';

const figure = (value: number) => Number(value.toPrecision(3)).toString();

/**
 * "samples 12 (5) and 80 (8) hang together by 14 links, the longest 0.61 between 33 (5) and 41 (8); without 33 (5) it is 0.74, without 41 (8) too 0.9".
 * It says how two samples come to lie in one group, not which of them is labelled wrong.
 */
export function pathSentence({ path, from, to, bridges, noMore, samples }: PathResult): string {
  const { labels, classes, names } = samples;
  const named = (i: number) => {
    const label = labels?.[i];
    const shown = names?.[i] ?? String(i);
    return label === undefined || label === NO_CLASS ? shown : `${shown} (${classes?.[label] ?? label})`;
  };
  if (path.weakest === null) return `${named(from)} is one sample`;
  const [u, v] = [path.samples[path.weakest]!, path.samples[path.weakest + 1]!];
  const links = path.links.length;
  const without = bridges.map(
    ({ sample, bottleneck }, i) => `without ${named(sample)}${i ? ' too' : ' it is'} ${figure(bottleneck)}`,
  );
  return [
    links === 1
      ? `samples ${named(from)} and ${named(to)} are joined directly, at ${figure(path.bottleneck)}`
      : `samples ${named(from)} and ${named(to)} hang together by ${links} links, the longest ${figure(path.bottleneck)} between ${named(u)} and ${named(v)}`,
    ...(without.length ? [without.join(', ')] : []),
    ...(noMore && !(links === 1 && !bridges.length) ? [noMore] : []),
  ].join('; ');
}
