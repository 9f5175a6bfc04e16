// Lit's directive modules from one place.
export { AsyncDirective } from 'lit/async-directive.js';
export { directive, type ElementPart, PartType } from 'lit/directive.js';
