// A run on any web server: cluster tendency, modules and geometry of it, computed here and written to a folder.
//   node run-over-http.mjs https://example.org/my-run/ results
import {
  createEngine,
  geometryOfRun,
  modulesOfRun,
  openRun,
  tendencyOfRun,
  writeResult,
} from '@epochscope/analysis';

const [address, folder] = process.argv.slice(2);
const run = await openRun(address);
const how = { engine: createEngine(), onWarning: console.warn };
const tendency = await tendencyOfRun(run, { snapshots: ['last'] }, how);
const modules = await modulesOfRun(run, { snapshots: ['last'], samplesOf: 'run' }, how);
const geometry = await geometryOfRun(run, { snapshots: ['last'], inputs: 2, k: 5 }, how);
for (const result of [tendency, modules, geometry]) await writeResult(folder, result.method, result);
for (const { layer, blocks } of tendency.panels) console.log(`${layer}: ${blocks.count} blocks`);
console.log(`${modules.snapshots[0].clusters.length} modules of ${modules.units.total} units`);
console.log(`${geometry.spectra.length} spectra`);
await how.engine.close();
