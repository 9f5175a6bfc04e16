import type { Page } from './page.js';

/** What shortcuts act on beside the page. */
interface Host {
  print(): Promise<void>;
}

/** Text is typed, an option chosen or a slider moved there: keys belong to it. */
const TYPING = 'input, select, textarea, [contenteditable]';
const PRESSED = 'button, a, summary, [role=button], [data-mark]';

/** Space plays; ← → go through epochs, ↑ ↓ through layers; Esc lets go; Ctrl Z takes back; Ctrl P prints with everything loaded. */
export function shortcut(event: KeyboardEvent, page: Page | null, host: Host): void {
  if (!page || event.defaultPrevented) return;
  const [target] = event.composedPath();
  const element = target instanceof Element ? target : null;
  if (event.ctrlKey || event.metaKey) {
    if (event.key === 'p' && !event.shiftKey) {
      event.preventDefault();
      void host.print();
    } else if (
      event.key === 'z' &&
      !event.shiftKey &&
      !element?.matches('input[type=text], input[type=search], input[type=number], textarea') &&
      page.store.canUndo
    ) {
      event.preventDefault();
      page.store.undo();
    }
    return;
  }
  if (event.altKey || event.shiftKey) return;
  if (event.key === 'Escape') {
    if (page.followed) page.select({ sample: null, class: null, unit: null });
    return;
  }
  if (element?.matches(TYPING)) return;
  if (event.key === ' ') {
    if (element?.matches(PRESSED)) return;
    event.preventDefault();
    page.play(!page.playing);
    return;
  }
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  // Marks of a figure and menus move their own way.
  if (element?.matches('[data-mark], [role=menuitem], [role=tab]')) return;
  if (step !== undefined && page.snapshots.length > 1) {
    event.preventDefault();
    page.goTo(page.at + step);
    return;
  }
  const down = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  // On tabs that scroll, up and down scroll, but from within the strip.
  const moves = page.store.state.tab === 'story' || element?.matches('.strip .row');
  if (down === undefined || !moves || !page.layers.length) return;
  const now = page.layers.findIndex(({ name }) => name === page.layer);
  const next = page.layers[now + down];
  if (!next) return;
  event.preventDefault();
  page.select({ layer: next.name, unit: null });
  if (element?.matches('.strip .row')) (element.parentElement!.children[now + down] as HTMLElement).focus();
}
