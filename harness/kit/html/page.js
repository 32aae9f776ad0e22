// Sorting tables, filtering examples, opening the example that a link names. All of it may be
// missing: the page reads the same.
(() => {
  sortTables(document);

  const form = document.getElementById("filter");
  const examples = [...document.querySelectorAll("details.example")];
  if (form) {
    const [find, kind, course] = ["find", "kind", "course"].map((id) => document.getElementById(id));
    const chosen = (select) => (select ? select.value : "");
    const show = () => {
      const words = find.value.toLowerCase();
      let count = 0;
      for (const one of examples) {
        const kinds = one.dataset.kinds.split(" ");
        const fits =
          (!words || one.textContent.toLowerCase().includes(words)) &&
          (!chosen(kind) || kinds.includes(chosen(kind))) &&
          (!chosen(course) || one.dataset.course === chosen(course));
        one.hidden = !fits;
        count += Number(fits);
      }
      document.getElementById("found").textContent = `${count} of ${examples.length}`;
    };
    form.hidden = false;
    form.addEventListener("input", () => {
      for (const more of document.querySelectorAll("details.more")) more.open = true;
      show();
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    show();
  }

  const open = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target || !target.matches("details.example")) return;
    target.hidden = false;
    const more = target.closest("details.more");
    if (more) more.open = true;
    target.open = true;
    target.scrollIntoView();
  };
  window.addEventListener("hashchange", open);
  open();
})();
