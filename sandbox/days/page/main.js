// The page: asks how far the days have got, draws what has changed, sends what a person does.

import { AWAY, call, drawLinks, element, say } from "/shared/dom.js";

const EVERY_MS = 700;
const byId = (id) => document.getElementById(id);
let last = "";

async function refresh() {
  const response = await fetch("/_ui/state");
  const text = await response.text();
  if (text === last) return;
  const before = last ? JSON.parse(last) : null;
  last = text;
  draw(JSON.parse(text), before);
}

function draw(state, before) {
  const [weekday, date] = state.day.split(", ");
  byId("weekday").textContent = weekday;
  byId("date").textContent = date;
  byId("now").setAttribute("datetime", state.now);
  byId("clock").textContent = state.time;
  byId("zone").textContent = state.zone;
  byId("to").min = state.now.slice(0, 10);
  drawWalk(state);
  if (state.problem !== (before?.problem ?? "")) say(state.problem);
  const changed = (name) => JSON.stringify(state[name]) !== JSON.stringify(before?.[name]);
  if (changed("links")) drawLinks(byId("links"), state.links);
  if (changed("cases")) drawCases(state.cases);
  if (changed("told")) drawTold(state.told);
}

function drawWalk(state) {
  for (const id of ["next", "monday"]) byId(id).disabled = state.is_walking;
  byId("further").querySelector("button").disabled = state.is_walking;
  byId("walk").hidden = !state.is_walking;
  byId("bar").max = state.of || 1;
  byId("bar").value = state.done;
  byId("doing").textContent = state.is_walking ? `${state.doing} …` : "";
}

function drawTold(told) {
  const days = told.map(({ day, lines }) => {
    const list = lines.length
      ? element("ul", {}, ...lines.map((line) => element("li", { text: line })))
      : element("p", { class: "nothing words", text: "Nothing new." });
    return element("li", { class: "day" }, element("strong", { text: day }), list);
  });
  const empty = element("li", { class: "empty", text: "No day has passed yet. Next day lets Amazon write its reports and Recoup read them." });
  byId("told").replaceChildren(...(days.length ? days : [empty]));
}

function drawCases(cases) {
  const typed = new Map([...document.querySelectorAll(".again textarea")].map((area) => [area.name, area.value]));
  const focused = document.activeElement?.name;
  const drawn = cases.map((one) => drawCase(one, typed.get(one.case_id) ?? ""));
  byId("cases").replaceChildren(...(drawn.length ? drawn : [element("p", { class: "empty", text: "No case is open yet." })]));
  if (focused) document.querySelector(`.again textarea[name="${CSS.escape(focused)}"]`)?.focus();
}

function drawCase(one, typed) {
  const title = element("h3", { text: `Case ${one.case_id}` });
  const head = element("header", {}, title, copyButton(one.case_id, "Copy the number"));
  const parts = [head, element("p", { class: one.waits || !one.claims.length ? "state waits" : "state", text: standing(one) })];
  if (one.text) {
    parts.push(element("details", {}, element("summary", { text: "What was asked" }), element("p", { class: "words", text: one.text })));
  }
  for (const reply of one.replies) {
    parts.push(element("div", { class: "reply" },
      element("p", { class: "by", text: `Amazon, ${reply.day}` }),
      element("p", { class: "words", text: reply.text }),
      copyButton(reply.text, "Copy the reply")));
  }
  if (one.waits) parts.push(drawAgain(one, typed));
  return element("article", { class: "case", "aria-label": `Case ${one.case_id}` }, ...parts);
}

function standing(one) {
  const opened = `Opened ${one.opened_on}`;
  if (!one.claims.length) return `${opened}. Next: record its number in Recoup with Filed…; Amazon does not look at it before.`;
  const state = one.waits ? "waits for you" : one.replies.length ? "answered" : "open";
  const again = one.written_on ? `; you wrote again ${one.written_on}` : "";
  return `${opened}, about claim ${one.claims.join(", ")}, ${state}${again}.`;
}

function drawAgain(one, typed) {
  const id = `again-${one.case_id}`;
  const area = element("textarea", { id, name: one.case_id, rows: 3, maxlength: 20000 });
  area.value = typed;
  const form = element("form", { class: "again" },
    element("label", { for: id, text: "Write to this case: an answer, or an appeal" }),
    area,
    element("button", { type: "submit", text: "Send" }));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const outcome = await call(`/_ui/cases/${encodeURIComponent(one.case_id)}`, { text: area.value });
    say(outcome.ok ? "" : outcome.problem);
    await refresh();
  });
  return form;
}

function copyButton(text, name) {
  const button = element("button", { type: "button", text: name });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select and copy it by hand";
    }
    setTimeout(() => { button.textContent = name; }, 2000);
  });
  return button;
}

async function move(to) {
  if (byId("next").disabled) return;
  const outcome = await call("/_ui/move", { to });
  say(outcome.ok ? "" : outcome.problem);
  await refresh();
}

byId("next").addEventListener("click", () => move("next"));
byId("monday").addEventListener("click", () => move("monday"));
byId("further").addEventListener("submit", (event) => {
  event.preventDefault();
  move(byId("to").value);
});
byId("open").addEventListener("submit", async (event) => {
  event.preventDefault();
  const outcome = await call("/_ui/cases", { text: byId("text").value });
  say(outcome.ok ? "" : outcome.problem);
  byId("opened").textContent = outcome.ok ? `Case ID ${outcome.case_id}` : "";
  if (outcome.ok) byId("text").value = "";
  await refresh();
});
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, textarea, select");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "n") move("next");
  if (event.key === "m") move("monday");
});

async function keepFresh() {
  try {
    await refresh();
  } catch {
    last = "";
    say(AWAY);
  }
  setTimeout(keepFresh, EVERY_MS);
}

keepFresh();
