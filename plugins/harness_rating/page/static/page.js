// The rating page. What people did is a list of events that is only ever added to; what is shown
// is the fold of that list. Texts of data and models get in by textContent and in no other way.
"use strict";
(() => {
const $ = (id) => document.getElementById(id);
const given = JSON.parse($("data").textContent);
const packed = given.mode === "packed";
const PREFIX = `rating:${given.batch}:`;
const BATCH = 50, LONGEST_SEND = 100000, MOST_AHEAD = 200, MOST_WORDS = 600, PIECE = 10000;

let rubric, rater, ids = [], keeps = "", only = {};
const items = new Map();     // item id -> its texts
const events = new Map();    // event id -> event
const ofItem = new Map();    // item id -> its events, by time
const stands = new Map();    // item id -> what they come to
const seen = new Set();      // items that were scored at some time
const seconds = new Map();   // item id -> seconds spent on it
let undoable = [];           // {event, before}
let queue = new Map();       // events that are not acknowledged yet
let exported = 0;
let at = 0, criterion = 0, ended = false;
let showsReference = true, showsDifference = false, keysOn = true;
let lastTime = 0, behind = 0, shownSince = null, writeKey = "t";   // behind: of the server's clock, ms

// ---- small helpers ---------------------------------------------------------------------------
function make(tag, attributes, ...inner) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
  made.append(...inner.filter((one) => one !== null));
  return made;
}
const words = (n, one, many) => `${n} ${n === 1 ? one : many}`;
const say = (text) => { $("say").textContent = ""; setTimeout(() => { $("say").textContent = text; }, 30); };
const clock = (time) => new Date(time).toLocaleTimeString([], {hour: "2-digit", minute: "2-digit", second: "2-digit"});
const item = () => ids[at];
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
function trouble(text) { $("trouble").textContent = text; $("trouble").hidden = !text; }
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = bytes[6] & 15 | 64; bytes[8] = bytes[8] & 63 | 128;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// ---- the fold --------------------------------------------------------------------------------
const place = (event) => `${event.item} ${event.criterion || "@" + event.kind}`;
const later = (a, b) => a.at === b.at ? a.id > b.id : a.at > b.at;
function take(event) {
  if (events.has(event.id)) return false;
  events.set(event.id, event);
  lastTime = Math.max(lastTime, Date.parse(event.at) || 0);
  if (event.kind === "set") seen.add(event.item);
  if (event.seconds > (seconds.get(event.item) || 0)) seconds.set(event.item, event.seconds);
  if (!ofItem.has(event.item)) ofItem.set(event.item, []);
  const list = ofItem.get(event.item);
  let index = list.length;
  while (index && later(list[index - 1], event)) index--;
  list.splice(index, 0, event);
  stands.delete(event.item);
  return true;
}
function drop(ids) {   // what was not accepted is not shown as if it had been
  for (const id of ids) {
    const event = events.get(id);
    queue.delete(id); forget(id);
    if (!event) continue;
    events.delete(id); stands.delete(event.item);
    const left = ofItem.get(event.item).filter((one) => one.id !== id);
    ofItem.set(event.item, left);
    if (!left.some((one) => one.kind === "set")) seen.delete(event.item);
  }
  history(); fillFields(); refresh();
}
// What stands for an item: values (null = cannot be judged), marks, and how far it is.
function standing(id) {
  if (stands.has(id)) return stands.get(id);
  const values = new Map(), marks = {skip: false, done: false, flag: false, comment: ""};
  for (const {kind, criterion: name, value} of ofItem.get(id) || []) {
    if (kind in marks) marks[kind] = kind === "comment" ? value || "" : value !== false;
    if (kind === "set") values.set(name, value); else if (kind === "clear") values.delete(name);
    if (kind === "set" || kind === "done") marks.skip = false; else if (kind === "clear") marks.done = false;
  }
  const questions = askedOf(id, values), missing = questions.filter((one) => one.required && !values.has(one.id));
  const done = !missing.length && (marks.done || questions.some((one) => one.required));
  const found = {values, marks, asked: questions, missing, status: done ? "done" : marks.skip ? "skipped" : "open"};
  stands.set(id, found);
  return found;
}
const valueOf = (id, name) => standing(id).values.get(name);
const mark = (id, kind) => standing(id).marks[kind];
const missing = (id) => standing(id).missing;
const status = (id) => standing(id).status;
function holds(test, values) {   // true, false, or null = not known yet
  if (test.op === "not") { const inner = holds(test.of[0], values); return inner === null ? null : !inner; }
  if (test.op === "and" || test.op === "or") {
    const decisive = test.op === "or", found = test.of.map((one) => holds(one, values));
    return found.includes(decisive) ? decisive : found.includes(null) ? null : !decisive;
  }
  let value = values.get(test.criterion);
  if (typeof value === "boolean") value = value ? "yes" : "no";
  if (test.op === "has") return Array.isArray(value) ? value.includes(test.value) : null;
  if (typeof test.value === "string") {
    if (typeof value !== "string") return null;
    return test.op === "=" ? value === test.value : test.op === "!=" ? value !== test.value : null;
  }
  if (typeof value !== "number") return null;
  const wanted = test.value;
  return {"=": value === wanted, "!=": value !== wanted, "<": value < wanted, "<=": value <= wanted,
          ">": value > wanted, ">=": value >= wanted}[test.op];
}
function leaves(test) { return test.of ? test.of.flatMap(leaves) : [test.criterion]; }
function askedOf(id, values) {   // who settles is asked only what raters disagree on
  return id in only ? rubric.criteria.filter((one) => only[id].includes(one.id)) : asked(values);
}
function asked(values) {   // a value of a criterion that is no longer asked decides nothing
  const holding = new Map(), found = new Set();
  let open = rubric.criteria;
  while (open.length) {
    const waiting = new Set(open.map((one) => one.id));
    const settled = open.filter((one) => !one.when || !leaves(one.when).some((name) => waiting.has(name)));
    if (!settled.length) break;
    for (const one of settled) {
      if (one.when && holds(one.when, holding) !== true) continue;
      found.add(one.id);
      if (values.has(one.id)) holding.set(one.id, values.get(one.id));
    }
    open = open.filter((one) => !settled.includes(one));
  }
  return rubric.criteria.filter((one) => found.has(one.id));
}

// ---- what people do --------------------------------------------------------------------------
function act(kind, name, value, id = item()) {
  const before = name ? valueOf(id, name) : mark(id, kind);
  lastTime = Math.max(Date.now() + behind, lastTime + 1);
  const event = {id: newId(), rater, item: id, criterion: name, kind, value,
                 at: new Date(lastTime).toISOString(), seconds: spent(id)};
  take(event);
  undoable.push({event, before});
  keep(event);
  return event;
}
function spent(id) {
  const passed = shownSince === null ? 0 : (performance.now() - shownSince) / 1000;
  if (shownSince !== null) shownSince = performance.now();
  const total = Math.min((seconds.get(id) || 0) + passed, 86400);
  seconds.set(id, total);
  return Math.round(total * 10) / 10;
}
function restore({event, before}) {
  if (!event.criterion) return act(event.kind, "", before, event.item);
  return before === undefined ? act("clear", event.criterion, null, event.item)
                              : act("set", event.criterion, before, event.item);
}
// After a reload: an event that brings back what was there before another is the undoing of it.
function history() {
  const now = new Map(), open = new Map(), all = [];
  for (const event of [...events.values()].sort((a, b) => later(a, b) ? 1 : -1)) {
    const key = place(event), nothing = event.criterion ? undefined : event.kind === "comment" ? "" : false;
    const before = now.has(key) ? now.get(key) : nothing, value = event.kind === "clear" ? undefined : event.value;
    now.set(key, value);
    if (!open.has(key)) open.set(key, []);
    const list = open.get(key), last = list[list.length - 1];
    if (last && same(last.before, value)) { last.gone = true; list.pop(); continue; }
    const entry = {event, before};
    list.push(entry); all.push(entry);
  }
  undoable = all.filter((entry) => !entry.gone);
}
function undo() {
  const last = undoable.pop();
  if (!last) return say("There is nothing to undo.");
  const index = ids.indexOf(last.event.item);
  if (index < 0) return;
  restore(last);
  undoable.pop();   // what takes back is not itself to be taken back
  if (index !== at || ended) show(index); else refresh();
  const one = rubric.criteria.findIndex((c) => c.id === last.event.criterion);
  if (one >= 0) point(one);
  $("comment").value = mark(item(), "comment");
  fillFields();
  say(`Undone: ${one >= 0 ? rubric.criteria[one].title : last.event.kind}`);
}
function score(one, value) {
  if (!same(valueOf(item(), one.id), value)) act("set", one.id, value);
  refresh();
  flush().then(fetchReference);
}
// The server tells the reference once it has the first score, not before.
function fetchReference() {
  const id = item(), found = items.get(id);
  if (packed || ended || !found || found.references || !mayShow()) return;
  load(id, true);
}
function moveOn() {
  const {values, asked: questions, missing: left} = standing(item());
  const edit = questions.find((one) => one.starts && rubric.criteria.indexOf(one) > criterion && !values.has(one.id));
  if (edit && rubric.criteria[criterion].kind !== "text") return point(rubric.criteria.indexOf(edit), true);
  const ahead = questions.find((one) => rubric.criteria.indexOf(one) > criterion && one.kind !== "text" && !values.has(one.id));
  const next = ahead || left[0];
  if (next) return point(rubric.criteria.indexOf(next), true);
  $("next").focus({preventScroll: true});
  say("All questions are answered. Enter goes to the next item.");
}
function next() {
  const id = item(), open = missing(id);
  if (open.length) {
    point(rubric.criteria.indexOf(open[0]), true);
    return say(`${words(open.length, "question is", "questions are")} still open; s skips this item.`);
  }
  if (!mark(id, "done")) act("done", "", true);
  go();
}
function go() {   // the next open item, from here on and then from the start
  const order = [...ids.keys()].map((step) => (at + 1 + step) % ids.length);
  const found = order.find((index) => status(ids[index]) === "open");
  if (found === undefined) finish(); else show(found);
}
function skip() {
  const on = status(item()) === "skipped";
  act("skip", "", !on);
  if (on) return refresh();
  say("Skipped."); go();
}
function flag() {
  act("flag", "", !mark(item(), "flag")); refresh();
  say(mark(item(), "flag") ? "Flagged." : "Flag taken away.");
}
function toggleReference() {
  const texts = items.get(item());
  if (rubric.reference === "never") return say("This rubric shows no reference.");
  if (!mayShow()) return say("The reference comes after your first score.");
  if (!texts?.references) return say("The reference comes when the connection is back.");
  showsReference = !showsReference; refresh();
  say(showsReference ? "Reference shown." : "Reference hidden.");
}
function toggleDifference() {
  if (!pair()) return say("There is nothing to compare yet.");
  showsDifference = !showsDifference; texts(); refresh();
  say(showsDifference ? "Differing words are marked." : "Marks taken away.");
}
const mayShow = () => rubric.reference === "always" || rubric.reference === "after_first_score" && seen.has(item());

// ---- keeping: first in this browser, then at the server ---------------------------------------
function remember(event) {
  try { localStorage.setItem(keeps + event.id, JSON.stringify(event)); return true; } catch { return false; }
}
function remembered() {
  const found = [];
  let keys = [];
  try { keys = Object.keys(localStorage).filter((key) => key.startsWith(keeps)); } catch { /* none */ }
  for (const key of keys) {
    try { found.push(JSON.parse(localStorage.getItem(key))); } catch { /* not one of ours */ }
  }
  return found.filter((event) => event && ids.includes(event.item)
    && typeof event.id === "string" && typeof event.at === "string");
}
function forget(id) {
  try { localStorage.removeItem(keeps + id); } catch { /* it is sent again, which does no harm */ }
}
let safe = true;
function keep(event) {
  safe = remember(event);
  queue.set(event.id, event);
  if (packed) kept(); else { $("saved").textContent = "Saving…"; flush(); }
}
function kept() {
  const left = events.size - exported;
  const time = events.size ? ` · kept in this browser at ${clock(lastTime)}` : "";
  $("saved").textContent = safe
    ? (left ? `Not yet saved as a file${time}` : events.size ? `Saved as a file${time}` : "Nothing answered yet")
    : "This browser keeps nothing: save the file before you close this page";
  $("saved").classList.toggle("bad", !safe);
}
let sending = null, again = 0, timer = null;
function flush() {
  if (packed || sending || !queue.size) return sending || Promise.resolve();
  clearTimeout(timer);
  sending = send().finally(() => { sending = null; }).then((more) => more && queue.size ? flush() : undefined);
  return sending;
}
function parcel() {
  const found = [];
  let size = 0;
  for (const event of queue.values()) {
    size += JSON.stringify(event).length * 3;
    if (found.length && (size > LONGEST_SEND || found.length >= BATCH)) break;
    found.push(event);
  }
  return found;
}
async function send(urgent = false) {
  const sent = parcel(), stop = new AbortController(), limit = setTimeout(() => stop.abort(), 15000);
  try {
    const answer = await fetch("events", {method: "POST", headers: {"Content-Type": "application/json"},
      body: JSON.stringify({events: sent}), signal: stop.signal, keepalive: urgent});
    if (answer.status !== 200 && answer.status !== 422) return refusedAll(answer.status);
    const told = await answer.json();
    for (const id of told.saved) { queue.delete(id); forget(id); }
    if (again) { trouble(""); say("The connection is back."); fetchReference(); }
    if (told.refused.length) {
      drop(told.refused.map((one) => one.id));
      trouble(`Not accepted: ${told.refused[0].why}`);
    }
    again = 0;
    if (!queue.size) savedAt(told.at);
    return true;
  } catch { return waitFor("No connection"); } finally { clearTimeout(limit); }
}
function savedAt(time) { $("saved").textContent = `Saved at ${clock(time)}`; $("saved").classList.remove("bad"); }
function refusedAll(code) {
  const stranger = code === 403 || code === 409;   // no cookie any more, or that of another rater
  if (stranger) trouble("Please open your own link once more; what you did is kept until then.");
  return waitFor(stranger ? "Not saved" : code === 503 ? "The server cannot save just now"
    : "The server does not answer as it should");
}
function waitFor(why) {
  if (!again) say(`${why}. Your answers are kept in this browser.`);
  again = Math.min(again + 1, 5);
  $("saved").textContent = `${why}: ${words(queue.size, "entry", "entries")} kept in this browser, to be sent again`;
  $("saved").classList.add("bad");
  timer = setTimeout(flush, 250 * 2 ** again);
  if (ids.length && !ended) reference();
  return false;
}
function crc32(bytes) {
  let found = -1;
  for (const byte of bytes) {
    found ^= byte;
    for (let bit = 0; bit < 8; bit++) found = found >>> 1 ^ (found & 1 ? 0xedb88320 : 0);
  }
  return (~found >>> 0).toString(16).padStart(8, "0");
}
function exportFile() {   // a first line that says whose the events are and proves them whole
  commit();
  const list = [...events.values()].sort((a, b) => later(a, b) ? 1 : -1);
  const body = new TextEncoder().encode(list.map((one) => JSON.stringify(one) + "\n").join(""));
  const head = JSON.stringify({schema: "harness.events/1", batch: given.batch, rubric: given.version, rater,
                               events: list.length, crc32: crc32(body)}) + "\n";
  const link = make("a", {download: `${given.batch}-${rater}.jsonl`});
  link.href = URL.createObjectURL(new Blob([head, body], {type: "application/jsonl"}));
  document.body.append(link); link.click(); link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  exported = events.size;
  try { localStorage.setItem(`${PREFIX}${rater}~exported`, String(exported)); } catch { /* said already */ }
  kept(); say("The file with your ratings is saved where your browser puts downloads.");
}

// ---- reading from the server -----------------------------------------------------------------
async function ask(name) {
  const answer = await fetch(name, {headers: {"Accept": "application/json"}});
  if (!answer.ok) throw Object.assign(new Error(await answer.text()), {status: answer.status});
  return answer.json();
}
const LATER = "This item comes when the connection is back.";
const loading = new Map();
function load(id, anew = false) {
  if (items.has(id) && !anew) return Promise.resolve();
  const key = anew ? `${id}+` : id;
  if (!loading.has(key)) loading.set(key, ask(`items/${id}`)
    .then((found) => {
      items.set(id, found);
      if ($("trouble").textContent === LATER) trouble("");
      if (id !== item() || ended) return;
      if (!anew) { texts(); fillFields(); }
      refresh();
    })
    .catch((error) => {
      if (id === item() && !anew)
        trouble(error.status === 403 ? error.message : LATER);
    })
    .finally(() => loading.delete(key)));
  return loading.get(key);
}
async function ahead() {
  for (const id of [...ids.slice(at), ...ids.slice(0, at)].slice(0, MOST_AHEAD)) {
    if (!navigator.onLine) return;
    await load(id);
  }
}
async function renew() {   // another tab or an import may have added something
  if (packed || sending) return;
  try {
    const found = await ask("state");
    if (found.rater !== rater)
      return trouble("This browser now has the link of another rater. Please open your own link once more.");
    behind = Date.parse(found.now) - Date.now();
    if (found.events.filter(take).length) { history(); fillFields(); refresh(); }
  } catch { /* what is here stays; writing tells of a lost connection */ }
}

// ---- showing ---------------------------------------------------------------------------------
function show(index) {
  commit();
  if (shownSince !== null && ids.length) spent(item());
  ended = false; at = index; shownSince = document.hidden ? null : performance.now();
  $("end").hidden = true; $("work").hidden = false;
  trouble(""); texts();
  $("comment").value = mark(item(), "comment");
  fillFields(); refresh();
  const first = missing(item())[0];
  point(first ? rubric.criteria.indexOf(first) : 0);
  $("item-title").focus({preventScroll: true}); scrollTo(0, 0); $("questions").scrollTop = 0;
  load(item()).then(fetchReference);
}
function finish() {
  if (shownSince !== null) spent(item());
  ended = true; shownSince = null;
  const count = (wanted) => ids.filter((id) => status(id) === wanted).length;
  const flags = ids.filter((id) => mark(id, "flag")).length;
  $("work").hidden = true; $("end").hidden = false;
  $("end-title").textContent = count("skipped") ? "You have been through all items" : "All done. Thank you!";
  $("end-words").textContent = `${count("done")} done, ${count("skipped")} skipped, ${flags} flagged.`
    + (packed ? " Now save your ratings as a file and send it back."
      : " You can close this page once it says that all is saved.");
  $("end-skipped").hidden = !count("skipped");
  counts(); $("end-title").focus(); say($("end-title").textContent);
}
function box(title, inner, kind) {
  return make("section", {class: `box ${kind}`, "aria-label": title}, make("h3", {}, title), inner);
}
// Where fenced blocks and tables stand in a text: {kind, from, to}, kind "" for all else.
function parts(text) {
  const found = [], opens = /^\s*(`{3,}(?=[^`]*$)|~{3,})/;
  let fence = "";
  for (let from = 0, to; from < text.length; from = to) {
    to = text.indexOf("\n", from) + 1 || text.length;
    const line = text.slice(from, to), bare = line.trim(), last = found.at(-1);
    let kind = bare.length > 2 && bare.startsWith("|") && bare.endsWith("|") ? "table" : "";
    if (fence) {
      kind = "code";
      if (bare.length >= fence.length && bare === fence[0].repeat(bare.length)) fence = "";
    } else if (opens.test(line)) [kind, fence] = ["code", opens.exec(line)[1]];
    if (last?.kind === kind) { last.to = to; last.lines += 1; } else found.push({kind, from, to, lines: 1});
  }
  for (const one of found) if (one.kind === "table" && one.lines < 2) one.kind = "";
  return found;
}
const block = (kind) => make("div", {class: "mono", dir: kind === "code" ? "ltr" : "auto"});
function fill(into, text, found, from, to) {   // fences and bars stay: no character is added or taken
  for (const part of found) {
    const piece = text.slice(Math.max(part.from, from), Math.min(part.to, to));
    if (!piece) continue;
    const inside = part.kind ? into.appendChild(block(part.kind)) : into;
    inside.append(piece);
  }
  return into;
}
function textOf(text, from = 0) {   // a very long one in pieces, of which only those in view are laid out
  const made = make("div", {class: "text", dir: "auto", lang: ""}), found = parts(text);
  if (text.length - from <= PIECE) return fill(made, text, found, from, text.length);
  for (let to; from < text.length; from = to) {
    to = Math.min(from + PIECE, text.length);
    const line = text.lastIndexOf("\n", to);
    if (to < text.length && line > to - PIECE / 4) to = line + 1;
    else if (/[\ud800-\udbff]/.test(text[to - 1])) to += 1;
    made.append(fill(make("div", {class: "piece", dir: "auto"}), text, found, from, to));
  }
  return made;
}
const ROLES = {user: "Question", assistant: "Earlier answer", system: "Instructions to the model", tool: "Result of a tool",
  thinking: "What it thinks first", rejected: "Answer to avoid"};
