import type { Figure, ModuleSnapshot, ModulesResult } from '@epochscope/analysis';
import type { Claim } from './claims.js';

/** The paper's ranges of single units' correlations, for epochs 1, 10, 20, 30 (§5). */
const PAPER_INPUT = [-0.71, 0.99] as const;
const PAPER_OUTPUT = [-0.59, 0.6] as const;
/** How near a bound must be. */
const NEAR = 0.1;

const text = ({ value }: Figure, digits = 2) => value?.toFixed(digits) ?? '–';
const rangeText = (snapshots: readonly ModuleSnapshot[], which: 'unitInputRange' | 'unitOutputRange') =>
  snapshots.map((s) => `[${text(s[which].low)}, ${text(s[which].high)}]`).join(', ');

function rangeClaim(
  snapshots: readonly ModuleSnapshot[],
  which: 'unitInputRange' | 'unitOutputRange',
  paper: readonly [number, number],
): Pick<Claim, 'measured' | 'figures' | 'holds' | 'rule'> {
  const bounds = snapshots.flatMap((s) => [
    [s[which].low.value, paper[0]] as const,
    [s[which].high.value, paper[1]] as const,
  ]);
  const figures: Claim['figures'] = {};
  for (const s of snapshots) {
    figures[`${s.snapshot.id} low`] = s[which].low.value;
    figures[`${s.snapshot.id} high`] = s[which].high.value;
  }
  return {
    measured: rangeText(snapshots, which),
    figures,
    holds: bounds.some(([got]) => got === null)
      ? null
      : bounds.every(([got, wanted]) => Math.abs(got! - wanted) <= NEAR),
    rule: `every bound within ${NEAR} of the paper's`,
  };
}

