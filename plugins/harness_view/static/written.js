"use strict";
// Filters the rows that are here. Without it all rows are seen.
(() => {
  const form = document.getElementById("filters");
  const body = document.querySelector("table.rows tbody");
  if (!form || !body) return;
  const rows = [...body.rows];
  const chosen = (name) => form.elements[name]?.value ?? "";
  const place = (name) => {
    const select = form.elements[name];
    return select?.value ? String(select.selectedIndex - 1) : "";
  };
  const fits = {
    fails: (became) => became === "fails" || became === "regressed",
    fixed: (became) => became === "fixed",
    regressed: (became) => became === "regressed",
  };
  const show = () => {
    const words = chosen("words").toLowerCase();
    const outcome = fits[chosen("show")];
    const places = { categories: place("category"), causes: place("cause"), slices: place("slice") };
    let count = 0;
    for (const row of rows) {
      const data = row.dataset;
      row.hidden = !(
        (!words || row.textContent.toLowerCase().includes(words)) &&
        (!outcome || outcome(data.show ?? "")) &&
        Object.entries(places).every(([of, at]) => !at || data[of].split(" ").includes(at))
      );
      count += Number(!row.hidden);
    }
    document.getElementById("count").textContent = `${count} of ${rows.length} rows`;
  };
  form.hidden = false;
  form.addEventListener("input", show);
  window.addEventListener("pageshow", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  show();
})();
