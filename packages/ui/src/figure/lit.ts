// Lit's directive modules from one place.
export { AsyncDirective } from 'lit/async-directive.js';
export { type DirectiveParameters, directive, type ElementPart, PartType } from 'lit/directive.js';
