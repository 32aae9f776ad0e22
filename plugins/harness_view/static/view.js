"use strict";
// Keys, and what is new put in place without a reload. All of it may be missing: a reload does.
(() => {
  const shown = document.getElementById("shown");
  if (!shown) return;
  const lost = document.getElementById("lost");

  const place = document.getElementById(location.hash.slice(1));
  if (place?.matches("a.row")) place.focus();

  // -- keys -------------------------------------------------------------------------------------
  const rows = () => [...shown.querySelectorAll("table.rows a.row")].filter((row) => row.offsetParent);
  const step = (by) => {
    const all = rows();
    const at = all.indexOf(document.activeElement);
    const to = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by];
    if (!to) return document.getElementById(by > 0 ? "to-next" : "to-previous")?.focus();
    to.focus({ preventScroll: true });
    to.closest("tr").scrollIntoView({ block: "nearest" });
  };
  const leave = () => {
    const back = document.getElementById("back");
    if (document.activeElement !== document.body) document.activeElement.blur();
    else if (back?.href) location.assign(back.href);
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "Escape") return leave();
    if (typing) return;
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "/") document.getElementById("words")?.focus();
    else return;
    event.preventDefault();
  });

  // A choice of a list acts at once; what is not chosen is left out of the address.
  const form = document.getElementById("filters");
  if (form?.hasAttribute("action")) {
    const show = () => {
      const chosen = [...new FormData(form)].filter(([, value]) => value !== "");
      location.assign(`${form.action}?${new URLSearchParams(chosen).toString().replaceAll("+", "%20")}`);
    };
    form.addEventListener("change", (event) => event.target.matches("select") && show());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      show();
    });
  }

  // -- what is new ------------------------------------------------------------------------------
  const { events } = shown.dataset;
  if (!events) return;
  const say = (text) => {
    lost.textContent = text;
    lost.hidden = !text;
  };
  // As it was sent, before any other script has changed it, so that what has not changed is left as the reader has arranged it.
  let sent = [...shown.children].map((part) => part.outerHTML);
  const update = async () => {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const text = await answer.text();
    const next = new DOMParser().parseFromString(text, "text/html").getElementById("shown");
    if (!next) throw new Error(text.slice(0, 300));
    const parts = [...next.children].map((part) => part.outerHTML);
    [...next.children].forEach((part, at) => {
      const old = shown.children[at];
      if (!old) shown.append(part);
      else if (parts[at] !== sent[at]) Idiomorph.morph(old, part, { callbacks });
    });
    while (shown.children.length > parts.length) shown.lastElementChild.remove();
    shown.dataset.mark = next.dataset.mark;
    sent = parts;
    if (typeof sortTables === "function") sortTables(shown);
  };
  const callbacks = {
    // What the reader has opened, chosen or typed stays.
    beforeAttributeUpdated: (name, node) =>
      !(name === "open" && node.matches("details")) && !node.matches("input, option"),
  };
  let busy = Promise.resolve();
  let stream;
  const told = ({ data }) => {
    busy = busy.then(async () => {
      say("");
      if (data === shown.dataset.mark) return;
      if (typeof Idiomorph === "undefined") say("There is something new: reload the page.");
      else await update();
    }).catch((error) => say(`What is new could not be shown: ${error.message}`));
  };
  const lostIt = () => {
    say("The page's server does not answer: it has ended, or the way to it is cut. This is what was last; harness view serves it again.");
  };
  // A browser has six connections to a server: a page that nobody sees holds none.
  const listen = () => {
    stream?.close();
    if (document.hidden) return;
    stream = new EventSource(events);
    stream.addEventListener("message", told);
    stream.addEventListener("error", lostIt);
  };
  document.addEventListener("visibilitychange", listen);
  listen();
})();
