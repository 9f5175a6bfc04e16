import { random } from '@epochscope/analysis/methods';
import { RESULT_FORMAT, type SeriesCheckResult, type SeriesFinding } from '@epochscope/analysis/results';

/** What `info --check` finds in a seeded series of which some snapshots are copies, one belongs elsewhere and two are missing. */
export function seriesCheckResult(n: number, faults = true): SeriesCheckResult {
  const draw = random(3);
  const [copied, copy, foreign, gap] = [2, Math.floor(n * 0.4), Math.floor(n * 0.7), Math.floor(n / 2)];
  const snapshots = Array.from({ length: n }, (_, i) => {
    const epoch = i + 1 + (faults && i >= gap ? 2 : 0);
    return { id: `epoch-${String(epoch).padStart(4, '0')}`, epoch, step: null };
  });
  const excess = Array.from({ length: n }, (_, i) => {
    if (i === 0 || i === n - 1) return null;
    const sound = 1.05 + 0.4 * draw.uniform();
    if (!faults) return sound;
    return i === copy ? 5.2 : i === foreign ? 2.9 : sound;
  });
  const id = (i: number) => snapshots[i]!.id;
  const findings: SeriesFinding[] = [
    {
      grade: 'note',
      kind: 'copy',
      snapshots: [id(0), id(1)],
      text: `${id(1)} is a copy of ${id(0)}: every tensor looked at holds the same values`,
    },
    {
      grade: 'fault',
      kind: 'copy',
      snapshots: [id(copied), id(copy)],
      text: `${id(copy)} is a copy of ${id(copied)}: every tensor looked at holds the same values`,
    },
    {
      grade: 'fault',
      kind: 'out-of-line',
      snapshot: id(foreign),
      excess: 2.9,
      text: `${id(foreign)} is out of line (the way over it is 2.9 times the way past it, a sound one at most 2): swapped, misnamed, or of another training`,
    },
    {
      grade: 'note',
      kind: 'gap',
      of: 'epoch',
      numbers: [gap + 1, gap + 2],
      text: `epochs ${gap + 1}, ${gap + 2} missing from a series that counts evenly`,
    },
  ];
  return {
    format: RESULT_FORMAT,
    method: 'check',
    name: 'default',
    tool: { name: 'epochscope', version: '0' },
    input: { source: 'fixture', files: {} },
    parameters: {},
    seeds: { weights: 1 },
    seconds: 0,
    snapshots,
    findings: faults ? findings : [],
    excess,
    tensors: 8,
    frozen: 0,
    sampled: 1800,
  };
}
