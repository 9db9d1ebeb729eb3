// The inputs of a modal: drawn, read, and told what is wrong with them.

import { allOptions } from "./blocks.js";
import { drawText, unescape } from "./text.js";
import { element } from "/shared/dom.js";

export function drawInput(block, names) {
  const part = block.element;
  const isGroup = part.type === "checkboxes" || part.type === "radio_buttons";
  const id = `input-${block.block_id}`;
  const field = element(isGroup ? "fieldset" : "div", { class: "field", "data-block": block.block_id });
  const label = element(isGroup ? "legend" : "label", isGroup ? {} : { for: id }, ...drawText(block.label, names));
  if (block.optional) label.append(element("span", { class: "optional", text: " (optional)" }));
  const hint = block.hint ? element("p", { class: "hint", id: `${id}-hint` }, ...drawText(block.hint, names)) : null;
  const wrong = element("p", { class: "wrong", id: `${id}-wrong`, hidden: true });
  const control = isGroup ? drawChoices(part, id) : drawControl(part, id, block);
  field.append(label, control, ...(hint ? [hint] : []), wrong);
  return field;
}

function drawControl(part, id, block) {
  const common = {
    id,
    "data-action": part.action_id,
    "aria-required": block.optional ? "false" : "true",
    "aria-describedby": `${id}-wrong${block.hint ? ` ${id}-hint` : ""}`,
  };
  if (part.type === "static_select") {
    const select = element("select", common);
    select.append(element("option", { value: "", text: part.placeholder?.text ?? "Choose" }));
    allOptions(part).forEach((option, index) => select.append(element("option", { value: index, text: unescape(option.text.text) })));
    const initial = allOptions(part).findIndex((option) => option.value === part.initial_option?.value);
    select.value = initial < 0 ? "" : String(initial);
    return select;
  }
  const multiline = part.type === "plain_text_input" && part.multiline;
  const control = element(multiline ? "textarea" : "input", {
    ...common,
    rows: multiline ? 4 : null,
    type: multiline ? null : part.type === "datepicker" ? "date" : "text",
    placeholder: part.placeholder?.text,
    maxlength: part.max_length ?? 3000,
  });
  control.value = part.initial_value ?? part.initial_date ?? "";
  return control;
}

function drawChoices(part, id) {
  const type = part.type === "checkboxes" ? "checkbox" : "radio";
  const initial = [...(part.initial_options ?? []), part.initial_option].filter(Boolean).map((option) => option.value);
  const choices = part.options.map((option, index) => {
    const input = element("input", { type, name: id, value: index, "data-action": part.action_id });
    input.checked = initial.includes(option.value);
    return element("label", { class: "choice" }, input, element("span", {}, ...drawText(option.text, () => "")));
  });
  return element("div", {}, ...choices);
}

export function readValues(root, view) {
  const values = {};
  for (const block of view.blocks.filter((b) => b.type === "input")) {
    const part = block.element;
    const field = root.querySelector(`[data-block="${CSS.escape(block.block_id)}"]`);
    values[block.block_id] = { [part.action_id]: { type: part.type, ...readField(field, part) } };
  }
  return values;
}

function readField(field, part) {
  if (part.type === "checkboxes" || part.type === "radio_buttons") {
    const chosen = [...field.querySelectorAll("input:checked")].map((input) => part.options[Number(input.value)]);
    return part.type === "checkboxes" ? { selected_options: chosen } : { selected_option: chosen[0] ?? null };
  }
  const control = field.querySelector("[data-action]");
  if (part.type === "static_select") {
    return { selected_option: control.value === "" ? null : allOptions(part)[Number(control.value)] };
  }
  if (part.type === "datepicker") return { selected_date: control.value || null };
  return { value: control.value || null };
}

export function showErrors(root, errors) {
  for (const field of root.querySelectorAll(".field")) {
    const words = errors[field.dataset.block];
    const wrong = field.querySelector(".wrong");
    wrong.textContent = words ?? "";
    wrong.hidden = !words;
    field.querySelectorAll("[data-action]").forEach((control) => {
      if (words) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    });
  }
  root.querySelector(".field [aria-invalid]")?.focus();
}
