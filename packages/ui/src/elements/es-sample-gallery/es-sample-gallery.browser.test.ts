import '../../register.js';
import { afterEach, expect, it } from 'vitest';
import { userEvent } from 'vitest/browser';
import { tendencyResult } from '../../gallery/tendency.js';

afterEach(() => {
  document.body.textContent = '';
});

it('is one tab stop; arrows, Home and End move, Enter chooses, each sample is read out', async () => {
  const gallery = document.createElement('es-sample-gallery');
  gallery.data = tendencyResult().samples;
  gallery.samples = [13, 7, 25, 4];
  gallery.selection = { sample: 25 };
  document.body.append(gallery);
  await gallery.updateComplete;
  const buttons = [...gallery.shadowRoot!.querySelectorAll<HTMLButtonElement>('button[part=item]')];
  const pressed = () => buttons.map((button) => button.getAttribute('aria-pressed') === 'true');
  expect(buttons.filter(({ tabIndex }) => tabIndex === 0).length).toBe(1);
  expect(pressed()).toEqual([false, false, true, false]);
  const chosen: object[] = [];
  gallery.addEventListener('es-select', (event) => chosen.push((event as CustomEvent).detail));
  await userEvent.keyboard('{Tab}');
  const label = () => gallery.shadowRoot!.activeElement?.getAttribute('aria-label');
  expect(label()).toBe('sample 13, class 3');
  for (const [key, to] of [
    ['{ArrowRight}', 'sample 7, class 7'],
    ['{End}', 'sample 4, class 4'],
    ['{ArrowRight}', 'sample 4, class 4'],
    ['{ArrowLeft}', 'sample 25, class 5'],
    ['{Home}', 'sample 13, class 3'],
  ] as const) {
    await userEvent.keyboard(key);
    expect(label(), key).toBe(to);
    await gallery.updateComplete;
    expect(gallery.shadowRoot!.querySelector('[role=status]')!.textContent!.trim()).toBe(to);
  }
  await userEvent.keyboard('{Enter}');
  buttons[3]!.click();
  expect(chosen).toEqual([{ sample: 13 }, { sample: 4 }]);
  gallery.selection = { sample: 4 };
  await gallery.updateComplete;
  expect(pressed()).toEqual([false, false, false, true]);
});
