import type { RunManifest } from '@epochscope/analysis';
import type { TimelineSnapshot } from '../elements/es-timeline/index.js';
import type { Selection } from '../selection.js';
import { snapshotTitle } from '../styles.js';
import type { Side } from './es-result-panel.js';
import type { Loader } from './loader.js';
import { counterpart } from './shown.js';
import { type ResultName, resultId } from './source.js';
import type { AppState } from './state.js';

/** What of a selection means the same in another run: a unit in the same layer of the same net, a sample of the same samples. */
function carried(selection: Selection, here: RunManifest | null, there: RunManifest | null): Selection {
  const layerIn = (manifest: RunManifest | null) =>
    manifest?.layers.find(({ name }) => name === selection.layer);
  const [own, other] = [layerIn(here), layerIn(there)];
  const sameNet =
    own && other && own.shape.join() === other.shape.join() && here?.model?.name === there?.model?.name;
  const sameSamples =
    !here?.samples ||
    !there?.samples ||
    (here.samples.count === there.samples.count && here.samples.source === there.samples.source);
  return {
    ...selection,
    ...(sameNet ? {} : { unit: null }),
    ...(sameSamples ? {} : { sample: null }),
  };
}

/** What a result's panel shows side by side: the run itself, and what the state compares it with. */
export function sidesOf(
  run: string,
  result: ResultName,
  { selection, versus }: AppState,
  snapshots: readonly TimelineSnapshot[],
  { entries, other, info }: Pick<Loader, 'entries' | 'other' | 'info'>,
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
      selection: {
        ...carried(
          selection,
          info?.manifest ?? null,
          (other && 'key' in other ? other.manifest : null) ?? null,
        ),
        ...(theirs ? { snapshot: theirs } : {}),
      },
    },
  ];
}
