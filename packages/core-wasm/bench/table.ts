import type { CaseResult, Timing } from './measure.js';

/** "12.3 ms", "4.56 s". */
export function seconds(value: number): string {
  if (value >= 1) return `${value.toPrecision(3)} s`;
  if (value >= 1e-3) return `${(value * 1e3).toPrecision(3)} ms`;
  return `${(value * 1e6).toPrecision(3)} µs`;
}

function rate(result: CaseResult, timing: Timing): string {
  if (timing.median === null) return '';
  if (result.flops) return `${(result.flops / timing.median / 1e9).toPrecision(3)} GFLOP/s`;
  if (result.elements) return `${((timing.median / result.elements) * 1e9).toPrecision(3)} ns/element`;
  return '';
}

function ratio(result: CaseResult, timing: Timing): string {
  const ours = result.timings[0]?.median;
  if (!ours || timing.median === null || timing === result.timings[0]) return '';
  return `${(timing.median / ours).toPrecision(3)}×`;
}

const memory = (bytes: number | undefined) =>
  bytes === undefined ? '' : `${(bytes / 1e6).toPrecision(3)} MB`;

/** The lines of one case for the terminal. */
export function row(result: CaseResult): string[] {
  return [
    `${result.work}, ${result.data}${result.bytes ? `, ${memory(result.bytes)}` : ''}`,
    ...result.timings.map((t) =>
      t.median === null
        ? `  ${t.name.padEnd(42)} –  (${t.error})`
        : `  ${t.name.padEnd(42)} ${seconds(t.median).padStart(9)}  ${rate(result, t).padStart(16)}  ${ratio(result, t).padStart(7)}`,
    ),
  ];
}

interface Report {
  date: string;
  machine: {
    cpu: string;
    cores: number;
    /** Load average over a minute before the first case: over 1 the figures are too slow, and those of threads most. */
    load: number;
    memory: number;
    platform: string;
    node: string;
    v8: string;
    versions: Record<string, string>;
  };
  results: CaseResult[];
}

/** docs/benchmarks.md. */
export function markdown({ date, machine, results }: Report): string {
  const lines = [
    '# Benchmarks',
    '',
    'Written by `npm run bench -- --write` (add `--peers python` for SciPy, scikit-learn and fastcluster where python3 has',
    'them). Every contender of a case ran in turn on the same data in the same process; the figure is the median, the last',
    "column how many times our kernel's time it took. Absolute times move with the machine; ratios travel better.",
    '',
    `${date} · ${machine.cpu} · ${machine.cores} cores (load average ${machine.load.toFixed(1)} at the start) · ${(machine.memory / 2 ** 30).toFixed(0)} GiB · ${machine.platform} · Node ${machine.node} (V8 ${machine.v8})`,
    '',
    Object.entries(machine.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(' · '),
    '',
  ];
  for (const kernel of new Set(results.map((result) => result.kernel))) {
    lines.push(
      `## ${kernel}`,
      '',
      '| work | data | memory | by | median | rate | times ours |',
      '| --- | --- | --- | --- | ---: | ---: | ---: |',
    );
    for (const result of results.filter((r) => r.kernel === kernel)) {
      result.timings.forEach((t, i) => {
        const time = t.median === null ? `– (${t.error})` : seconds(t.median);
        lines.push(
          `| ${i ? '' : result.work} | ${i ? '' : result.data} | ${i ? '' : memory(result.bytes)} | ${t.name} | ${time} | ${rate(result, t)} | ${ratio(result, t)} |`,
        );
      });
    }
    lines.push('');
  }
  return lines.join('\n');
}
