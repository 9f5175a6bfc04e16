// A run on any web server: cluster tendency, modules and geometry of it, computed here.
//   node run-over-http.mjs https://example.org/my-run/
import { createEngine, geometryOfRun, modulesOfRun, openRun, tendencyOfRun } from '@epochscope/analysis';

const run = await openRun(process.argv[2]);
const engine = createEngine();
const how = { engine, onWarning: console.warn };
const tendency = await tendencyOfRun(run, { snapshots: ['last'] }, how);
const modules = await modulesOfRun(run, { snapshots: ['last'], samplesOf: 'run' }, how);
const geometry = await geometryOfRun(run, { snapshots: ['last'], inputs: 2, k: 5 }, how);
await engine.close();
for (const { layer, blocks } of tendency.panels) console.log(`${layer}: ${blocks.count} blocks`);
console.log(`${modules.snapshots[0].clusters.length} modules of ${modules.units.total} units`);
console.log(`${geometry.spectra.length} spectra`);
