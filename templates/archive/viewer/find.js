// The search: what is typed -> results, over all rooms of the volume and, if asked, of the others.

const RESULTS = 50;
const PAUSE = 120; // milliseconds without a key before the search begins

class Find {
  constructor(archive, talk) {
    this.archive = archive;
    this.talk = talk;
    this.limit = RESULTS;
    this.loading = null;
    this.timer = 0;
    this.absent = [];
    this.offerRooms();
    const again = () => this.soon();
    for (const id of ["query", "room", "from", "to"]) byId(id).addEventListener("input", again);
    byId("query").addEventListener("focus", () => this.load(), { once: true });
    byId("others").addEventListener("change", () => this.restart());
    byId("others-line").hidden = archive.volumes.length < 2;
    byId("find").addEventListener("submit", (event) => {
      event.preventDefault();
      this.run();
    });
  }

  offerRooms() {
    const numbers = Object.keys(this.archive.described).map(Number);
    for (const number of numbers) {
      byId("room").append(make("option", { value: String(number) }, this.archive.name(number)));
    }
  }

  soon() {
    clearTimeout(this.timer);
    this.limit = RESULTS;
    this.timer = setTimeout(() => this.run(), PAUSE);
  }

  restart() {
    this.loading = null;
    this.run();
  }

  // The volume's texts, once; those of the others when they are wanted
  load() {
    if (!this.loading) this.loading = this.loadAll();
    return this.loading;
  }

  async loadAll() {
    const wanted = byId("others").checked ? this.archive.volumes : [this.archive.own];
    this.absent = [];
    say("find-status", word("loading"));
    for (const volume of wanted) {
      try {
        await this.archive.load(volume, breathe);
        if (!volume.own && this.archive.rooms.size > 0) await this.archive.open(volume, breathe);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        this.absent.push(volume.number);
      }
    }
    say("find-status", this.remark());
  }

  remark() {
    return this.absent.length > 0 ? word("volumes-absent", { which: this.absent.join(", ") }) : "";
  }

  async run() {
    const words = wordsOf(byId("query").value);
    if (words.length === 0) return this.show([], words);
    await this.load();
    if (wordsOf(byId("query").value).join(" ") !== words.join(" ")) return; // typed on meanwhile: that run shows
    const room = byId("room").value === "" ? null : Number(byId("room").value);
    const from = Date.parse(byId("from").value);
    const to = Date.parse(byId("to").value);
    const until = Number.isNaN(to) ? null : to + 86400000;
    this.show(this.archive.index.find(words, room, Number.isNaN(from) ? null : from, until), words);
  }

  show(found, words) {
    const items = found.slice(0, this.limit).map((each) => this.result(each, words));
    byId("results").replaceChildren(...items);
    byId("more").hidden = found.length <= this.limit;
    byId("more").onclick = () => this.more(found, words);
    if (words.length === 0) return say("find-status", this.remark());
    const count = found.length === 0 ? word("found-none") : word(found.length === 1 ? "found-one" : "found", { n: found.length });
    say("find-status", [count, this.remark()].filter(Boolean).join(" "), this.absent.length > 0);
  }

  more(found, words) {
    const before = this.limit;
    this.limit += RESULTS;
    this.show(found, words);
    byId("results").children[before].querySelector("a,button").focus();
  }

  result(each, words) {
    const text = snippet(each.text, words, 80).map((piece) => (piece.hit ? make("mark", null, piece.text) : piece.text));
    const other = each.volume.own ? "" : ` · ${word("volume", { n: each.volume.number })}`;
    const where = make("span", { class: "soft" }, own(this.archive.name(each.room)), ` · ${shownDay(each.t)} ${timeOf(each.t)}${other}`);
    return make("li", null, this.way(each, where), make("p", { dir: "auto" }, ...text));
  }

  // Into the conversation if it was decrypted, else to its place on the room's page
  way(each, where) {
    if (each.item) return make("button", { type: "button", class: "way", click: () => this.talk.jump(each) }, where);
    const address = pageAddress(each.volume, each.page, each.n);
    return address ? make("a", { href: address }, where) : where;
  }
}

// A page of the archive and nothing else; null if it is none
function pageAddress(volume, page, number) {
  if (typeof page !== "string" || !/^rooms\/[^:\\]+\.html$/.test(page) || page.includes("..")) return null;
  const folder = volume.base || "";
  return `${(folder + page).split("/").map(encodeURIComponent).join("/")}#e${Number(number)}`;
}
