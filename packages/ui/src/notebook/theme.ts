// Notebooks say light or dark in ways of their own, and not by `color-scheme`.

/** Jupyter, VS Code, Colab; null where none of them says. */
function said(): 'light' | 'dark' | null {
  const { body, documentElement } = document;
  const { jpThemeLight } = body.dataset;
  if (jpThemeLight !== undefined) return jpThemeLight === 'false' ? 'dark' : 'light';
  if (body.classList.contains('vscode-dark') || body.classList.contains('vscode-high-contrast'))
    return 'dark';
  if (body.classList.contains('vscode-light')) return 'light';
  return documentElement.getAttribute('theme') === 'dark' ? 'dark' : null;
}

/** Calls `told` with the page's theme now and whenever it changes. */
export function onTheme(told: (scheme: 'light' | 'dark') => void): void {
  const tell = () => told(said() ?? 'light');
  tell();
  const watch = new MutationObserver(tell);
  for (const place of [document.body, document.documentElement])
    watch.observe(place, { attributes: true, attributeFilter: ['class', 'theme', 'data-jp-theme-light'] });
}
