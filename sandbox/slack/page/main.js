// The page: asks for what is new every second, draws what has changed, sends what a person does.

import { drawBlock } from "./blocks.js";
import { ask, showView } from "./modal.js";
import { drawMrkdwn, unescape } from "./text.js";
import { AWAY, call, drawLinks, element, say } from "/shared/dom.js";

const EVERY_MS = 700;
const page = Object.fromEntries(["user", "channels", "elsewhere", "links", "channel-name", "messages", "say", "text"].map((id) => [id, document.getElementById(id)]));
const query = new URLSearchParams(location.search);
let state = null;
let user = query.get("user") ?? "";
let channel = query.get("channel") ?? "";
const drawn = new Map();

const names = (id) =>
  state.people.find((person) => person.id === id)?.real_name ?? state.channels.find((c) => c.id === id)?.name ?? id;

async function refresh() {
  const since = state ? `&since=${state.version}` : "";
  const response = await fetch(`/_ui/state?user=${encodeURIComponent(user)}${since}`);
  const fresh = await response.json();
  if (fresh.unchanged) return;
  state = fresh;
  if (!user) {
    user = state.people.find((person) => !person.is_bot).id;
    state = null;
    await refresh();
    return;
  }
  if (!channel) channel = state.channels.find((c) => c.mine)?.id ?? "";
  draw();
}

function draw() {
  drawPeople();
  drawChannels();
  drawOtherPages();
  drawMessages();
  showView(state.view, { names, press: pressInView, submit, close });
}

function drawPeople() {
  const people = state.people.filter((person) => !person.is_bot);
  if (page.user.options.length !== people.length) {
    page.user.replaceChildren(...people.map((p) => element("option", { value: p.id, text: p.real_name })));
  }
  page.user.value = user;
}

function drawChannels() {
  const mine = state.channels.filter((c) => c.mine);
  if (page.channels.dataset.key === mine.map((c) => c.id).join() + channel) return;
  page.channels.dataset.key = mine.map((c) => c.id).join() + channel;
  page.channels.replaceChildren(...mine.map((c) => {
    const button = element("button", { type: "button", "aria-current": String(c.id === channel), text: `# ${c.name}` });
    button.addEventListener("click", () => {
      channel = c.id;
      draw();
      page.channels.querySelector("[aria-current=true]").focus();
    });
    return element("li", {}, button);
  }));
  page["channel-name"].textContent = `# ${names(channel)}`;
}

function drawOtherPages() {
  const key = JSON.stringify(state.links);
  if (page.links.dataset.key === key) return;
  page.links.dataset.key = key;
  page.elsewhere.hidden = key === "{}";
  drawLinks(page.links, state.links);
}

function shownMessages() {
  const current = state.channels.find((c) => c.id === channel);
  const whispers = state.ephemerals.filter((e) => e.channel === channel).map((e) => ({ ...e, user: state.bot, whisper: true }));
  const key = (m) => `${m.thread_ts ?? m.ts} ${m.ts}`;
  return [...(current?.messages ?? []), ...whispers].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function drawMessages() {
  const messages = shownMessages();
  const list = page.messages;
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const wanted = messages.map((message) => {
    const text = JSON.stringify(message);
    const id = `${channel} ${message.ts}`;
    const old = drawn.get(id);
    if (old?.text === text) return old.node;
    const focused = old && old.node.contains(document.activeElement);
    const node = drawMessage(message);
    drawn.set(id, { text, node });
    if (focused) queueMicrotask(() => (node.querySelector("button") ?? node).focus());
    return node;
  });
  const empty = element("p", { class: "empty", text: "Nothing here yet. Cards appear when the audit has found something." });
  place(list, wanted.length ? wanted : [empty]);
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function place(list, nodes) {
  [...list.children].filter((child) => !nodes.includes(child)).forEach((child) => child.remove());
  nodes.forEach((node, index) => {
    if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
  });
}

function drawMessage(message) {
  const isBot = !message.user || message.user === state.bot;
  const author = isBot ? "Recoup" : names(message.user);
  const when = new Date(Number(message.ts) * 1000);
  const time = element("time", { datetime: when.toISOString(), text: when.toLocaleTimeString("en-US", { hour: "2-digit", minute: "2-digit" }) });
  const by = element("p", { class: "by" }, element("strong", { text: author }), isBot ? element("span", { class: "tag", text: "APP" }) : null, time);
  const body = element("div", {}, by);
  if (message.whisper) body.append(element("p", { class: "note", text: "Only visible to you" }));
  const blocks = message.blocks ?? [];
  if (blocks.length) {
    const tools = { names, press: (blockId, part, chosen, control) => press(message, blockId, part, chosen, control) };
    blocks.forEach((block) => body.append(drawBlock(block, tools)));
  } else {
    body.append(element("div", { class: "words" }, ...drawMrkdwn(message.text, names)));
  }
  const isReply = message.thread_ts && message.thread_ts !== message.ts;
  return element("article", {
    class: [message.whisper ? "whisper" : "", isReply ? "reply" : ""].join(" ").trim() || null,
    "data-ts": message.ts,
    "aria-label": unescape(message.text) || `Message of ${author}`,
    tabindex: "-1",
  }, element("div", { class: isBot ? "face bot" : "face", "aria-hidden": "true", text: author[0] }), body);
}

async function press(message, blockId, part, chosen, control) {
  await used(part, control, { user, channel, ts: message.ts, block_id: blockId, action_id: part.action_id ?? "", chosen });
}

async function pressInView(blockId, part, chosen, control) {
  await used(part, control, { user, view_id: state.view.id, block_id: blockId, action_id: part.action_id ?? "", chosen });
}

async function used(part, control, told) {
  if (part.confirm && !(await ask(part.confirm))) return;
  if (part.url) window.open(part.url, "_blank", "noreferrer");
  control.disabled = true;
  const outcome = await call("/_ui/press", told);
  control.disabled = false;
  say(outcome.ok || part.url ? "" : outcome.problem ?? "That button is gone. The message has changed.");
  await refresh();
}

async function submit(viewId, values) {
  const outcome = await call("/_ui/submit", { user, view_id: viewId, values });
  await refresh();
  return outcome;
}

async function close(viewId) {
  await call("/_ui/close", { user, view_id: viewId });
  await refresh();
}

page.user.addEventListener("change", () => {
  user = page.user.value;
  state = { ...state, version: -1 };
  drawn.clear();
  say("");
  refresh();
});

page.say.addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = page.text.value.trim();
  if (!text) return;
  const outcome = await call("/_ui/say", { user, channel, text });
  say(outcome.ok ? "" : outcome.problem ?? "That could not be sent.");
  if (outcome.ok) page.text.value = "";
  await refresh();
  page.messages.scrollTop = page.messages.scrollHeight;
});

async function keepFresh() {
  try {
    await refresh();
  } catch {
    say(AWAY);
  }
  setTimeout(keepFresh, EVERY_MS);
}

keepFresh();
