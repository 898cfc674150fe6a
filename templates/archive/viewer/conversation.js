// A decrypted room to read, some lines at a time: however many there are, the page holds no more of them.

const LINES = 200;

class Talk {
  constructor(archive, files) {
    this.archive = archive;
    this.files = files;
    this.room = null;
    this.from = 0;
    byId("earlier").addEventListener("click", () => this.turn(-LINES));
    byId("later").addEventListener("click", () => this.turn(LINES));
    byId("close").addEventListener("click", () => this.close());
  }

  open(room, opener) {
    this.room = room;
    this.opener = opener;
    this.from = 0;
    this.show();
    focusOn(byId("talk-title"));
  }

  close() {
    byId("talk").hidden = true;
    byId("lines").replaceChildren();
    if (this.opener) this.opener.focus();
  }

  turn(by) {
    this.from = Math.max(0, this.from + by);
    this.show();
    focusOn(byId("talk-title"));
  }

  // To what a search found, or to what is answered
  jump(each) {
    this.room = this.archive.rooms.get(`${each.volume.number} ${each.room}`);
    this.opener = document.activeElement;
    const line = this.room.byId.get(each.item.target);
    this.reach(each.item.at === undefined && line ? line : each.item);
  }

  reach(line) {
    this.from = Math.floor(line.at / LINES) * LINES;
    this.show();
    const element = document.getElementById(`v-line-${line.at}`);
    focusOn(element);
    element.scrollIntoView({ block: "center" });
  }

  show() {
    const { lines } = this.room;
    const to = Math.min(lines.length, this.from + LINES);
    byId("talk").hidden = false;
    byId("talk-title").replaceChildren(own(this.archive.name(this.room.room)));
    byId("talk-span").textContent = word("span", { from: Math.min(this.from + 1, to), to, all: lines.length });
    byId("earlier").disabled = this.from === 0;
    byId("later").disabled = to === lines.length;
    byId("lines").replaceChildren(...days(lines.slice(this.from, to)).flatMap((day) => this.day(day)));
  }

  day({ t, lines }) {
    const title = make("h4", { class: "day" }, make("time", { datetime: dayOf(t) || null }, shownDay(t)));
    return [title, make("ol", { class: "talk" }, ...lines.map((line) => this.line(line)))];
  }

  line(line) {
    const content = line.file ? this.file(line) : isSaid(line) ? this.said(line) : did(line);
    const who = this.room.others ? make("span", { class: "tag" }, own(line.who)) : null;
    return make("li", { id: `v-line-${line.at}` }, make("span", { class: "at" }, timeOf(line.t)), make("div", null, who, content, reactions(line)));
  }

  said(line) {
    const star = line.kind === "emote" ? "* " : "";
    return make("div", { class: "say" }, ...this.tags(line), make("p", { dir: "auto" }, star + saidNow(line)), cut(line), before(line));
  }

  tags(line) {
    const tags = [this.answer(line)];
    if (line.thread) tags.push(this.pointer("in-thread", line.thread));
    if (line.kind === "edit") tags.push(make("span", { class: "tag" }, word("edit-of-earlier")));
    if (line.kind === "notice" || line.kind === "location") tags.push(make("span", { class: "tag" }, word(`kind-${line.kind}`)));
    return tags;
  }

  answer(line) {
    if (!line.reply) return null;
    const target = this.room.byId.get(line.reply);
    const tag = this.pointer("reply", line.reply);
    const quote = target && target.at !== undefined ? saidNow(target) || target.name : "";
    if (quote) tag.append(make("q", { dir: "auto" }, quote.slice(0, 120)));
    return tag;
  }

  // A tag that leads to another line, if it is the person's and here
  pointer(code, id) {
    const target = this.room.byId.get(id);
    if (!target || target.at === undefined) return make("span", { class: "tag" }, word(code));
    const click = () => this.reach(target);
    return make("span", { class: "tag" }, make("button", { type: "button", class: "way", click }, word(code)), " ");
  }

  file(line) {
    const text = saidNow(line) ? make("p", { dir: "auto" }, saidNow(line)) : null;
    return make("div", { class: "say" }, ...this.tags(line), this.files.figure(line), text, before(line));
  }
}

// Lines by day: [{t, lines}]
function days(lines) {
  const found = [];
  for (const line of lines) {
    const last = found[found.length - 1];
    if (last && dayOf(last.t) === dayOf(line.t)) last.lines.push(line);
    else found.push({ t: line.t, lines: [line] });
  }
  return found;
}

function isSaid(line) {
  return ["text", "notice", "emote", "location", "edit"].includes(line.kind);
}

// Everything that is no message: what kind it is, and its text if it has one
function did(line) {
  const gone = line.kind === "redacted" || line.kind === "encrypted";
  const known = Object.hasOwn(island("words"), `kind-${line.kind}`) ? `kind-${line.kind}` : "kind-other";
  const said = word(line.why ? `why-${line.why}` : known, { what: line.kind === "reaction" ? line.name : "" });
  const text = line.text && line.kind !== "reaction" ? [": ", own(line.text)] : [];
  return make("div", { class: "did" }, make("span", { class: gone ? "gone" : null }, said), ...text);
}

function cut(line) {
  return line.cut ? make("span", { class: "tag" }, word("cut")) : null;
}

function before(line) {
  const earlier = saidBefore(line);
  if (earlier.length === 0) return null;
  const texts = earlier.map((text) => make("li", { dir: "auto" }, text));
  return make("details", null, make("summary", null, word("edited", { n: line.edits.length })), make("ol", null, ...texts));
}

function reactions(line) {
  if (line.reactions.size === 0) return null;
  const all = [...line.reactions].map(([key, count]) => make("li", null, own(key), count > 1 ? ` × ${count}` : ""));
  return make("ul", { class: "reactions", "aria-label": word("reactions") }, ...all);
}
