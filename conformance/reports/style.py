"""How the page looks, in the light and in the dark."""

STYLE = """
:root {
  color-scheme: light dark;
  --back: #fbfbfc; --card: #fff; --line: #d9dce1; --soft: #f1f3f5; --text: #1d2126; --dim: #5d6670;
}
@media (prefers-color-scheme: dark) {
  :root { --back: #15181c; --card: #1c2026; --line: #343a42; --soft: #23282f; --text: #e4e7ea; --dim: #9aa4ae; }
}
body {
  background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif;
  margin: 0 auto; max-width: 66rem; padding: 1.5rem 1rem 4rem;
}
h1 { font-size: 1.5rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { border-bottom: 1px solid var(--line); font-size: 1.2rem; margin: 2.5rem 0 .3rem; padding-bottom: .3rem; }
h3 { color: var(--dim); font-size: .85rem; letter-spacing: .04em; margin: 1.2rem 0 .3rem; text-transform: uppercase; }
small, dt { color: var(--dim); font-weight: normal; }
code, pre, details details { background: none; border: 0; padding: 0 .7rem; }
.exchange { font: 12.5px/1.45 ui-monospace, "DejaVu Sans Mono", Menlo, monospace; }
code { color: var(--dim); }
.verdict { border-left: .35rem solid; border-radius: .3rem; font-size: 1.15rem; padding: .6rem .9rem; }
.good { background: #2b8a3e1f; border-color: #2b8a3e; } .bad { background: #e031311f; border-color: #e03131; }
dl { display: grid; gap: .1rem 1rem; grid-template-columns: max-content 1fr; }
dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .2rem .8rem .2rem 0; text-align: right; } tbody th { font-weight: normal; text-align: left; }
tbody tr { border-top: 1px solid var(--line); }
details {
  background: var(--card); border: 1px solid var(--line); border-radius: .4rem; margin: .35rem 0; padding: .45rem .7rem;
}
summary { cursor: pointer; overflow-wrap: anywhere; }
.message { font-weight: 600; margin: .4rem 0; overflow-wrap: anywhere; } summary .message { color: var(--dim); }
.outcome { border-radius: .25rem; color: #fff; font-size: .8rem; padding: .1rem .4rem; text-decoration: none; }
.passed { background: #2b8a3e; } .failed { background: #c92a2a; } .warned { background: #a65f00; }
.unsupported { background: #1864ab; } .skipped { background: #5c636a; }
.exchange {
  background: var(--soft); border-radius: .3rem; margin: .5rem 0; overflow-wrap: anywhere; padding: .5rem .7rem;
}
pre { margin: .1rem 0 .5rem 1.5rem; max-height: 24rem; overflow: auto; overflow-wrap: anywhere; white-space: pre-wrap; }
"""
