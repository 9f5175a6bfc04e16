import { expose } from 'comlink/dist/esm/comlink.mjs';
import { carryErrors } from './errors.js';
import { KernelWorker } from './worker-api.js';

carryErrors();
expose(new KernelWorker());
