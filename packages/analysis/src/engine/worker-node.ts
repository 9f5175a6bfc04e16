import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink/dist/esm/comlink.mjs';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { carryErrors } from './errors.js';
import { KernelWorker } from './worker-api.js';

carryErrors();
expose(new KernelWorker(), nodeEndpoint(parentPort!));
