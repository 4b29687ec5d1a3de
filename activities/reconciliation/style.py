"""How the page of a certificate looks: on a screen, light and dark, and on A4."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c2733; --paper: #fff; --quiet: #5a6774; --line: #d9e0e7;
  --band: #f4f7fa; --good: #17683f; --warn: #8a5a00; --bad: #a8262e;
  --age-0: #c3d7ef; --age-1: #8fb4dd; --age-2: #5689c0; --age-3: #2d5f97; --age-4: #143a66 }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e8edf2; --paper: #12181f; --quiet: #a3b0bd; --line: #2c3946; --band: #1a232c;
    --good: #6fd29d; --warn: #f0c063; --bad: #ff8f93;
    --age-0: #24405e; --age-1: #34618f; --age-2: #4f87bf; --age-3: #86b3e0; --age-4: #c9e0f8 }
}
* { box-sizing: border-box }
body { margin: 0; font: 15px/1.5 system-ui, "Segoe UI", "Liberation Sans", sans-serif;
  color: var(--ink); background: var(--paper) }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem }
.kicker { margin: 0; color: var(--quiet); font-size: .8rem; letter-spacing: .08em;
  text-transform: uppercase }
h1 { margin: .1rem 0 0; font-size: 2rem; line-height: 1.2 }
.date { margin: .25rem 0 1.25rem; color: var(--quiet) }
h2 { margin: 2.25rem 0 .75rem; font-size: 1.15rem }
h3 { margin: 1.5rem 0 .5rem; font-size: .95rem }
.status { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline;
  padding: .8rem 1rem; border: 1px solid; border-left-width: .4rem; border-radius: .4rem }
.status strong { font-size: 1.1rem }
.status span { color: var(--ink) }
.balanced { color: var(--good) } .breaks, .incomplete { color: var(--warn) }
.proof_failed { color: var(--bad) }
.wide { overflow-x: auto }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .6rem; text-align: left; vertical-align: baseline;
  border-bottom: 1px solid var(--line) }
th { font-size: .78rem; font-weight: 600; color: var(--quiet); white-space: nowrap }
.figure { text-align: right; white-space: nowrap }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr));
  gap: 1.25rem 2rem; align-items: start }
caption { padding: .3rem .6rem; text-align: left; background: var(--band) }
.bridge td { border-bottom: 0; padding-block: .15rem }
.bridge .residual td { border-top: 1px solid var(--ink); border-bottom: 3px double var(--ink);
  font-weight: 600 }
.residual td:last-child { color: var(--good) }
.residual.fails td, .fails { color: var(--bad) }
.holds { color: var(--good) }
code { font: .85em/1.4 ui-monospace, "Liberation Mono", monospace; overflow-wrap: anywhere }
.chart { display: block; width: 100%; max-width: 46rem; height: auto; margin: .5rem 0 1rem }
.chart text { font-size: 12px; fill: var(--ink) }
.chart .label { text-anchor: end }
.chart .legend text { font-size: 11px; fill: var(--quiet) }
.chart .figure { font-variant-numeric: tabular-nums; fill: var(--quiet) }
.age-0 { fill: var(--age-0) } .age-1 { fill: var(--age-1) } .age-2 { fill: var(--age-2) }
.age-3 { fill: var(--age-3) } .age-4 { fill: var(--age-4) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.25rem; margin: 0;
  font-size: .85rem }
dt { color: var(--quiet) }
dd { margin: 0; font-family: ui-monospace, "Liberation Mono", monospace; font-size: .8rem;
  overflow-wrap: anywhere }
@media (max-width: 40rem) {
  .columns { grid-template-columns: 1fr } dl { grid-template-columns: 1fr; gap: 0 }
  dd { margin-bottom: .5rem }
}
@page { size: A4; margin: 15mm 14mm }
@media print {
  body { font-size: 9.5pt } main { max-width: none; padding: 0 }
  h1 { font-size: 18pt } h2 { margin-top: 1.4rem; break-after: avoid } h3 { break-after: avoid }
  tr, svg, .status, dl { break-inside: avoid } .bridge { break-inside: avoid }
  .wide { overflow: visible } th, td { padding: .2rem .4rem }
  .columns { grid-template-columns: 1fr 1fr; gap: .8rem 1.2rem }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact }
}
"""
