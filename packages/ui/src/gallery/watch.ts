import { RESULT_FORMAT, type WatchResult } from '@epochscope/analysis/results';

// Fixtures of `watch`: a run whose units die at the third epoch, and whose loss is not recorded before training.

const IDS = ['init', 'epoch-0001', 'epoch-0002', 'epoch-0003', 'epoch-0004'];

export function watchResult(): WatchResult {
  const rule = { layer: 'R3', by: 0, times: 1 };
  return {
    format: RESULT_FORMAT,
    method: 'watch',
    name: 'default',
    tool: { name: 'epochscope', version: '0' },
    input: { source: 'fixture', files: {} },
    parameters: {},
    seeds: { analysis: 1 },
    seconds: 0,
    samples: { count: 1000 },
    snapshots: IDS.map((id) => ({ id, epoch: Number(id.slice(6)) || 0, step: null })),
    rules: [
      {
        ...rule,
        text: 'dead units of R3 over 0.5',
        figure: 'dead units of R3',
        change: 'over',
        by: 0.5,
        values: [0, 0.05, 0.2, 0.7, 0.9].map((value) => ({ value })),
        holds: [3, 4],
      },
      {
        ...rule,
        text: 'testLoss rose',
        figure: 'testLoss',
        layer: null,
        change: 'rose',
        values: [
          { value: null, reason: 'not recorded' },
          { value: 0.9 },
          { value: 0.5 },
          { value: 0.4 },
          { value: 0.38 },
        ],
        holds: [],
      },
    ],
    alarms: [
      {
        rule: 'dead units of R3 over 0.5',
        snapshot: 'epoch-0003',
        text: 'at epoch-0003 dead units of R3 is 0.7, over 0.5',
      },
    ],
  };
}
