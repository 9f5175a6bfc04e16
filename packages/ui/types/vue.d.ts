// import type {} from '@epochscope/ui/vue': the elements in templates of Vue 3, with their properties and events.
import type { DefineComponent, HTMLAttributes } from 'vue';
import type { Properties, Tag, VueListeners } from './properties.js';

type Elements = {
  [Name in Tag]: DefineComponent<Properties<HTMLElementTagNameMap[Name]> & VueListeners & HTMLAttributes>;
};

declare module 'vue' {
  interface GlobalComponents extends Elements {}
}
