// What tests of the gallery ask of a page.

/** Waits for the page to be drawn `count` times. */
export async function frames(count = 4): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => requestAnimationFrame(resolve));
}

/** All elements below, those in shadow roots too. */
export function below(root: Element | ShadowRoot): Element[] {
  return [...root.children].flatMap((child) => [
    child,
    ...(child.shadowRoot ? below(child.shadowRoot) : []),
    ...below(child),
  ]);
}
