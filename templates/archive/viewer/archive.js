// The archive as the page sees it: its volumes, what was opened of them, the index.

class Archive {
  constructor(contents) {
    this.described = mapping(contents.rooms);
    const volumes = (Array.isArray(contents.volumes) ? contents.volumes : []).map(mapping);
    this.volumes = volumes.map((each) => new Volume(each, each.number === contents.volume));
    this.own = this.volumes.find((volume) => volume.own) || new Volume({ number: contents.volume }, true);
    this.types = mapping(contents.types);
    this.index = new Index();
    this.vault = new Vault();
    this.rooms = new Map(); // volume and room -> its conversation, once decrypted
    this.source = new Source();
  }

  name(room) {
    return safe(mapping(this.described[room]).name) || word("room-unnamed", { n: room });
  }

  isEncrypted(room) {
    return mapping(this.described[room]).encrypted === true;
  }

  roomId(room, lines) {
    const said = mapping(this.described[room]).room_id; // empty for rooms that lie in other volumes only
    const line = lines.find((each) => each.e);
    return said || (line ? mapping(line.e).room_id : "");
  }

  // Rooms of a volume that hold something encrypted
  encryptedRooms(volume) {
    const numbers = new Set(volume.of("events").map((script) => script.room));
    return [...numbers].filter((room) => this.isEncrypted(room) || volume.of("keys", room).length > 0);
  }

  // How a kind of files is shown: "image", "video", "audio", or "file" if it is only saved
  shownAs(type) {
    const kinds = Object.keys(this.types).filter((kind) => this.types[kind].includes(type));
    return kinds.length > 0 ? kinds[0] : "file";
  }

  // All texts of a volume that are no secret, into the index; false if the volume is not there
  async load(volume, progress) {
    for (const script of volume.of("events")) {
      const name = `${volume.number} ${script.file}`;
      if (this.index.loaded.has(name)) continue;
      const data = await volume.load(script);
      if (this.index.loaded.has(name)) continue;
      this.index.loaded.add(name);
      this.index.addLines(volume, script.room, linesOf(data));
      await progress();
    }
  }

  // Opens what can be opened of a volume's encrypted rooms
  async open(volume, progress) {
    for (const room of this.encryptedRooms(volume)) {
      for (const script of volume.of("keys", room)) this.vault.addBackedUp(await volume.load(script));
      const items = [];
      for (const script of volume.of("events", room)) {
        const lines = linesOf(await volume.load(script));
        items.push(...(await this.shown(room, lines, progress)));
      }
      this.keep(volume, room, items);
    }
  }

  // The lines of a file as what is shown of them, in their order
  async shown(room, lines, progress) {
    const sealed = lines.filter((line) => line.e);
    const opened = await this.vault.open(this.roomId(room, lines), sealed, progress);
    let next = 0;
    return lines.map((line) => (line.e ? opened[next++] : plainShown(line)));
  }

  keep(volume, room, items) {
    const talk = { volume, room, ...conversation(items) };
    talk.sealed = items.filter((item) => item.opened || item.why !== "").length;
    talk.opened = items.filter((item) => item.opened).length;
    talk.others = new Set(items.map((item) => item.who).filter(Boolean)).size > 1;
    talk.why = new Map();
    for (const { why } of items) if (why) talk.why.set(why, (talk.why.get(why) || 0) + 1);
    this.rooms.set(`${volume.number} ${room}`, talk);
    this.index.dropOpened(volume, room);
    this.index.addOpened(volume, room, items);
  }

  // Where the bytes of a file lie, by its mxc; of all volumes whose data is there
  async media() {
    const all = new Map();
    for (const volume of this.volumes) {
      try {
        for (const [url, medium] of await volume.media()) all.set(url, medium);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
      }
    }
    return all;
  }
}

function linesOf(data) {
  return Array.isArray(data.events) ? data.events.filter((line) => typeof line === "object" && line !== null) : [];
}
