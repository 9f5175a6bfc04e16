import type { TimelineSnapshot } from '../elements/es-timeline/index.js';
import { snapshotTitle } from '../styles.js';
import type { Side } from './es-result-panel.js';
import type { Loader } from './loader.js';
import { counterpart } from './shown.js';
import { type ResultName, resultId } from './source.js';
import type { AppState } from './state.js';

/** What a result's panel shows side by side: the run itself, and what the state compares it with. */
export function sidesOf(
  run: string,
  result: ResultName,
  { selection, versus }: AppState,
  snapshots: readonly TimelineSnapshot[],
  { entries, other }: Pick<Loader, 'entries' | 'other'>,
): Side[] {
  const titleOf = (id: string | null | undefined) => {
    const found = snapshots.find((snapshot) => snapshot.id === id);
    return found ? snapshotTitle(found) : (id ?? '');
  };
  const own: Side = { title: titleOf(selection.snapshot), run, result, selection };
  if (!versus) return [own];
  if (versus.kind === 'snapshot')
    return [
      own,
      { ...own, title: titleOf(versus.value), selection: { ...selection, snapshot: versus.value } },
    ];
  const entry = (key: string) => entries.find((one) => one.key === key)?.title ?? key;
  const same =
    other && 'key' in other
      ? (other.results.find((one) => resultId(one) === resultId(result)) ?? null)
      : null;
  const theirs = other && 'key' in other ? counterpart(other.manifest, snapshots, selection.snapshot) : null;
  return [
    { ...own, title: entry(run) },
    {
      title: other && 'problem' in other ? `${entry(versus.value)} (${other.problem})` : entry(versus.value),
      run: versus.value,
      result: same,
      selection: theirs ? { ...selection, snapshot: theirs } : selection,
    },
  ];
}
