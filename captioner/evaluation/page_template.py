"""The page of an evaluation, before its numbers: one file, nothing from outside."""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
  :root { color-scheme: light; --ink: #1f2328; --soft: #656d76; --line: #d8dee4; --bar: #2f6fab; }
  * { box-sizing: border-box; }
  body { margin: 0 auto; max-width: 68rem; padding: 2rem 1.25rem 4rem; background: #fff;
         color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
  h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
  h2 { font-size: 1.1rem; margin: 2.5rem 0 .75rem; }
  h3 { font-size: .95rem; margin: 1.5rem 0 .5rem; }
  p, .soft { color: var(--soft); margin: 0; }
  table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
  th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
  th:first-child, td:first-child { text-align: left; }
  thead th { color: var(--soft); font-weight: 500; }
  tbody th { font-weight: 600; }
  td.bar { width: 40%; padding-right: 0; }
  svg { display: block; width: 100%; }
  .two { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 1.25rem; }
  .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem; }
  .card { border: 1px solid var(--line); border-radius: 6px; overflow: hidden; }
  .card img { display: block; width: 100%; height: auto; }
  .card .none { display: grid; aspect-ratio: 4 / 3; background: #eef1f4; place-items: center;
                color: var(--soft); font-size: .8rem; padding: 1rem; word-break: break-all; }
  .card div.text { padding: .6rem .75rem .75rem; }
  .card b { display: block; font-weight: 600; }
  .card ul { margin: .4rem 0 0; padding-left: 1.1rem; color: var(--soft); font-size: .85rem; }
  .card small { float: right; margin-left: .5rem; font-variant-numeric: tabular-nums; }
  select { font: inherit; padding: .15rem .4rem; }
</style>
</head>
<body>
<header>
<h1>$title</h1>
<p>$summary</p>
$notes
</header>

<h2>Scores</h2>
<table>
<thead><tr><th>metric</th><th>score × 100</th><th>95 % interval</th><th></th></tr></thead>
<tbody>
$metric_rows
</tbody>
</table>

<h2>Captions</h2>
<table><tbody>
$variety_rows
</tbody></table>

<h2>How the images score</h2>
<div class="two">
$histograms
</div>

<h2>Pictures, by <select id="metric" aria-label="metric">$options</select></h2>
<section id="pictures"></section>
<noscript>The pictures are sorted by a script of this page, which is switched off.</noscript>

<script type="application/json" id="data">$data</script>
<script>
  const data = JSON.parse(document.getElementById("data").textContent);
  const chosen = document.getElementById("metric");
  function make(tag, text, parent, name) {
    const element = document.createElement(tag);
    if (text) element.textContent = text;
    if (name) element.className = name;
    parent.append(element);
    return element;
  }
  function show() {
    const section = document.getElementById("pictures");
    section.replaceChildren();
    for (const [group, images] of Object.entries(data.groups[chosen.value])) {
      make("h3", group, section);
      const cards = make("div", "", section, "cards");
      for (const id of images) {
        const image = data.images[id];
        const card = make("article", "", cards, "card");
        if (image.picture) {
          const picture = make("img", "", card);
          picture.src = image.picture;
          picture.alt = image.caption;
          picture.title = id;
        } else make("div", id, card, "none");
        const text = make("div", "", card, "text");
        make("small", (100 * image.scores[chosen.value]).toFixed(1), text);
        make("b", image.caption || "(no caption)", text);
        const list = make("ul", "", text);
        for (const reference of image.references) make("li", reference, list);
      }
    }
  }
  chosen.addEventListener("change", show);
  show();
</script>
</body>
</html>
"""
