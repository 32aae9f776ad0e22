// The table of runs: sorted and filtered. All of it may be missing: the page reads the same.
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
})();
