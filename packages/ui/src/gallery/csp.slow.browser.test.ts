import '../register.js';
import { afterAll, describe, expect, it } from 'vitest';
import { galleries } from './list.js';
import { below, frames } from './page.js';

// Every case of the gallery on a page that allows styles of its own origin only: no element writes a style attribute or a style element.

const broken: string[] = [];
document.addEventListener('securitypolicyviolation', (event) => {
  broken.push(`${event.violatedDirective} ${event.sample} ${event.sourceFile}:${event.lineNumber}`);
});
const policy = Object.assign(document.createElement('meta'), {
  httpEquiv: 'Content-Security-Policy',
  content: "style-src 'self'",
});
document.head.append(policy);
afterAll(() => policy.remove());

describe("style-src 'self'", () => {
  it('is at work here: a style attribute is refused', async () => {
    const box = document.createElement('div');
    box.setAttribute('style', 'color: red');
    document.body.append(box);
    await frames(2);
    expect(broken.length).toBe(1);
    expect(getComputedStyle(box).color).not.toBe('rgb(255, 0, 0)');
    box.remove();
    broken.length = 0;
  });

  it.each(Object.keys(galleries))('%s draws without a violation', async (folder) => {
    for (const one of galleries[folder]!) {
      const element = document.createElement(one.tag) as HTMLElement & { updateComplete?: Promise<unknown> };
      Object.assign(element, one.properties());
      document.body.append(element);
      await element.updateComplete;
      await frames(2);
      const inside = [element, ...(element.shadowRoot ? below(element.shadowRoot) : [])];
      // Menus and what stands beside the pointer too.
      for (const part of inside)
        if (part instanceof HTMLDetailsElement) part.open = true;
        else if (part.matches('[part~=plot]'))
          part.dispatchEvent(new PointerEvent('pointermove', { clientX: 60, clientY: 60, bubbles: true }));
      await frames(2);
      element.remove();
    }
    expect(broken).toEqual([]);
  });
});
