// Importing this lets the tendency view analyse points itself: the engine is loaded when it first does.
import { EsTendencyView } from './views/tendency/index.js';

EsTendencyView.compute = async (...given) => (await import('./compute.js')).tendencyOfPoints(...given);

export { EsTendencyView };
