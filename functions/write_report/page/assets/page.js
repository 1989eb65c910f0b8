"use strict";
// The page reads without it. It sorts and filters tables, tells how old moments are, copies lines,
// and opens what is folded before the page is printed.

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];
const WAIT = 1500;

function ago(moment) {
  const seconds = (Date.now() - moment) / 1000;
  // 47 hours say more than 2 days.
  const [unit, size] = UNITS.find(([, size]) => seconds >= 2 * size) || ["minute", 60];
  const count = Math.round(seconds / size);
  if (count < 1) return "just now";
  return `${count.toLocaleString("en")} ${unit}${count === 1 ? "" : "s"} ago`;
}

function showAges() {
  for (const time of document.querySelectorAll("dd > time")) {
    if (isNaN(Date.parse(time.dateTime))) continue;
    const age = document.createElement("small");
    age.className = "age";
    const tell = () => { age.textContent = `(${ago(Date.parse(time.dateTime))})`; };
    tell();
    setInterval(tell, 60000);
    time.parentNode.append(" ", age);
  }
}

function valueOf(row, column) {
  const time = row.cells[column].querySelector("time");
  if (time) return Date.parse(time.dateTime);
  const text = row.cells[column].textContent.trim();
  const number = text.replaceAll(",", "");
  return number !== "" && !isNaN(number) ? Number(number) : text;
}

function compare(left, right) {
  if (typeof left === "number" && typeof right === "number") return left - right;
  return String(left).localeCompare(String(right), "en", { numeric: true });
}

function sort(table, header) {
  const column = header.cellIndex;
  const body = table.tBodies[0];
  const first = column ? "descending" : "ascending"; // names from a on, numbers from the largest
  const other = column ? "ascending" : "descending";
  const order = header.getAttribute("aria-sort") === first ? other : first;
  for (const each of header.parentNode.cells) each.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", order);
  const sign = order === "ascending" ? 1 : -1;
  const keyed = [...body.rows].map((row) => [valueOf(row, column), row]);
  keyed.sort(([left], [right]) => {
    // What is empty is last in either order.
    if (left === "" || right === "") return (left === "") - (right === "");
    return sign * compare(left, right);
  });
  body.append(...keyed.map(([, row]) => row));
}

function makeSortable(table) {
  if (table.tBodies[0].rows.length < 2) return;
  for (const header of table.tHead.rows[0].cells) {
    if (header.className === "bar") continue;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => sort(table, header));
  }
}

function makeFilter(part) {
  const table = part.nextElementSibling.querySelector("table");
  const input = part.querySelector("input");
  const output = part.querySelector("output");
  const rows = [...table.tBodies[0].rows];
  part.hidden = false;
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
      shown += row.hidden ? 0 : 1;
    }
    output.textContent = wanted
      ? `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} shown`
      : "";
  });
}

function makeCopyable(part) {
  const code = part.querySelector("code");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, WAIT);
    } catch {
      getSelection().selectAllChildren(code); // for the keyboard
    }
  });
  part.append(button);
}

function openForPrint() {
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const each of opened) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of opened) each.open = false;
  });
}

// Who uses the keyboard should stop only at what scrolls.
function stopAtWhatScrolls(part) {
  const scrolls = part.scrollWidth > part.clientWidth || part.scrollHeight > part.clientHeight;
  if (scrolls) part.tabIndex = 0;
  else part.removeAttribute("tabindex");
}

function watchWhatScrolls() {
  const observer = new ResizeObserver((entries) => {
    for (const entry of entries) stopAtWhatScrolls(entry.target);
  });
  document.querySelectorAll(".scroll, pre").forEach((part) => observer.observe(part));
}

showAges();
watchWhatScrolls();
document.querySelectorAll("table.sortable").forEach(makeSortable);
document.querySelectorAll(".filter").forEach(makeFilter);
document.querySelectorAll(".code").forEach(makeCopyable);
openForPrint();
