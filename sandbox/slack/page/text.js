// Slack's text, drawn: plain_text as it is, mrkdwn with its marks. Nothing is ever taken for HTML.

import { element } from "/shared/dom.js";

const UNESCAPED = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };
const TOKEN = /<([^<>\n]+)>/;
const MARKS = [
  { tag: "pre", pattern: /```\n?([\s\S]+?)\n?```/, raw: true },
  { tag: "code", pattern: /`([^`\n]+)`/, raw: true },
  { tag: "strong", pattern: /(?<![\w*])\*(?=\S)([^*\n]*?\S)\*(?![\w*])/ },
  { tag: "em", pattern: /(?<![\w_])_(?=\S)([^_\n]*?\S)_(?![\w_])/ },
  { tag: "s", pattern: /(?<![\w~])~(?=\S)([^~\n]*?\S)~(?![\w~])/ },
];

export function unescape(text) {
  return text.replace(/&lt;|&gt;|&amp;/g, (entity) => UNESCAPED[entity]);
}

export function drawText(object, names) {
  if (object.type === "plain_text") return [document.createTextNode(unescape(object.text))];
  return drawMrkdwn(object.text, names);
}

export function drawMrkdwn(text, names) {
  const lines = text.split("\n");
  const drawn = [];
  let quoted = [];
  const plain = [];
  const flushPlain = () => {
    if (plain.length) drawn.push(...drawInline(plain.join("\n"), names));
    plain.length = 0;
  };
  const flushQuote = () => {
    if (quoted.length) drawn.push(element("blockquote", {}, ...drawInline(quoted.join("\n"), names)));
    quoted = [];
  };
  for (const line of lines) {
    if (line.startsWith("&gt;") || line.startsWith(">")) {
      flushPlain();
      quoted.push(line.replace(/^(&gt;|>) ?/, ""));
    } else {
      flushQuote();
      plain.push(line);
    }
  }
  flushPlain();
  flushQuote();
  return drawn;
}

function drawInline(text, names) {
  const first = firstMatch(text);
  if (!first) return text ? [document.createTextNode(unescape(text))] : [];
  const { match, draw } = first;
  const before = text.slice(0, match.index);
  const after = text.slice(match.index + match[0].length);
  return [...drawInline(before, names), draw(match, names), ...drawInline(after, names)];
}

function firstMatch(text) {
  const found = MARKS.map(({ tag, pattern, raw }) => ({
    match: pattern.exec(text),
    draw: (match, names) =>
      raw ? element(tag, { text: unescape(match[1]) }) : element(tag, {}, ...drawInline(match[1], names)),
  }));
  found.push({ match: TOKEN.exec(text), draw: (match, names) => drawToken(match[1], names) });
  return found
    .filter(({ match }) => match)
    .sort((a, b) => a.match.index - b.match.index)
    .at(0);
}

function drawToken(token, names) {
  const [target, ...rest] = token.split("|");
  const label = rest.length ? unescape(rest.join("|")) : null;
  if (target.startsWith("@")) return mention("@" + (label ?? names(target.slice(1))));
  if (target.startsWith("#")) return mention("#" + (label ?? names(target.slice(1))));
  if (target.startsWith("!date^")) return drawDate(target, label);
  if (target.startsWith("!")) return mention("@" + target.slice(1).split("^")[0]);
  if (/^(https?|mailto):/.test(target)) {
    const href = unescape(target);
    return element("a", { href, target: "_blank", rel: "noreferrer", text: label ?? href });
  }
  return document.createTextNode(`<${token}>`);
}

function mention(text) {
  return element("span", { class: "mention", text });
}

function drawDate(target, fallback) {
  const [, seconds, format = ""] = target.split("^");
  const moment = new Date(Number(seconds) * 1000);
  if (Number.isNaN(moment.getTime())) return document.createTextNode(fallback ?? "");
  const forms = {
    "{date_num}": moment.toISOString().slice(0, 10),
    "{date_short}": moment.toLocaleDateString("en-US", { month: "short", day: "numeric", year: "numeric" }),
    "{date_short_pretty}": moment.toLocaleDateString("en-US", { month: "short", day: "numeric", year: "numeric" }),
    "{date_long}": moment.toLocaleDateString("en-US", { dateStyle: "full" }),
    "{date_long_pretty}": moment.toLocaleDateString("en-US", { dateStyle: "full" }),
    "{date}": moment.toLocaleDateString("en-US", { dateStyle: "long" }),
    "{date_pretty}": moment.toLocaleDateString("en-US", { dateStyle: "long" }),
    "{time}": moment.toLocaleTimeString("en-US", { hour: "2-digit", minute: "2-digit" }),
    "{time_secs}": moment.toLocaleTimeString("en-US"),
  };
  const text = format.replace(/\{\w+\}/g, (name) => forms[name] ?? name);
  return element("time", { datetime: moment.toISOString(), title: fallback, text });
}