/** The paper's claims with what was measured; rules were fixed before the run. */
export function watanabeClaims(result: ModulesResult): Claim[] {
  const { snapshots, transitions } = result;
  const names = transitions.map(({ from, to }) => `${from} → ${to}`);
  const concentration = transitions.map((t) => t.concentration.value);
  const split = transitions.map((t) => t.splitRows.value);
  const early = concentration.slice(0, -1);
  const last = snapshots.at(-1)!;
  const figures = (list: readonly (number | null)[], what: string): Claim['figures'] =>
    Object.fromEntries(list.map((value, k) => [`${what} ${names[k]}`, value]));
  const known = transitions.length > 1 && [...concentration, ...split].every((value) => value !== null);
  const coherence =
    last.clusters.reduce((sum, { coherence, size }) => sum + coherence * size, 0) / (last.kept.length || 1);
  const small = snapshots.map((s) => {
    const unit = Math.max(
      Math.abs(s.unitInputRange.low.value ?? 0),
      Math.abs(s.unitInputRange.high.value ?? 0),
    );
    const mean =
      s.clusters.reduce(
        (sum, { size, inputRange: r }) =>
          sum + size * Math.max(Math.abs(r.low.value ?? 0), Math.abs(r.high.value ?? 0)),
        0,
      ) / (s.kept.length || 1);
    return unit ? mean / unit : null;
  });
  return [
    {
      id: 'few-splits-early',
      claim:
        'Up to the third snapshot most units of a row cluster go to one column cluster; few rows are split evenly',
      where: '§4, figure 2',
      paper: null,
      measured: transitions
        .slice(0, -1)
        .map(
          (t, k) =>
            `${names[k]}: ${text(t.concentration)} of the units in their row's largest part, ${text(t.splitRows)} of rows split`,
        )
        .join('; '),
      figures: { ...figures(concentration, 'concentration'), ...figures(split, 'split rows') },
      holds: known
        ? early.every((value) => value! > 0.5) && split.slice(0, -1).every((value) => value! < 0.5)
        : null,
      rule: "over half of the units in their row's largest part, and under half of the rows of two or more units with no part of a half",
    },
    {
      id: 'more-splits-late',
      claim:
        'Between the last two snapshots comparatively many rows are split and joined into other clusters',
      where: '§4, figure 2',
      paper: null,
      measured: `concentration ${concentration.map((v) => v?.toFixed(3) ?? '–').join(', ')}; rows split ${split.map((v) => v?.toFixed(3) ?? '–').join(', ')}`,
      figures: { ...figures(concentration, 'concentration'), ...figures(split, 'split rows') },
      holds: known
        ? concentration.at(-1)! < Math.min(...(early as number[])) &&
          split.at(-1)! > Math.max(...(split.slice(0, -1) as number[]))
        : null,
      rule: 'the last transition has the lowest concentration and the largest share of split rows',
    },
    {
      id: 'unit-input-correlations',
      claim: 'Correlations of single units with input dimensions range over −0.71 … 0.99 at every snapshot',
      where: '§5',
      paper: '[-0.71, 0.99] four times',
      ...rangeClaim(snapshots, 'unitInputRange', PAPER_INPUT),
    },
    {
      id: 'unit-output-correlations',
      claim: 'Correlations of single units with output dimensions range over about −0.59 … 0.60',
      where: '§5',
      paper: '[-0.59, 0.60], [-0.60, 0.60], [-0.58, 0.61], [-0.58, 0.59]',
      ...rangeClaim(snapshots, 'unitOutputRange', PAPER_OUTPUT),
    },
    {
      id: 'clusters',
      claim: 'At the last snapshot there are some tens of clusters (number 25 is named)',
      where: '§4, figure 6',
      paper: '≥ 25 at epoch 30',
      measured: snapshots.map((s) => `${s.snapshot.id}: ${s.clusters.length}`).join(', '),
      figures: Object.fromEntries(snapshots.map((s) => [s.snapshot.id, s.clusters.length])),
      holds: last.clusters.length >= 25 && last.clusters.length <= 100,
      rule: '25 … 100 clusters at the last snapshot',
    },
    {
      id: 'cancelling',
      claim: 'Mean correlations of clusters are comparatively small next to those of single units',
      where: '§5',
      paper: null,
      measured: `largest mean input correlation over the largest of a unit: ${small.map((v) => v?.toFixed(2) ?? '–').join(', ')}; coherence at the last snapshot ${coherence.toFixed(2)}`,
      figures: {
        ...Object.fromEntries(snapshots.map((s, k) => [s.snapshot.id, small[k] ?? null])),
        coherence,
      },
      note: `the paper says that signs cancel: here the norm of a centroid is ${coherence.toFixed(2)} of the mean norm of its units, so ${coherence > 0.75 ? 'they hardly do; units of a cluster have their largest values at different places' : 'they do'}`,
      holds: small.some((v) => v === null) ? null : small.every((v) => v! < 0.75),
      rule: 'weighted by size, the largest mean input correlation of a cluster is under 0.75 of the largest of a unit',
    },
  ];
}

/** What else was measured: the sweep, and the other reading of the cut. */
export function watanabeRemarks(result: ModulesResult, branch: ModulesResult): string[] {
  const remarks = [
    "The paper's figure 1 (its net) is missing in the copy at hand: the net is ours.",
    `With each branch cut at its own coarsest cluster (\`--cut branch\`): ${branch.snapshots.map((s) => `${s.snapshot.id} ${s.clusters.length} clusters`).join(', ')}; concentration ${branch.transitions.map((t) => text(t.concentration, 3)).join(', ')}; rows split ${branch.transitions.map((t) => text(t.splitRows, 3)).join(', ')}.`,
    `Units removed for zero variance: ${result.snapshots.map((s) => `${s.snapshot.id} ${s.removed.reduce((sum, { units }) => sum + units.length, 0)} of ${result.units.total}`).join(', ')}.`,
  ];
  for (const { snapshot, sweep } of result.snapshots)
    if (sweep)
      remarks.push(
        `θ at ${snapshot.id}: ${sweep.steps.map((s) => `${s.theta} → ${s.clusters} clusters, silhouette ${text(s.silhouette)}, coherence ${text(s.coherence)}, stability ${text(s.stability)}`).join('; ')}. Proposed: ${text(sweep.proposal)} (${sweep.why}).`,
      );
  return remarks;
}
