// import type {} from '@epochscope/ui/svelte': the elements in templates of Svelte 5, with their properties and events.
import type { HTMLAttributes } from 'svelte/elements';
import type { Listeners, Properties, Tag } from './properties.js';

type Elements = {
  [Name in Tag]: Omit<
    HTMLAttributes<HTMLElementTagNameMap[Name]>,
    keyof Properties<HTMLElementTagNameMap[Name]>
  > &
    Properties<HTMLElementTagNameMap[Name]> &
    Listeners;
};

declare module 'svelte/elements' {
  interface SvelteHTMLElements extends Elements {}
}
