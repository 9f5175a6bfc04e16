import type { LitElement } from 'lit';
import type { EpochscopeEvents } from '../dist/index.js';

/** Tags of this package. */
export type Tag = Extract<keyof HTMLElementTagNameMap, `es-${string}`>;

type Own<E> = Exclude<keyof E, keyof LitElement>;
/** The properties of an element, without its methods and what every element has. */
export type Properties<E> = {
  [Name in Own<E> as E[Name] extends (...args: never[]) => unknown ? never : Name]?: E[Name];
};

/** Listeners as React 19 and Svelte name them, `ones-select`, … */
export type Listeners = {
  [Name in keyof EpochscopeEvents as `on${Name}`]?: (event: EpochscopeEvents[Name]) => void;
};
/** … and as Vue's templates do: `@es-select`. */
export type VueListeners = {
  [Name in keyof EpochscopeEvents as `on${Capitalize<Name>}`]?: (event: EpochscopeEvents[Name]) => void;
};
