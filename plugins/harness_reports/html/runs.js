// The table of runs: sorted, filtered, two runs chosen whose answers are put side by side. All of
// it may be missing: the page reads the same.
(() => {
  const table = document.getElementById("runs");
  if (!table) return;
  const runs = [...table.tBodies];
  const legend = document.querySelector("ul.groups");
  const groups = [...legend.querySelectorAll("[data-group]")];
  const order = groups.map((one) => one.dataset.group);
  const element = (tag, text, attributes = {}) => {
    const made = document.createElement(tag);
    made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };

  // Runs of one group stand together where a score sorts them.
  const heading = (told) => {
    const body = element("tbody", "", { class: "group" });
    const row = body.insertRow();
    const wide = String(table.tHead.rows[0].cells.length);
    row.append(element("th", told, { colspan: wide, scope: "rowgroup" }));
    return body;
  };
  const unsplit = () => {
    for (const old of table.querySelectorAll("tbody.group")) old.remove();
  };
  const key = (run, at) => run.rows[0].cells[at].dataset.sort ?? run.rows[0].cells[at].textContent;
  sortable(table, (at, sign) => {
    const split = table.tHead.rows[0].cells[at].dataset.split;
    const place = (run) => (run.dataset[split] ? order.indexOf(run.dataset[split]) : order.length);
    runs.sort(
      (a, b) => (split ? place(a) - place(b) : 0) || compared(key(a, at), key(b, at), sign),
    );
    unsplit();
    table.append(...runs);
    const several = split && new Set(runs.map(place)).size > 1;
    document.getElementById("order").textContent = several ? legend.dataset.told : "";
    if (!several) return;
    runs.forEach((run, n) => {
      if (n && place(run) === place(runs[n - 1])) return;
      run.before(heading(groups[place(run)]?.textContent ?? "test not opened"));
    });
    show();
  });

  const form = document.getElementById("filter");
  const chosen = (id) => document.getElementById(id)?.value ?? "";
  const show = () => {
    if (!form) return;
    const words = chosen("find").toLowerCase();
    let count = 0;
    for (const run of runs) {
      const { model, primary, verdicts } = run.dataset;
      const fits =
        (!words || run.textContent.toLowerCase().includes(words)) &&
        (!chosen("model") || model === chosen("model")) &&
        (!chosen("primary") || primary === chosen("primary")) &&
        (!chosen("verdict") || JSON.parse(verdicts).includes(chosen("verdict")));
      run.hidden = !fits;
      count += Number(fits);
    }
    for (const head of table.querySelectorAll("tbody.group")) {
      let next = head.nextElementSibling;
      while (next?.matches(".run[hidden]")) next = next.nextElementSibling;
      head.hidden = !next?.matches(".run");
    }
    document.getElementById("found").textContent = `${count} of ${runs.length}`;
  };
  if (form) {
    form.hidden = false;
    form.addEventListener("input", show);
    form.addEventListener("submit", (event) => event.preventDefault());
    show();
  }

  // A run that a link leads to is shown, whatever is filtered.
  document.addEventListener("click", (event) => {
    const to = event.target.closest('a[href^="#run-"]')?.getAttribute("href").slice(1);
    if (!to || !document.getElementById(to)?.hidden) return;
    form.reset();
    show();
  });

  // Rows that stand on the page with an answer of a run: its answer, and the article that holds it.
  const answersOf = (number) => {
    const found = new Map();
    for (const answer of document.querySelectorAll(`[data-run="${number}"]`)) {
      const article = answer.closest("article.differs");
      if (article.closest("details.two-sides")) found.set(article.dataset.row, { article, answer });
    }
    return found;
  };
  const plain = (answer) => {
    const copy = answer.cloneNode(true);
    const text = copy.lastElementChild;
    if (!text.querySelector("em")) text.textContent = text.textContent;
    return copy;
  };
  const together = (a, b) => {
    const [before, after] = [answersOf(a.dataset.number), answersOf(b.dataset.number)];
    const shown = [];
    for (const [row, { article, answer }] of after) {
      const other = before.get(row)?.answer;
      const [x, y] = [other, answer].map((one) => one?.lastElementChild.textContent);
      if (!other || x === y) continue;
      const copy = article.cloneNode(true);
      for (const side of copy.querySelectorAll("[data-run]")) side.remove();
      copy.querySelector(".sides").append(plain(other), plain(answer));
      shown.push(copy);
    }
    return shown;
  };
  const boxes = runs.map((run) => run.querySelector("input[type=checkbox]"));
  let picked = [];
  const bar = document.getElementById("chosen");
  const into = document.getElementById("chosen-answers");
  const pickedRuns = () =>
    picked
      .map((box) => box.closest("tbody"))
      .sort((x, y) => x.dataset.number - y.dataset.number);
  const tell = () => {
    bar.hidden = picked.length === 0;
    into.replaceChildren();
    const names = pickedRuns().map((run) => `run ${run.dataset.number}`);
    const told = names.length === 2 ? names.join(" and ") : `${names[0]}, and another one`;
    document.getElementById("chosen-told").textContent = `Chosen: ${told}.`;
    document.getElementById("show").hidden = names.length < 2;
  };
  for (const box of boxes) {
    box.hidden = false;
    box.checked = false;
    box.addEventListener("change", () => {
      picked = picked.filter((one) => one !== box);
      if (box.checked) picked.push(box);
      if (picked.length > 2) picked.shift().checked = false;
      tell();
    });
  }
  document.getElementById("show").addEventListener("click", () => {
    const [a, b] = pickedRuns();
    const pair = document.querySelector(
      `details.two-sides[data-pair="${a.dataset.number} ${b.dataset.number}"]`,
    );
    if (pair) {
      pair.open = true;
      pair.scrollIntoView();
      return;
    }
    const shown = together(a, b);
    const count = shown.length ? `${shown.length} of the rows on this page` : "No row on this page";
    const told = `${count} with different answers of the two; all rows, with statistics: `;
    const line = element("p", told, { class: "note" });
    line.append(element("code", `harness compare ${a.dataset.name} ${b.dataset.name}`));
    into.replaceChildren(line, ...shown);
    into.scrollIntoView();
  });

  const open = () => {
    const pair = document.getElementById(location.hash.slice(1))?.closest("details.two-sides");
    if (!pair) return;
    pair.open = true;
    pair.scrollIntoView();
  };
  window.addEventListener("hashchange", open);
  // The same link once more changes no hash.
  table.addEventListener("click", (event) => event.target.closest(".links a") && setTimeout(open));
  open();
})();
