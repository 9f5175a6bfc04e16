import type { Figure, ModuleSnapshot, ModulesResult } from '@epochscope/analysis';
import type { Claim } from './claims.js';

/** The paper's ranges of single units' correlations, for epochs 1, 10, 20, 30 (§5). */
const PAPER_INPUT = [-0.71, 0.99] as const;
const PAPER_OUTPUT = [-0.59, 0.6] as const;
/** How near a bound must be. */
const NEAR = 0.1;

const text = ({ value }: Figure, digits = 2) => value?.toFixed(digits) ?? '–';
/** Clusters of the units of some layers, by both readings of the cut. */
export interface GrownClusters {
  units: number;
  level: number;
  branch: number;
}

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
    measured: snapshots.map((s) => `[{${s.snapshot.id} low}, {${s.snapshot.id} high}]`).join(', '),
    figures,
    holds: bounds.some(([got]) => got === null)
      ? null
      : bounds.every(([got, wanted]) => Math.abs(got! - wanted) <= NEAR),
    rule: `every bound within ${NEAR} of the paper's`,
  };
}

/** The paper's claims with what was measured; rules were fixed before the run. */
export function watanabeClaims(result: ModulesResult, branch: ModulesResult): Claim[] {
  const { snapshots, transitions } = result;
  const names = transitions.map(({ from, to }) => `${from} → ${to}`);
  const concentration = transitions.map((t) => t.concentration.value);
  const split = transitions.map((t) => t.splitRows.value);
  const early = concentration.slice(0, -1);
  const last = snapshots.at(-1)!;
  const some = ({ clusters }: ModuleSnapshot) => clusters.length >= 25 && clusters.length <= 100;
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
          (_, k) =>
            `${names[k]}: {concentration ${names[k]}} of the units in their row's largest part, {split rows ${names[k]}} of rows split`,
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
      measured: `concentration ${names.map((name) => `{concentration ${name}:3}`).join(', ')}; rows split ${names.map((name) => `{split rows ${name}:3}`).join(', ')}`,
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
      measured: snapshots.map(({ snapshot: { id } }) => `${id}: {${id}:0}`).join(', '),
      figures: Object.fromEntries(snapshots.map((s) => [s.snapshot.id, s.clusters.length])),
      holds: some(last),
      rule: '25 … 100 clusters at the last snapshot, by level',
      note: 'by level the count grows with the number of units, so it says more of the net than of training',
    },
    {
      id: 'clusters-branch',
      claim: 'The same, each branch cut at its own coarsest cluster',
      where: '§4, figure 6',
      paper: '≥ 25 at epoch 30',
      measured: branch.snapshots.map(({ snapshot: { id } }) => `${id}: {${id}:0}`).join(', '),
      figures: Object.fromEntries(branch.snapshots.map((s) => [s.snapshot.id, s.clusters.length])),
      holds: some(branch.snapshots.at(-1)!),
      rule: '25 … 100 clusters at the last snapshot, by branch',
    },
    {
      id: 'cancelling',
      claim: 'Mean correlations of clusters are comparatively small next to those of single units',
      where: '§5',
      paper: null,
      measured: `largest mean input correlation over the largest of a unit: ${snapshots.map(({ snapshot: { id } }) => `{${id}}`).join(', ')}; coherence at the last snapshot {coherence}`,
      figures: {
        ...Object.fromEntries(snapshots.map((s, k) => [s.snapshot.id, small[k] ?? null])),
        coherence,
      },
      note: `the paper says that signs cancel: by the norm of a centroid over the mean norm of its units (coherence) ${coherence > 0.75 ? 'they hardly do; units of a cluster have their largest values at different places' : 'they do'}`,
      holds: small.some((v) => v === null) ? null : small.every((v) => v! < 0.75),
      rule: 'weighted by size, the largest mean input correlation of a cluster is under 0.75 of the largest of a unit',
    },
  ];
}

/** What else was measured: how clusters grow with units, the other reading of the cut, and the sweep. */
export function watanabeRemarks(
  result: ModulesResult,
  branch: ModulesResult,
  grown: readonly GrownClusters[],
): string[] {
  const remarks = [
    [
      'Clusters at the last snapshot, of the units of more and more layers:',
      '',
      '| units | by level | by branch |',
      '| --- | --- | --- |',
      ...grown.map(({ units, level, branch: own }) => `| ${units} | ${level} | ${own} |`),
    ].join('\n'),
    `With each branch cut at its own coarsest cluster (\`--cut branch\`): concentration ${branch.transitions.map((t) => text(t.concentration, 3)).join(', ')}; rows split ${branch.transitions.map((t) => text(t.splitRows, 3)).join(', ')}.`,
    `Units removed for zero variance: ${result.snapshots.map((s) => `${s.snapshot.id} ${s.removed.reduce((sum, { units }) => sum + units.length, 0)} of ${result.units.total}`).join(', ')}.`,
  ];
  for (const { snapshot, sweep } of result.snapshots)
    if (sweep)
      remarks.push(
        `θ at ${snapshot.id}: ${sweep.steps.map((s) => `${s.theta} → ${s.clusters} clusters, silhouette ${text(s.silhouette)}, coherence ${text(s.coherence)}, stability ${text(s.stability)}`).join('; ')}. Proposed: ${text(sweep.proposal)} (${sweep.why}).`,
      );
  return remarks;
}
