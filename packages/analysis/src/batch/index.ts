// Work that outgrows one machine: a command's parts as tasks of a cluster, each a process of its own, and their result.

export { keyOf } from '../workflows/keys.js';
export { type TaskSeconds, taskSeconds } from './estimate.js';
export { faultOfPart, writePart } from './parts.js';
export {
  arrayForm,
  BATCH_FORMAT,
  type BatchPlan,
  type BatchTask,
  type MissingTask,
  missingTasks,
  notWorthARetry,
  parseArray,
  readBatchPlan,
  wavesOf,
  writeBatchPlan,
} from './plan.js';
export { blocksOfOrder, projectiveCover } from './plane.js';
export {
  computePoints,
  mergeBytes,
  type PointsPlan,
  planPoints,
  pointsOfTask,
  taskBytes,
  tasksOfPoints,
  writePointsPart,
} from './points.js';
export { computeRunPart, joinRunParts, tasksOfRun } from './run.js';
export { joinPoints } from './tendency.js';
