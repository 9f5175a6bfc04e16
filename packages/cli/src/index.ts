// The analysis API under the name people install: `import { openRun, tendency } from 'epochscope'`. The command itself,
// as a function: 'epochscope/cli'.
export * from '@epochscope/analysis';