function texts() {
  const found = items.get(item()), put = [];
  if (!found) return $("texts").replaceChildren(make("p", {class: "quiet"}, "Loading…"));
  if (found.meta.length) put.push(make("dl", {class: "meta"}, ...found.meta.flatMap(([name, value]) => {
    const parts = [make("dt"), make("dd", {dir: "auto"})];
    parts[0].textContent = name; parts[1].textContent = value;
    return parts;
  })));
  for (const turn of found.messages) {
    const name = Object.hasOwn(ROLES, turn.role) ? ROLES[turn.role] : "Turn";
    put.push(turn.folded ? make("details", {class: "box turn"}, make("summary", {}, ROLES.system), textOf(turn.text)) : box(name, textOf(turn.text), turn.role === "user" ? "asked" : "turn"));
  }
  const two = found.answers.length > 1, compared = showsDifference && pair();
  const answers = found.answers.map((text, n) => {
    const marked = compared && (!two || n === 1);
    return box(two ? `Answer ${"AB"[n]}` : "Answer", marked ? marks(compared) : textOf(text), "answer");
  });
  put.push(make("div", {class: two ? "answers two" : "answers"}, ...answers));
  if (compared) put.push(make("p", {class: "quiet legend"}, make("ins", {}, `only in ${two ? "B" : "the answer"}`), " ",
    make("del", {}, `only in ${two ? "A" : "the reference"}`)));
  put.push(make("div", {id: "edits"}), make("div", {id: "reference-text"}));
  $("texts").replaceChildren(...put);
  edits(); reference();
}
// What a text of a review begins as: the row's own.
function begin(one) {
  const found = items.get(item());
  if (!found || !one.starts) return "";
  const turns = found.messages.filter((turn) => !["thinking", "rejected"].includes(turn.role));
  const asked = turns.findLast((turn) => turn.role === "user") || turns.at(-1);
  return (one.id === "answer" ? found.answers[0] : asked?.text) || "";
}
function edits() {   // what an edit takes away and adds, beside the text that it began with
  const into = $("edits"), open = new Set(standing(item()).asked.map((one) => one.id));
  const changed = rubric.criteria.filter((one) => one.starts && open.has(one.id) && valueOf(item(), one.id) !== undefined);
  if (!into || !items.has(item())) return;
  const shown = changed.map((one) => box(one.title, marks([begin(one), valueOf(item(), one.id)], true), "edit"));
  if (shown.length) shown.push(make("p", {class: "quiet legend"}, make("ins", {}, "added"), " ", make("del", {}, "taken away")));
  into.replaceChildren(...shown);
}
function reference() {
  const into = $("reference-text"), found = items.get(item());
  if (!into || !found) return;
  const list = mayShow() && showsReference && found.references || [];
  if (mayShow() && showsReference && !found.references && again)
    return into.replaceChildren(make("p", {class: "quiet"}, "The reference comes when the connection is back."));
  const name = (n) => list.length > 1 ? `Reference ${n + 1}` : "Reference";
  into.replaceChildren(...list.map((text, n) => box(name(n), textOf(text), "reference")));
}
function pair() {   // the two texts to compare, or null
  const found = items.get(item());
  if (!found) return null;
  if (found.answers.length > 1) return found.answers.slice(0, 2);
  return mayShow() && showsReference && found.references?.length ? [found.references[0], found.answers[0]] : null;
}
const cut = (text) => (text.match(/\s*[^\s]+/g) || []).slice(0, MOST_WORDS);
function marks([left, right], exact = false) {   // exact: a sign or a capital is a difference, too
  const a = cut(left), b = cut(right), rest = right.length > b.join("").length, width = b.length + 1;
  const key = (word) => exact ? word.trim() : word.trim().toLowerCase().replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "") || word.trim();
  const ka = a.map(key), kb = b.map(key), longest = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      longest[i * width + j] = ka[i] === kb[j] ? longest[(i + 1) * width + j + 1] + 1
        : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
  // The right text goes into its own blocks; what only the left one has stands before it.
  const made = textOf(""), blocks = parts(right);
  let into = made, n = -1, place = 0, kind = null, part = [];
  const close = () => {
    if (part.length) into.append(kind ? make(kind, {}, part.join("")) : part.join(""));
    part = []; kind = null;
  };
  const put = (how, word) => {
    if (how !== kind) {   // the blank before a change is not marked
      close();
      if (how) { into.append(word.slice(0, word.search(/\S/))); word = word.trimStart(); }
      kind = how;
    }
    part.push(word);
  };
  const own = (how, word) => {   // a word of the right text, with the blanks before it
    const start = place + word.search(/\S/);
    while (n < 0 || blocks[n].to <= start) {
      close();
      if (n >= 0) { into.append(right.slice(place, blocks[n].to)); place = blocks[n].to; }
      n += 1; into = blocks[n].kind ? made.appendChild(block(blocks[n].kind)) : made;
    }
    const end = start + word.trimStart().length;
    put(how, right.slice(place, end)); place = end;
  };
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && ka[i] === kb[j]) { own("", b[j]); i++; j++; }
    else if (j >= b.length || i < a.length && longest[(i + 1) * width + j] >= longest[i * width + j + 1]) put("del", a[i++]);
    else own("ins", b[j++]);
  }
  close();
  return rest ? make("div", {}, made, textOf(right, place)) : made;
}

