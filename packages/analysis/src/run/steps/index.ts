// Snapshots at every step, as two files that are only appended to: a folder, two renames and three flushes per snapshot
// would cost more than the step itself. docs/formats/run.md describes them.

export { readStepLog } from './log.js';
export { readStepRecord, recordPlaces } from './record.js';
export { openStepWriter, type StepWriter } from './writer.js';
