// What the person sees: every event of every room, decrypted where that is possible, in the order of arrival.
import { ClientEvent, MatrixEventEvent } from "matrix-js-sdk";
import { EventShieldColour, EventShieldReason } from "matrix-js-sdk/lib/crypto-api/index.js";

const lower = (names, value) => (value === null ? null : names[value].toLowerCase());

export class Timeline {
    #client;
    #tell;
    #events = new Map(); // event ID -> MatrixEvent
    #order = new Map(); // event ID -> how many came before
    #redacted = new Set();
    #watchers = new Set();

    /** `tell(record)` is called for every event, and again when it could be decrypted later. */
    constructor(client, tell) {
        this.#client = client;
        this.#tell = tell;
        client.on(ClientEvent.Event, (event) => void this.#arrived(event));
    }

    async #arrived(event) {
        if (!event.getId() || !event.getRoomId() || this.#events.has(event.getId())) return;
        this.#order.set(event.getId(), this.#events.size);
        this.#events.set(event.getId(), event);
        const redacts = event.getAssociatedId();
        if (event.getType() === "m.room.redaction" && redacts) this.#redacted.add(redacts);
        event.on(MatrixEventEvent.Decrypted, () => void this.#announce(event));
        if (event.isEncrypted()) await this.#client.decryptEventIfNeeded(event);
        await this.#announce(event);
    }

    async #announce(event) {
        const record = await this.describe(event);
        this.#tell(record);
        for (const watcher of [...this.#watchers]) watcher(record);
    }

    async describe(event) {
        const content = event.getOriginalContent();
        const relation = event.getWireContent()["m.relates_to"] ?? content["m.relates_to"] ?? {};
        const replaces = relation.rel_type === "m.replace" ? relation.event_id : null;
        const shown = (replaces && content["m.new_content"]) || content;
        const info = event.isEncrypted() ? await this.#client.getCrypto().getEncryptionInfoForEvent(event) : null;
        const failed = event.isDecryptionFailure();
        return {
            event_id: event.getId(),
            room_id: event.getRoomId(),
            sender: event.getSender(),
            type: event.getType(),
            state_key: event.getStateKey() ?? null,
            body: !failed && typeof shown.body === "string" ? shown.body : null,
            msgtype: failed ? null : (shown.msgtype ?? null),
            encrypted: event.isEncrypted(),
            content: failed ? {} : content,
            replaces,
            thread_root: relation.rel_type === "m.thread" ? relation.event_id : null,
            redacts: event.getType() === "m.room.redaction" ? (event.getAssociatedId() ?? null) : null,
            redacted: this.#redacted.has(event.getId()) || event.isRedacted(),
            failure: failed ? (event.decryptionFailureReason ?? "UNKNOWN_ERROR") : null,
            shield: info && lower(EventShieldColour, info.shieldColour),
            shield_reason: info && lower(EventShieldReason, info.shieldReason),
        };
    }

    async of(room) {
        const found = [...this.#events.values()].filter((event) => event.getRoomId() === room);
        return Promise.all(found.map((event) => this.describe(event)));
    }

    /** Return the first record that fits and came after the event `after`; waits for it, `timeout` seconds at most. */
    async waitFor({ room, timeout = 30, after, ...wanted }) {
        const fits = matcher(wanted);
        const good = (record) => record.room_id === room && this.#isAfter(record.event_id, after) && fits(record);
        let found;
        const later = new Promise((resolve) => (found = resolve));
        const watcher = (record) => good(record) && found(record);
        this.#watchers.add(watcher); // before looking back, or an event could slip between the two
        const late = setTimeout(() => found(null), timeout * 1000);
        try {
            const now = (await this.of(room)).find(good);
            const record = now ?? (await later);
            if (record) return record;
        } finally {
            this.#watchers.delete(watcher);
            clearTimeout(late);
        }
        throw Object.assign(new Error(`nothing that fits came within ${timeout} s`), { code: "TIMEOUT" });
    }

    /** What was sent but has not come back from the server yet is before nothing. */
    #isAfter(id, other) {
        return !other || (this.#order.has(other) && this.#order.get(id) > this.#order.get(other));
    }
}

function matcher({ pattern, ...equal }) {
    const expression = pattern === undefined ? null : new RegExp(pattern, "su");
    return (record) =>
        Object.entries(equal).every(([name, value]) => record[name] === value) &&
        (expression === null || (record.body !== null && expression.test(record.body)));
}
