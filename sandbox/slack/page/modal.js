// The modal on top, and the question that a button may ask first.

import { drawBlock } from "./blocks.js";
import { drawInput, readValues, showErrors } from "./fields.js";
import { drawText, unescape } from "./text.js";
import { element } from "/shared/dom.js";

const dialog = document.getElementById("modal");
const question = document.getElementById("confirm");
let shown = "";

export function showView(view, { names, press, submit, close }) {
  const key = view ? `${view.id} ${view.hash}` : "";
  if (key === shown) return;
  shown = key;
  if (!view) {
    dialog.close();
    return;
  }
  drawView(view, { names, press, submit, close });
  if (!dialog.open) dialog.showModal();
  dialog.querySelector(".field [data-action], footer .primary")?.focus();
}

function drawView(view, { names, press, submit, close }) {
  const dismiss = () => close(view.id);
  const inside = element("div", { class: "inside" });
  for (const block of view.blocks) {
    inside.append(block.type === "input" ? drawInput(block, names) : drawBlock(block, { names, press }));
  }
  const wrong = element("p", { class: "wrong", role: "alert" });
  inside.append(wrong);
  const cancel = element("button", { type: "button", text: unescape(view.close?.text ?? "Close") });
  cancel.addEventListener("click", dismiss);
  const send = view.submit ? element("button", { type: "submit", class: "primary", text: unescape(view.submit.text) }) : null;
  const form = element("form", { novalidate: true },
    element("header", {}, element("h2", { id: "modal-title", text: unescape(view.title.text) })),
    inside,
    element("footer", {}, cancel, send));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    const outcome = await submit(view.id, readValues(form, view));
    send.disabled = false;
    wrong.textContent = outcome.problem ?? "";
    showErrors(form, outcome.errors ?? {});
  });
  dialog.replaceChildren(form);
  dialog.oncancel = (event) => {
    event.preventDefault();
    dismiss();
  };
}

export function ask(confirm) {
  return new Promise((resolve) => {
    const answer = (value) => () => {
      question.close();
      resolve(value);
    };
    const yes = element("button", { type: "button", class: confirm.style === "danger" ? "danger" : "primary", text: unescape(confirm.confirm.text) });
    const no = element("button", { type: "button", text: unescape(confirm.deny.text) });
    yes.addEventListener("click", answer(true));
    no.addEventListener("click", answer(false));
    question.oncancel = () => resolve(false);
    question.replaceChildren(
      element("header", {}, element("h2", { id: "confirm-title", text: unescape(confirm.title.text) })),
      element("div", { class: "inside words" }, ...drawText(confirm.text, () => "")),
      element("footer", {}, no, yes));
    question.showModal();
  });
}
