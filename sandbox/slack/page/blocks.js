// Block Kit, drawn. `press(blockId, element, chosen)` is what a used element calls.

import { drawText, unescape } from "./text.js";
import { element } from "/shared/dom.js";

export function drawBlock(block, { names, press }) {
  const drawer = BLOCKS[block.type];
  if (!drawer) return element("p", { class: "block note", text: `(a block of type ${block.type})` });
  return drawer(block, { names, press });
}

const BLOCKS = {
  header: (block, { names }) => element("h3", { class: "block" }, ...drawText(block.text, names)),
  divider: () => element("hr", { class: "block" }),
  section: drawSection,
  context: (block, { names }) => element("div", { class: "block context" }, ...block.elements.map((e) => drawPart(e, names))),
  actions: (block, tools) =>
    element("div", { class: "block actions" }, ...block.elements.map((e) => drawElement(e, block, tools))),
  image: (block) => drawImage(block),
};

function drawSection(block, tools) {
  const body = element("div", { class: "body" });
  if (block.text) body.append(element("div", { class: "words" }, ...drawText(block.text, tools.names)));
  if (block.fields) {
    const fields = block.fields.map((f) => element("div", { class: "words" }, ...drawText(f, tools.names)));
    body.append(element("div", { class: "fields" }, ...fields));
  }
  const accessory = block.accessory ? drawElement(block.accessory, block, tools) : null;
  return element("div", { class: "block section" }, body, accessory);
}

function drawPart(part, names) {
  return part.type === "image" ? drawImage(part) : element("span", { class: "words" }, ...drawText(part, names));
}

function drawImage(image) {
  return element("span", { role: "img", "aria-label": image.alt_text, text: `[${image.alt_text}]` });
}

function drawElement(part, block, tools) {
  if (part.type === "image") return drawImage(part);
  if (part.type === "button") return drawButton(part, block, tools);
  if (part.type === "static_select" || part.type === "overflow") return drawSelect(part, block, tools);
  return element("span", { class: "note", text: `(an element of type ${part.type})` });
}

function drawButton(part, block, { press }) {
  const button = element("button", {
    type: "button",
    class: `press ${part.style ?? ""}`.trim(),
    "data-action": part.action_id,
    "data-block": block.block_id,
    "aria-label": part.accessibility_label ? unescape(part.accessibility_label) : null,
    text: unescape(part.text.text),
  });
  button.addEventListener("click", () => press(block.block_id, part, null, button));
  return button;
}

function drawSelect(part, block, { press }) {
  const label = part.placeholder ? unescape(part.placeholder.text) : (part.type === "overflow" ? "More actions" : "Choose");
  const select = element("select", { "aria-label": label, "data-action": part.action_id, "data-block": block.block_id });
  select.append(element("option", { value: "", text: label }));
  const options = allOptions(part);
  options.forEach((option, index) => select.append(element("option", { value: index, text: unescape(option.text.text) })));
  select.value = String(options.findIndex((option) => option.value === part.initial_option?.value));
  if (select.selectedIndex < 0) select.value = "";
  select.addEventListener("change", () => {
    if (select.value !== "") press(block.block_id, part, options[Number(select.value)], select);
  });
  return select;
}

export function allOptions(part) {
  return part.options ?? (part.option_groups ?? []).flatMap((group) => group.options);
}
