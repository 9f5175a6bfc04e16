// import type {} from '@epochscope/ui/react': the elements in JSX of React 19, with their properties and events.
import type { DetailedHTMLProps, HTMLAttributes } from 'react';
import type { Listeners, Properties, Tag } from './properties.js';

type Elements = {
  [Name in Tag]: Omit<
    DetailedHTMLProps<HTMLAttributes<HTMLElementTagNameMap[Name]>, HTMLElementTagNameMap[Name]>,
    keyof Properties<HTMLElementTagNameMap[Name]>
  > &
    Properties<HTMLElementTagNameMap[Name]> &
    Listeners;
};

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements extends Elements {}
  }
}
