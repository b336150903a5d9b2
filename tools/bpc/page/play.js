"use strict";
// The editor: each text goes to `bpc` on this machine, and what comes back is the text's page, or what is wrong with it.
const $ = id => document.getElementById(id);
const given = JSON.parse($("given").textContent), token = new URLSearchParams(location.search).get("token");
const tab = Math.random().toString(36).slice(2);
history.replaceState(null, "", location.href);

async function ask(path, options = {}) {
  const response = await fetch(path, { ...options, headers: { "X-Bpc-Token": token } });
  if (!response.ok) throw new Error((await response.json().catch(() => ({}))).error || `bpc play answers ${response.status}`);
  return response;
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) name.startsWith("on") ? made.addEventListener(name.slice(2), value) : made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// ---- the text ----

const text = $("text");
let messages = [];

// Lines are counted by bpc in code points from 1.
function offsetOf(lines, line, column) {
  let at = 0;
  for (let i = 0; i < line - 1 && i < lines.length; ++i) at += lines[i].length + 1;
  return at + [...(lines[line - 1] || "")].slice(0, column - 1).join("").length;
}

function drawText() {
  const lines = text.value.split("\n");
  $("lines").textContent = lines.map((_, i) => i + 1).join("\n");
  text.style.height = `${lines.length * 1.5 * parseFloat(getComputedStyle(text).fontSize) + 24}px`;
  text.style.width = `${Math.max(...lines.map(line => line.length)) + 4}ch`;
  const ranges = messages.filter(each => each.line > 0 && each.file === "<stdin>").map(each => {
    const from = offsetOf(lines, each.line, each.column);
    return { from, to: Math.max(from + 1, offsetOf(lines, each.end_line, each.end_column)), severity: each.severity };
  }).sort((a, b) => a.from - b.from);
  const parts = [];
  let at = 0;
  for (const { from, to, severity } of ranges) {
    if (from < at) continue;
    parts.push(text.value.slice(at, from), element("span", { class: severity }, text.value.slice(from, to)));
    at = to;
  }
  parts.push(text.value.slice(at));
  $("marks").replaceChildren(...parts);
}

function drawMessages() {
  $("messages").replaceChildren(...messages.map(each => {
    const place = each.line > 0 ? `line ${each.line}: ` : "";
    const go = () => {
      const at = offsetOf(text.value.split("\n"), each.line, each.column);
      text.focus();
      text.setSelectionRange(at, at);
    };
    const item = element("li", { class: each.severity }, element("button", { type: "button", onclick: go }, `${place}${each.message} [${each.code}]`));
    if (each.help) item.append(element("span", { class: "help" }, each.help));
    for (const note of each.notes || []) item.append(element("span", { class: "help" }, note));
    return item;
  }));
}

// ---- its page ----

const frame = $("page");
let position = null, running = 0;

async function explain() {
  const mine = ++running;
  $("state").textContent = "…";
  try {
    const answer = await (await ask(`/page?tab=${tab}`, { method: "POST", body: text.value })).json();
    if (mine !== running) return;
    messages = answer.messages;
    if (answer.code === 0) frame.srcdoc = answer.page;
    frame.classList.toggle("old", answer.code !== 0);
    $("state").textContent = answer.code === 0 ? "" : answer.code < 0 ? "stopped" : "the page shows the script as it was before";
  } catch (error) {
    if (mine !== running) return;
    messages = [{ severity: "error", code: "play", line: 0, message: error.message === "Failed to fetch" ? "bpc play has ended: start it again" : error.message }];
    $("state").textContent = "";
  }
  drawMessages();
  drawText();
}

let pending = null;
function changed() {
  messages = [];
  drawText();
  clearTimeout(pending);
  pending = setTimeout(explain, 250);
}

// The page says where its slider stands, and is told that when it comes anew.
addEventListener("message", event => {
  if (event.source !== frame.contentWindow || typeof event.data !== "object") return;
  if (event.data.ready) frame.contentWindow.postMessage({ position, theme: document.documentElement.dataset.theme }, "*");
  else if ("position" in event.data) position = event.data.position;
  if (event.data.theme) document.documentElement.dataset.theme = event.data.theme;
});

// ---- completion ----

let choices = [], chosen = 0, start = 0;