// The questions are built once; an item only changes what is pressed, hidden or filled in.
const panels = [];
function build() {
  rubric.criteria.forEach((one, index) => {
    const title = make("h3", {id: `c${index}`, dir: "auto"});
    const question = make("p", {class: "question", id: `q${index}`, dir: "auto"});
    title.textContent = one.title; question.textContent = one.question;
    if (!one.required && !one.starts) title.append(make("span", {class: "quiet"}, " (if you like)"));
    const said = make("p", {class: "said", dir: "auto", hidden: ""});
    const panel = {one, said, buttons: [], root: make("div", {class: "criterion", role: "group", tabindex: "-1",
      "aria-labelledby": `c${index}`, "aria-describedby": `q${index}`}, title, question, said)};
    if (one.options.length) options(panel);
    else field(panel, index);
    if (one.na && !one.options.length) panel.root.append(make("div", {class: "row"}, ...naButton(panel)));
    panel.root.addEventListener("pointerdown", () => point(index));
    panel.root.addEventListener("focusin", () => point(index));
    panels.push(panel);
  });
  $("criteria").replaceChildren(...panels.map((panel) => panel.root));
}
function optionButton(key, words) {
  const button = make("button", {type: "button", class: "option", "aria-pressed": "false"});
  if (key) { button.append(make("kbd", {}, key)); button.setAttribute("aria-keyshortcuts", key); }
  if (words) button.append(key ? " " : "", words);
  return button;
}
function naButton(panel) {
  if (!panel.one.na) return [];
  const button = optionButton(panel.one.na, "Cannot judge");
  button.addEventListener("click", () => choose(panel, null));
  panel.buttons.push([button, null]);
  return [button];
}
function noneKey(one) {   // the digit after the last choice, where it is free
  const key = String(one.options.length + 1);
  const free = one.kind === "choices" && key.length === 1 && one.options.every((option) => option.key !== key);
  return free ? key : "";
}
function options(panel) {
  const {one} = panel, row = make("div", {class: "row"}), list = make("ul", {class: "anchors"});
  const plain = one.kind === "ordinal";
  for (const option of one.options) {
    const button = optionButton(option.key, plain && option.label === option.key ? "" : option.label);
    if (option.words) {
      const line = make("li", {dir: "auto"}, make("b", {}, option.label), " ");
      line.append(option.words);
      list.append(line);
      button.title = option.words;
    }
    button.addEventListener("click", (event) => {
      choose(panel, option.value);
      // By mouse: the focus goes off the button, so that Enter is free for "next".
      if (one.kind === "choices" && event.detail) panel.root.focus({preventScroll: true});
    });
    panel.buttons.push([button, option.value]); row.append(button);
  }
  const key = noneKey(one);
  if (key) {
    const none = optionButton(key, "None of these");
    none.addEventListener("click", () => choose(panel, []));
    panel.buttons.push([none, []]); row.append(none);
  }
  row.append(...naButton(panel));
  panel.root.append(row);
  if (list.children.length) panel.root.append(list);
}
function field(panel, index) {
  const {one} = panel, number = one.kind === "number";
  const input = make(number ? "input" : "textarea", {"aria-labelledby": `c${index} q${index}`, dir: "auto"});
  const bounds = {type: "number", min: one.least, max: one.most, step: "any", inputmode: "decimal"};
  if (number) for (const [name, value] of Object.entries(bounds)) if (value !== null) input.setAttribute(name, value);
  if (!number) { input.rows = 3; input.maxLength = rubric.longest; }
  panel.input = input;
  input.addEventListener("input", () => {
    clearTimeout(panel.timer);
    panel.timer = setTimeout(() => enter(panel), number ? 700 : 400);
  });
  input.addEventListener("change", () => enter(panel));
  const range = number && one.least !== null && one.most !== null ? `${one.least} to ${one.most}; ` : "";
  const anchors = Object.entries(one.anchors).map(([key, text]) => make("li", {dir: "auto"}, make("b", {}, key), " ", text));
  const hint = number ? [range, make("kbd", {}, "Enter"), " goes on"]
    : [make("kbd", {}, writeKey), " writes here, ", make("kbd", {}, "Esc"), " leaves the field"];
  input.setAttribute("aria-keyshortcuts", number ? "Enter" : writeKey);
  panel.root.append(input, make("p", {class: "quiet small"}, ...hint));
  if (anchors.length) panel.root.append(make("ul", {class: "anchors"}, ...anchors));
}
function enter(panel) {   // what was typed becomes an event, if it is new and valid
  clearTimeout(panel.timer); panel.timer = null;
  const {one, input} = panel, before = valueOf(item(), one.id), text = input.value.trim();
  if ((!text || one.starts && text === begin(one).trim()) && !input.validity?.badInput) {
    if (before !== undefined && before !== null) { act("clear", one.id, null); refresh(); }
    return true;
  }
  const value = one.kind === "number" ? Number(text) : text;
  if (one.kind === "number" && (input.validity.badInput || !input.checkValidity() || !Number.isFinite(value))) {
    say(`A number from ${one.least} to ${one.most} is needed.`); return false;
  }
  if (!same(before, value)) score(one, value);
  return true;
}
let commentTimer = null;
function comment() {
  clearTimeout(commentTimer); commentTimer = null;
  if (ended || !ids.length || $("comment").value === mark(item(), "comment")) return;
  act("comment", "", $("comment").value); refresh();
}
function commit() {   // nothing that was typed is left behind
  for (const panel of panels) if (panel.timer) enter(panel);
  if (commentTimer) comment();
}
function fillFields() {
  for (const {one, input} of panels) {
    if (!input || input === document.activeElement) continue;
    const value = valueOf(item(), one.id);
    input.value = value === undefined || value === null ? begin(one) : String(value);
    if (one.starts) input.rows = Math.min(8, Math.max(3, input.value.split("\n").length, Math.ceil(input.value.length / 45)));
  }
}
function choose(panel, value) {
  const {one} = panel, index = panels.indexOf(panel);
  point(index);
  if (one.kind === "choices" && value !== null && !Array.isArray(value)) {
    const before = valueOf(item(), one.id) || [];
    const after = one.options.map((option) => option.value).filter((choice) => before.includes(choice) !== (choice === value));
    score(one, after);
    return say(`${value}: ${after.includes(value) ? "chosen" : "not chosen"}`);
  }
  if (panel.input) { clearTimeout(panel.timer); panel.timer = null; panel.input.value = ""; }
  score(one, value);
  moveOn();
}
function point(index, focus = false) {
  criterion = index;
  panels.forEach((panel, n) => panel.root.classList.toggle("now", n === index));
  const panel = panels[index];
  if (!panel) return;
  if (focus) {
    const inside = panel.one.kind === "number" || panel.one.starts ? panel.input : panel.root;
    inside.focus({preventScroll: true});
    reveal(panel);
  }
}
// On a narrow page the question sticks to the lower edge, so that a text above it keeps its place.
function reveal({root}) {
  const sticks = getComputedStyle(root).position === "sticky" && root.getBoundingClientRect().top >= 0;
  if (!sticks) root.scrollIntoView({block: "nearest"});
}
function step(way) {
  const open = standing(item()).asked.map((one) => rubric.criteria.indexOf(one));
  const found = way > 0 ? open.find((n) => n > criterion) : open.findLast((n) => n < criterion);
  if (found === undefined) return;
  point(found);
  panels[found].root.focus({preventScroll: true});
  reveal(panels[found]);
}
function refresh() {
  const id = item(), open = new Set(standing(id).asked.map((one) => one.id)), how = status(id), flagged = mark(id, "flag");
  for (const {one, buttons, root, said} of panels) {
    const value = valueOf(id, one.id), others = items.get(id)?.said[one.id] || [];
    said.textContent = `Raters said: ${others.join(" · ")}`; said.hidden = !others.length;
    root.hidden = !open.has(one.id);
    root.classList.toggle("answered", value !== undefined);
    for (const [button, own] of buttons) {
      const among = Array.isArray(value) && !Array.isArray(own) && value.includes(own);
      const on = value !== undefined && (same(value, own) || among);
      button.setAttribute("aria-pressed", String(on));
    }
  }
  $("item-title").textContent = `Item ${at + 1} of ${ids.length}`;
  $("badges").textContent = [how === "open" ? "" : how, flagged ? "flagged" : ""].filter(Boolean).join(" · ");
  $("skip").setAttribute("aria-pressed", String(how === "skipped"));
  $("flag").setAttribute("aria-pressed", String(flagged));
  $("reference").hidden = rubric.reference === "never";
  $("difference").hidden = rubric.reference === "never" && items.get(id)?.answers.length === 1;
  const reads = mayShow() && showsReference && items.get(id)?.references?.length;
  $("reference").setAttribute("aria-pressed", String(Boolean(reads)));
  $("difference").setAttribute("aria-pressed", String(Boolean(showsDifference && pair())));
  $("undo").disabled = !undoable.length; $("back").disabled = at === 0; $("forward").disabled = at === ids.length - 1;
  if (showsDifference) texts(); else { edits(); reference(); }
  counts();
}
const STATUS = {done: " ✓ done", skipped: " – skipped", open: ""};
function counts() {
  const own = ids.filter((id) => status(id) === "done").length;
  $("own").max = ids.length || 1; $("own").value = own;
  $("own-words").textContent = `${own} of ${ids.length}`;
  ids.forEach((id, n) => {
    const label = `${n + 1}${STATUS[status(id)]}${mark(id, "flag") ? " ⚑" : ""}`;
    const option = $("goto").options[n] || $("goto").appendChild(make("option", {value: String(n)}));
    if (option.textContent !== label) option.textContent = label;
  });
  $("goto").value = String(at);
}

