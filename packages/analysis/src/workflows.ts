// A method on a run in parts, for drivers of their own: plan → parts as plain JSON, compute one, join.
export * from './workflows/index.js';
