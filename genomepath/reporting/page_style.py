"""The style of the report's page: light and dark by the reader's choice, wide tables scroll in their own box."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1c2321; --soft: #55605c; --rule: #d5dbd8; --band: #f4f7f5;
  --first: #0b6e4f; --second: #b3541e; --third: #4a5fb0; --notice: #fff6dc; --notice-rule: #c99a1a; }
@media (prefers-color-scheme: dark) { :root { --ground: #141917; --ink: #e6ebe8; --soft: #a3afaa; --rule: #37413d;
  --band: #1c2320; --first: #58c79b; --second: #f0a06b; --third: #9db0f5; --notice: #2e2814; --notice-rule: #c99a1a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.8rem; line-height: 1.2; } h2 { margin-top: 3rem; border-bottom: 1px solid var(--rule);
  padding-bottom: .3rem; font-size: 1.35rem; } h3 { margin-top: 2rem; font-size: 1.1rem; }
p, ul { max-width: 48rem; overflow-wrap: anywhere; } a { color: var(--first); }
nav ul { columns: 16rem; padding-left: 1.1rem; }
.notice { background: var(--notice); border-left: 4px solid var(--notice-rule); padding: .7rem 1rem; }
.table { overflow-x: auto; margin: 1rem 0; } .table:focus-visible { outline: 2px solid var(--first); }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: .3rem; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; }
td { min-width: 4rem; max-width: 26rem; } td:not(.short) { min-width: 13rem; }
th[scope=row] { font-weight: 500; min-width: 9rem; max-width: 22rem; }
thead th { background: var(--band); } tr.marked th[scope=row], tr.marked td { font-weight: 600; }
td.short { white-space: nowrap; }
figure { margin: 1.25rem 0; } figcaption { color: var(--soft); font-size: .9rem; max-width: 48rem; }
details { margin-top: .3rem; } summary { cursor: pointer; color: var(--first); font-size: .9rem; }
.drawing { overflow-x: auto; } .drawing:focus-visible { outline: 2px solid var(--first); }
svg { display: block; width: 100%; min-width: 20rem; max-width: 34rem; height: auto; }
svg.square { min-width: 18rem; max-width: 26rem; } svg text { fill: var(--ink); font: 12px system-ui, sans-serif;
  paint-order: stroke; stroke: var(--ground); stroke-width: 3px; }
svg .axis { stroke: var(--soft); } svg .grid { stroke: var(--rule); } svg .guide { stroke: var(--soft);
  stroke-dasharray: 4 4; } svg .series { fill: none; stroke-width: 2; } svg .s0 { stroke: var(--first); }
svg .s1 { stroke: var(--second); stroke-dasharray: 7 3; } svg .s2 { stroke: var(--third); stroke-dasharray: 2 3; }
svg .dot { stroke: var(--ground); stroke-width: 1; } svg .d0 { fill: var(--first); } svg .d1 { fill: var(--soft); }
svg .bar { stroke-width: 2; } svg .b0 { stroke: var(--first); } svg .b1 { stroke: var(--soft); }
@media print { details > * { display: block; } }
"""
