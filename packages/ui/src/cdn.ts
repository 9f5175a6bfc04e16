// One script with everything inside: registers all elements and exports what the package exports.
import './register.js';

export { decodeInline, encodeInline } from '@epochscope/analysis/results';
export * from './index.js';