// ---- keys ------------------------------------------------------------------------------------
const typing = (target) => target.matches("textarea, input:not([type=checkbox]), select, [contenteditable]");
function help() { $("help").open ? $("help").close() : $("help").showModal(); }
function onKey(event) {
  if (event.isComposing || event.defaultPrevented) return;
  if (packed && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
    event.preventDefault();
    return exportFile();
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if ($("help").open) { if (event.key === "?" && keysOn) { event.preventDefault(); help(); } return; }
  if (typing(event.target)) return whileTyping(event);
  if (!keysOn) return;
  const button = event.target.closest("button, a");
  if ((event.key === "Enter" || event.key === " ") && button && button.id !== "next") return;
  if (press(event.key)) event.preventDefault();
}
function whileTyping(event) {
  const panel = panels[criterion], number = panel && event.target === panel.input && panel.one.kind === "number";
  if (event.key === "Escape") {
    commit(); event.preventDefault();
    (panel ? panel.root : $("item-title")).focus({preventScroll: true});
  }
  else if (!number) return;
  else if (event.key === "Enter") { event.preventDefault(); if (enter(panel)) moveOn(); }
  else if (event.key === "ArrowUp" || event.key === "ArrowDown") {   // they would change the number
    event.preventDefault(); if (enter(panel)) step(event.key === "ArrowUp" ? -1 : 1);
  }
  else if (keysOn && event.key === panel.one.na) { event.preventDefault(); choose(panel, null); }
}
function write() {
  const open = panels.filter((panel) => panel.one.kind === "text" && !panel.root.hidden);
  const found = open.includes(panels[criterion]) ? panels[criterion] : open[0];
  if (found) { found.input.focus(); reveal(found); }
}
function press(key) {
  if (key === "?") return help(), true;
  if (ended) return key === "u" ? (undo(), true) : key === "ArrowLeft" ? (show(ids.length - 1), true) : false;
  const panel = panels[criterion], one = panel && !panel.root.hidden ? panel.one : null;
  const option = one && one.options.find((other) => other.key && other.key === key);
  if (option) return choose(panel, option.value), true;
  if (one && key === noneKey(one)) return choose(panel, []), true;
  if (one?.na && key === one.na) return choose(panel, null), true;
  if (one?.kind === "number" && /^[-.,0-9]$/.test(key)) {   // the key itself is typed there then
    panel.input.focus(); panel.input.select();
    return false;
  }
  if (key === "0") return say("This question must be answered."), true;
  const done = {ArrowUp: () => step(-1), ArrowDown: () => step(1), ArrowLeft: () => at > 0 && show(at - 1),
    ArrowRight: () => at < ids.length - 1 && show(at + 1), Enter: next, u: undo, s: skip, f: flag,
    c: () => $("comment").focus(), [writeKey]: write, r: toggleReference, d: toggleDifference}[key];
  if (done) done();
  return Boolean(done);
}

// ---- start -----------------------------------------------------------------------------------
function listen() {
  const clicks = {back: () => show(at - 1), forward: () => show(at + 1), undo, skip, flag, next, reference: toggleReference,
    difference: toggleDifference, "help-button": help, "help-close": help, export: exportFile, "end-export": exportFile,
    "end-first": () => show(0), "end-skipped": () => show(ids.findIndex((id) => status(id) === "skipped"))};
  for (const [id, run] of Object.entries(clicks)) $(id)?.addEventListener("click", run);
  $("goto").addEventListener("change", () => show(Number($("goto").value)));
  $("keys-on").addEventListener("change", () => {
    keysOn = $("keys-on").checked;
    document.body.classList.toggle("keyless", !keysOn);
  });
  $("comment").maxLength = rubric.longest;
  $("comment").addEventListener("input", () => { clearTimeout(commentTimer); commentTimer = setTimeout(comment, 400); });
  $("comment").addEventListener("change", comment);
  document.addEventListener("keydown", onKey);
  addEventListener("online", () => { again = Math.max(again, 1); flush(); load(item()); });
  addEventListener("storage", (event) => {
    if (!event.key?.startsWith(keeps) || !event.newValue) return;
    try { if (take(JSON.parse(event.newValue))) { history(); fillFields(); refresh(); } } catch { /* not ours */ }
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) { if (!ended) shownSince = performance.now(); renew(); flush(); return; }
    commit();
    if (shownSince !== null) spent(item());
    shownSince = null;
  });
  addEventListener("pagehide", () => { commit(); if (!packed && queue.size && !sending) send(true); });
  addEventListener("beforeunload", (event) => { if (queue.size && !safe) event.preventDefault(); });
}
function open(found) {
  rubric = found.rubric; rater = found.rater; ids = found.items; only = found.only || {};
  keeps = `${PREFIX}${rater}:`; $("who").textContent = rater;
  if (found.now) behind = Date.parse(found.now) - Date.now();
  found.events.forEach(take);
  for (const event of remembered()) if (take(event) || !packed) queue.set(event.id, event);
  for (const one of found.texts || []) items.set(one.id, one);
  try { exported = Number(localStorage.getItem(`${PREFIX}${rater}~exported`)) || 0; } catch { exported = 0; }
  $("title").textContent = rubric.title; $("guidelines").textContent = rubric.instructions;
  if (rubric.language) for (const id of ["title", "guidelines", "criteria"]) $(id).lang = rubric.language;
  // A rubric may use any letter that is not the page's own; this one gives way.
  writeKey = [..."tewxz"].find((key) => !rubric.criteria.some((one) => one.options.some((o) => o.key === key))) || "Insert";
  $("write-key").textContent = writeKey;
  history(); build(); listen();
  if (packed) kept();
  else if (queue.size) flush();
  else $("saved").textContent = events.size ? `Saved at ${clock(lastTime)}` : "Nothing answered yet";
  if (!ids.length) return trouble("There is nothing to rate here.");
  const first = ids.findIndex((id) => status(id) === "open");
  show(first < 0 ? ids.length - 1 : first);
  if (first < 0) finish();
  if (!packed) ahead();
}
async function start() {
  if (packed) return open(given);
  try { open(await ask("state")); } catch (error) {
    if (error.status === undefined && !(error instanceof TypeError)) throw error;
    trouble(error.status === 403 ? error.message : "No connection yet; trying again.");
    if (error.status !== 403) setTimeout(start, 2000);
  }
}
start();
})();
