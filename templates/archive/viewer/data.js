// The volume's data: classic scripts beside the page, each one call "dpobot(...)", loaded when they are wanted.

const waiting = new Map(); // script element -> what takes its data
const SCRIPT = /^(?:\.\.\/[^/\\:?#%]+\/)?viewer\/[a-z0-9-]+\.js$/;
const addresses = scriptAddresses();

// Only addresses of data files become scripts (Trusted Types; where a browser has none, the same check)
function scriptAddresses() {
  const rules = { createScriptURL: checkedAddress };
  return window.trustedTypes ? window.trustedTypes.createPolicy("dpobot", rules) : rules;
}

function checkedAddress(address) {
  if (!SCRIPT.test(address)) throw new TypeError("not a data file of an archive");
  return address.split("/").map((part) => encodeURIComponent(part)).join("/");
}

function receive(data) {
  const take = waiting.get(document.currentScript);
  if (take) take(mapping(data));
}

// What the file holds; Problem "no-file" if it is not there or is none
function loadScript(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    let held = null;
    const end = () => {
      waiting.delete(script);
      script.remove();
      if (held) resolve(held);
      else reject(new Problem("no-file"));
    };
    waiting.set(script, (data) => (held = data));
    script.addEventListener("load", end);
    script.addEventListener("error", end);
    script.src = addresses.createScriptURL(address);
    document.head.append(script);
  });
}

// A volume of the archive: its scripts, and where they are seen from here
class Volume {
  constructor(described, own) {
    this.number = described.number;
    this.folder = typeof described.folder === "string" ? described.folder : "";
    this.scripts = (Array.isArray(described.scripts) ? described.scripts : []).map(mapping);
    this.own = own;
    this.base = own ? "" : null; // of another volume: found out with its first file
    this.kept = new Map();
  }

  of(kind, room) {
    return this.scripts.filter((script) => script.kind === kind && (room === undefined || script.room === room));
  }

  // Beside this volume's folder, or all volumes were unpacked into one
  async load(script) {
    if (this.base !== null) return loadScript(this.base + script.file);
    const base = `../${this.folder}/`;
    try {
      const data = await loadScript(base + script.file);
      this.base = base;
      return data;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const data = await loadScript(script.file);
      this.base = "";
      return data;
    }
  }

  // The same, kept for the next time
  async once(script) {
    if (!this.kept.has(script.file)) this.kept.set(script.file, await this.load(script));
    return this.kept.get(script.file);
  }

  // All media of the volume: mxc -> {file, size, type, name}
  async media() {
    const found = new Map();
    for (const script of this.of("media")) {
      const media = mapping((await this.once(script)).media);
      for (const url of Object.keys(media)) found.set(url, mapping(media[url]));
    }
    return found;
  }
}
