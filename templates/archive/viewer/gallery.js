// Attachments: bytes from the chosen folder or ZIP files, opened, shown or saved.

const SHOWN = 24;
const LARGEST_SHOWN = 104857600; // bytes; anything larger is only saved

class Files {
  constructor(archive) {
    this.archive = archive;
    this.places = new Map();
    this.addresses = [];
    this.from = 0;
    for (const id of ["folder", "zips"]) byId(id).addEventListener("change", (event) => this.take(event.target.files));
    const zone = byId("drop");
    for (const each of ["dragover", "drop"]) document.addEventListener(each, (event) => event.preventDefault());
    zone.addEventListener("drop", async (event) => this.take(await this.dropped(event.dataTransfer)));
    byId("gallery-earlier").addEventListener("click", () => this.turn(-SHOWN));
    byId("gallery-later").addEventListener("click", () => this.turn(SHOWN));
  }

  async dropped(transfer) {
    try {
      return await droppedFiles(transfer);
    } catch {
      say("files-status", word("drop-refused"), true); // browsers forbid some of it to pages from file://
      return [];
    }
  }

  async take(files) {
    if (files.length === 0) return;
    say("files-status", word("reading"));
    try {
      const known = await this.archive.source.add(Array.from(files));
      this.places = await this.archive.media();
      say("files-status", known > 0 ? word("files-known", { n: known }) : word("files-none"), known === 0);
    } catch (error) {
      sayProblem("files-status", error);
    }
    this.turn(0);
  }

  // All encrypted files of the rooms that are open
  all() {
    return [...this.archive.rooms.values()].flatMap((room) => room.lines.filter((line) => line.file && line.file.sealed));
  }

  turn(by) {
    const all = this.all();
    this.from = Math.min(Math.max(0, this.from + by), Math.max(0, all.length - 1));
    this.release();
    byId("files").hidden = all.length === 0;
    const to = Math.min(all.length, this.from + SHOWN);
    byId("gallery-span").textContent = word("span", { from: Math.min(this.from + 1, to), to, all: all.length });
    byId("gallery-earlier").disabled = this.from === 0;
    byId("gallery-later").disabled = to === all.length;
    const figures = all.slice(this.from, to).map((line) => this.figure(line));
    byId("gallery").replaceChildren(...figures.map((figure) => make("li", null, figure)));
    return this.showAll(figures);
  }

  // One after the other: many at once would need their memory at once
  async showAll(figures) {
    const from = this.from;
    for (const figure of figures) {
      if (from !== this.from || !figure.isConnected) return;
      if (this.archive.source.files.size > 0 && figure.dataset.kind === "image") await figure.open();
    }
  }

  release() {
    for (const address of this.addresses) URL.revokeObjectURL(address);
    this.addresses = [];
  }

  // A file's name with what can be done with it
  figure(line) {
    const kind = this.archive.shownAs(line.file.type);
    const name = line.name || word("file-unnamed");
    const size = line.file.size === null ? "" : ` · ${shownSize(line.file.size)}`;
    const state = make("span", { class: "tag", role: "status" });
    const figure = make("figure", { "data-kind": kind }, make("figcaption", null, own(name), make("span", { class: "soft" }, `${size} · ${shownDay(line.t)}`)), state);
    if (!line.file.sealed) {
      state.textContent = word("file-plain");
      return figure;
    }
    figure.open = () => this.open(line, kind, figure, state);
    if (kind !== "file") figure.append(button("show", figure.open));
    figure.append(button("save", () => this.save(line, name, state)));
    return figure;
  }

  async open(line, kind, figure, state) {
    const blob = await this.opened(line, state);
    if (!blob) return;
    if (blob.size > LARGEST_SHOWN) {
      state.textContent = word("file-large");
      return;
    }
    const address = URL.createObjectURL(new Blob([blob], { type: line.file.type }));
    this.addresses.push(address);
    const shown = make(kind === "image" ? "img" : kind, { src: address });
    if (kind === "image") shown.alt = line.text || line.name;
    else shown.controls = true;
    shown.addEventListener("error", () => (state.textContent = word("file-not-shown")));
    for (const old of figure.querySelectorAll("img,video,audio")) old.remove();
    figure.prepend(shown);
  }

  async save(line, name, state) {
    const blob = await this.opened(line, state);
    if (!blob) return;
    const address = URL.createObjectURL(new Blob([blob], { type: "application/octet-stream" }));
    make("a", { href: address, download: harmlessName(name) }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  }

  // The clear Blob, or null with the reason said
  async opened(line, state) {
    try {
      if (this.archive.source.files.size === 0) throw new Problem("choose-first");
      state.textContent = word("reading");
      const place = this.places.get(line.file.url);
      if (!place || typeof place.file !== "string") throw new Problem("not-held");
      const blob = await openAttachment(await this.archive.source.blob(place.file), line.file.sealed);
      state.textContent = "";
      return blob;
    } catch (error) {
      const code = error instanceof Problem ? error.code : "broken";
      state.textContent = word(`file-problem-${code}`);
      return null;
    }
  }
}
