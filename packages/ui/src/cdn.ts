// One script with everything inside: registers all elements and exports what the package exports.
import { setFontFolder } from './figure/index.js';
import './register.js';

const here = (document.currentScript as HTMLScriptElement | null)?.src;
if (here) setFontFolder(new URL('../fonts/', here).href);

export { decodeAny, encodeInline } from '@epochscope/analysis/results';
export * from './index.js';
