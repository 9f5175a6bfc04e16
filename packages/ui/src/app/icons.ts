import { html, type SVGTemplateResult, svg } from 'lit';

const icon = (content: SVGTemplateResult, size = 16) =>
  svg`<svg class="icon" width=${size} height=${size} viewBox="0 0 16 16" aria-hidden="true">${content}</svg>`;

export const logo = html`<svg class="logo" width="20" height="20" viewBox="0 0 20 20" aria-hidden="true"><rect class="ground" x="1" y="1" width="18" height="18" rx="2" /><rect x="1" y="1" width="7" height="7" rx="1" /><rect x="7.5" y="7.5" width="5" height="5" /><rect x="12" y="12" width="7" height="7" rx="1" /></svg>`;
export const playIcon = icon(svg`<path d="M5 3.2v9.6L13 8z" fill="currentColor" />`);
export const pauseIcon = icon(svg`<path d="M4.5 3h2.6v10H4.5zM8.9 3h2.6v10H8.9z" fill="currentColor" />`);
export const backIcon = icon(svg`<path d="M4 3.5h1.7v9H4zM12 3.5v9L6.4 8z" fill="currentColor" />`);
export const forwardIcon = icon(svg`<path d="M10.3 3.5H12v9h-1.7zM4 3.5v9L9.6 8z" fill="currentColor" />`);
export const folderIcon = icon(
  svg`<path d="M1.8 3.5h4.4l1.4 1.7h6.6v7.6H1.8z" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linejoin="round" />`,
);
export const themeIcon = icon(
  svg`<circle cx="8" cy="8" r="5.6" fill="none" stroke="currentColor" stroke-width="1.4" /><path d="M8 2.4a5.6 5.6 0 0 1 0 11.2z" fill="currentColor" />`,
);
export const moreIcon = icon(
  svg`<circle cx="3" cy="8" r="1.3" fill="currentColor" /><circle cx="8" cy="8" r="1.3" fill="currentColor" /><circle cx="13" cy="8" r="1.3" fill="currentColor" />`,
);
export const saveIcon = icon(
  svg`<path d="M8 2.5v7.5M4.8 7.2L8 10.4l3.200-3.200M2.5 13.2h11" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round" />`,
);