function wordBefore() {
  const before = text.value.slice(0, text.selectionStart), word = /[\p{L}_][\p{L}\p{N}_]*$/u.exec(before);
  return word && !/#[^\n]*$/.test(before) ? word[0] : "";
}

function complete() {
  const word = wordBefore(), after = text.value[text.selectionStart] || "";
  choices = [];
  if (word.length >= 2 && !/[\p{L}\p{N}_]/u.test(after)) {
    const own = text.value.match(/[\p{L}_][\p{L}\p{N}_]*/gu) || [];
    choices = [...new Set([...own, ...given.words])].filter(each => each.startsWith(word) && each !== word).sort().slice(0, 8);
  }
  chosen = 0;
  start = text.selectionStart - word.length;
  drawChoices();
}

function drawChoices() {
  const list = $("words");
  list.hidden = choices.length === 0;
  if (choices.length === 0) {
    text.removeAttribute("aria-activedescendant");
    return;
  }
  const before = text.value.slice(0, start).split("\n"), style = getComputedStyle(text), size = parseFloat(style.fontSize);
  list.style.top = `calc(${before.length * 1.5 * size}px + 0.6rem)`;
  list.style.left = `calc(${before.at(-1).length}ch * 0.95 + 0.4rem)`;
  list.replaceChildren(...choices.map((each, i) => element("li", { role: "option", id: `word${i}`, "aria-selected": String(i === chosen), onmousedown: event => { event.preventDefault(); chosen = i; accept(); } }, each)));
  text.setAttribute("aria-activedescendant", `word${chosen}`);
}

function accept() {
  text.setRangeText(choices[chosen], start, text.selectionStart, "end");
  choices = [];
  drawChoices();
  changed();
}

text.addEventListener("keydown", event => {
  if (choices.length > 0) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") chosen = (chosen + (event.key === "ArrowDown" ? 1 : choices.length - 1)) % choices.length, drawChoices();
    else if (event.key === "Tab" || event.key === "Enter") accept();
    else if (event.key === "Escape") choices = [], drawChoices();
    else return;
    event.preventDefault();
  }
});
text.addEventListener("input", () => { changed(); complete(); });
text.addEventListener("blur", () => { choices = []; drawChoices(); });

// ---- files ----

let saved = "";

// Of a group of examples, or of the folder.
async function open(name, groupName) {
  if (text.value !== saved && text.value.trim() !== "" && !confirm("Leave the script without saving it?")) return;
  text.value = await (await ask(`/script?name=${encodeURIComponent(name)}${groupName ? `&group=${encodeURIComponent(groupName)}` : ""}`)).text();
  saved = text.value;
  $("name").value = name;
  position = null;
  changed();
}

async function save() {
  try {
    await ask(`/script?name=${encodeURIComponent($("name").value)}`, { method: "POST", body: text.value });
    saved = text.value;
    $("state").textContent = "saved";
    await list();
  } catch (error) {
    $("state").textContent = error.message;
  }
}

async function list() {
  const names = await (await ask("/scripts")).json(), menu = $("open");
  const group = (label, entries, of) => entries.length === 0 ? [] : [element("optgroup", { label }, ...entries.map(name => element("option", { value: JSON.stringify([name, of]) }, name)))];
  menu.replaceChildren(element("option", { value: "" }, "choose…"), ...group("Scripts of the folder", names.scripts, ""),
                       ...names.groups.flatMap(each => group(each.name, each.examples, each.name)));
  return names;
}

$("open").addEventListener("change", async event => {
  if (event.target.value) await open(...JSON.parse(event.target.value)).catch(error => { $("state").textContent = error.message; });
  event.target.value = "";
});
$("save").addEventListener("click", save);
addEventListener("keydown", event => {
  if ((event.ctrlKey || event.metaKey) && event.key === "s") {
    event.preventDefault();
    save();
  }
});
addEventListener("beforeunload", event => { if (text.value !== saved && text.value.trim() !== "") event.preventDefault(); });

async function main() {
  document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const names = await list();
  await (names.first ? open(names.first, "") : open("tutorial.bp", "Examples"));
  document.documentElement.dataset.ready = "true";
}
main().catch(error => { $("state").textContent = error.message; });
