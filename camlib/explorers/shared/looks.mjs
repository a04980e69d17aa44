// Looks that explorers share: colours and type of the page around them, stage, colour bar, controls.

const SHARED = `
.camlib-explorer {
  --cx-ink: var(--pst-color-text-base, var(--jp-ui-font-color0, var(--vscode-foreground, CanvasText)));
  --cx-muted: var(--pst-color-text-muted, color-mix(in srgb, var(--cx-ink) 65%, var(--cx-card)));
  --cx-line: var(--pst-color-border, var(--jp-border-color2, var(--vscode-widget-border, color-mix(in srgb, currentColor 25%, transparent))));
  --cx-card: var(--pst-color-background, var(--jp-layout-color0, var(--vscode-editor-background, Canvas)));
  --cx-wash: var(--cam-raised, color-mix(in srgb, var(--cx-ink) 6%, var(--cx-card)));
  --cx-accent: var(--cam-focus, var(--pst-color-link, var(--jp-brand-color1, var(--vscode-focusBorder, LinkText))));
  container-type: inline-size;
  margin: 1.25rem 0;
  color: var(--cx-ink);
  font-family: var(--cam-font-label, var(--jp-ui-font-family, inherit));
  font-size: 0.9375rem;
  line-height: 1.4;
}
.camlib-explorer [hidden] { display: none !important; }
.camlib-explorer .cx-app, .camlib-explorer .cx-app * { box-sizing: border-box; }
.camlib-explorer .cx-app {
  display: grid; gap: 1rem; max-width: 60rem; padding: 0.875rem; text-align: left;
  background: var(--cx-card); border: 1px solid var(--cx-line); border-radius: 0.75rem;
  font-variant-numeric: tabular-nums;
}
.camlib-explorer .cx-column { display: flex; flex-direction: column; gap: 0.75rem; min-width: 0; }
.camlib-explorer .cx-app p { margin: 0; }
.camlib-explorer .cx-app :focus-visible { outline: 3px solid var(--cx-accent); outline-offset: 2px; }
.camlib-explorer .cx-live { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.camlib-explorer .cx-title { display: flex; flex-wrap: wrap; gap: 0 0.625rem; align-items: baseline; min-height: 1.75rem; }
.camlib-explorer .cx-title strong { font-size: 1.25rem; line-height: 1.4; }
.camlib-explorer .cx-title span { color: var(--cx-muted); }

.camlib-explorer .cx-stage { position: relative; width: 100%; max-width: var(--width); border-radius: 0.5rem; }
.camlib-explorer .cx-photo { display: block; width: 100%; height: auto; margin: 0; border-radius: inherit; }
/* The theme's rules for pictures in the dark are more specific than anything in here. */
.camlib-explorer .cx-grey img { filter: grayscale(1) !important; }
.camlib-explorer .cx-heat { position: absolute; inset: 0; width: 100%; height: 100%; border-radius: inherit; }
.camlib-explorer .cx-grid {
  position: absolute; inset: 0; display: flex; flex-direction: column; touch-action: pan-y; cursor: crosshair;
}
.camlib-explorer .cx-grid::before {
  content: ""; position: absolute; inset: 0; pointer-events: none; opacity: 0; transition: opacity 0.2s;
  background-image:
    linear-gradient(to right, rgb(255 255 255 / 0.45) 1px, transparent 1px),
    linear-gradient(to bottom, rgb(255 255 255 / 0.45) 1px, transparent 1px);
  background-size: calc(100% / var(--columns)) 100%, 100% calc(100% / var(--rows));
}
.camlib-explorer .cx-grid:hover::before, .camlib-explorer .cx-grid:focus-within::before { opacity: 1; }
.camlib-explorer .cx-row { display: flex; flex: 1; min-height: 0; }
.camlib-explorer .cx-cell { flex: 1; min-width: 0; border-radius: 3px; }
.camlib-explorer .cx-app .cx-cell:focus-visible { outline: 3px solid #fff; outline-offset: 1px; box-shadow: 0 0 0 6px #16181d; z-index: 1; }
.camlib-explorer .cx-pad { position: absolute; inset: 0; touch-action: pan-y; cursor: crosshair; }
.camlib-explorer .cx-mark {
  position: absolute; border-radius: 3px; pointer-events: none;
  outline: 2px solid #fff; box-shadow: 0 0 0 4px rgb(15 18 25 / 0.75);
}

.camlib-explorer .cx-bar { max-width: 448px; }
.camlib-explorer .cx-ramp { position: relative; height: 0.625rem; background: #c4c4c4; border-radius: 0.3125rem; }
.camlib-explorer .cx-ramp canvas { display: block; width: 100%; height: 100%; border-radius: 0.3125rem; }
.camlib-explorer .cx-needle {
  position: absolute; top: -0.1875rem; bottom: -0.1875rem; width: 4px; margin-left: -2px;
  background: var(--cx-ink); border-radius: 2px; outline: 2px solid var(--cx-card);
}
.camlib-explorer .cx-ticks { display: grid; grid-template-columns: 1fr auto 1fr; padding-top: 0.25rem; color: var(--cx-muted); font-size: 0.8125rem; }
.camlib-explorer .cx-ticks span:last-child { text-align: right; }

.camlib-explorer .cx-settings { display: grid; gap: 0.625rem; padding-top: 0.75rem; border-top: 1px solid var(--cx-line); font-size: 0.875rem; }
.camlib-explorer .cx-slider { display: grid; grid-template-columns: 4rem 1fr 3rem; gap: 0.5rem; align-items: center; }
.camlib-explorer .cx-slider label { margin: 0; }
.camlib-explorer .cx-slider input { width: 100%; margin: 0; accent-color: var(--cx-accent); }
.camlib-explorer .cx-slider output { text-align: right; color: var(--cx-muted); }
.camlib-explorer .cx-choice { display: grid; grid-template-columns: 4rem 1fr; gap: 0.5rem; align-items: center; min-width: 0; margin: 0; padding: 0; border: 0; }
.camlib-explorer .cx-choice legend { float: left; width: auto; margin: 0; padding: 0; font: inherit; }
.camlib-explorer .cx-choice div { display: flex; padding: 0.125rem; background: var(--cx-wash); border-radius: 0.5rem; }
.camlib-explorer .cx-choice label { position: relative; flex: 1; margin: 0; cursor: pointer; }
.camlib-explorer .cx-choice input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
.camlib-explorer .cx-choice span { display: block; padding: 0.3125rem 0.5rem; border-radius: 0.375rem; text-align: center; white-space: nowrap; }
.camlib-explorer .cx-choice input:checked + span { background: var(--cx-card); box-shadow: 0 0 0 1px var(--cx-line); font-weight: 600; }
.camlib-explorer .cx-choice input:focus-visible + span { outline: 3px solid var(--cx-accent); outline-offset: 1px; }

.camlib-explorer .cx-sum { padding: 0.625rem; background: var(--cx-wash); border-radius: 0.5rem; }
.camlib-explorer .cx-terms { display: flex; gap: 0.5rem; align-items: baseline; justify-content: space-between; }
.camlib-explorer .cx-term { display: flex; flex-direction: column; }
.camlib-explorer .cx-term strong { font-size: 1.25rem; line-height: 1.3; font-weight: 600; }
.camlib-explorer .cx-term small { font-size: 0.8125rem; color: var(--cx-muted); }
.camlib-explorer .cx-held { grid-column: 1 / -1; font-size: 0.8125rem; color: var(--cx-muted); }
.camlib-explorer .cx-sign { font-size: 1.125rem; color: var(--cx-muted); }
.camlib-explorer .cx-words { font-size: 0.8125rem; white-space: pre-line; }
.camlib-explorer .cx-heading { font-weight: 600; }
.camlib-explorer .cx-heading span { font-weight: 400; color: var(--cx-muted); white-space: nowrap; }

/* On a phone the picture stays in sight while what changes it is touched, below a page's own header. A column
   gives up its box: a picture stays within its parent, and that has to be the whole explorer. */
@container (max-width: 33.99rem) {
  .camlib-explorer .cx-app { display: flex; flex-direction: column; }
  .camlib-explorer .cx-app > :is(.cx-column, .cx-part) { display: contents; }
  .camlib-explorer .cx-app .cx-sticky { position: sticky; top: var(--cam-header, 0px); z-index: 2; background: var(--cx-card); }
  /* What the keyboard reaches must not lie below it. */
  .camlib-explorer .cx-app :is(input, button) { scroll-margin-top: calc(var(--cam-header, 0px) + 24rem); }
}

@media (prefers-reduced-motion: reduce) { .camlib-explorer .cx-grid::before { transition: none; } }
@media print { .camlib-explorer .cx-settings { display: none; } }
`;

const worn = new Set();

/** Give the page some rules once. A constructed sheet also passes a policy that forbids inline ones. */
export function wear(rules) {
  if (worn.has(rules)) return;
  worn.add(rules);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(rules);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}

/** Dress the explorers of one name; those of another on the same page do not see these rules. */
export function dress(style, name) {
  wear(SHARED);
  wear(`[data-camlib-explorer="${name}"] { ${style} }`);
}
