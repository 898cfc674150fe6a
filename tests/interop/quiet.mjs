// Standard output belongs to the protocol alone: whatever the SDK and its Rust part print goes to standard error,
// and only warnings and errors. Imported first, because the SDK's logger binds to console when it is loaded.
const toStandardError = (...parts) => process.stderr.write(`${parts.map(String).join(" ")}\n`);
const silent = () => {};

Object.assign(console, { log: silent, debug: silent, info: silent, trace: silent });
Object.assign(console, { warn: toStandardError, error: toStandardError });

export const sdkLogger = {
    trace: silent,
    debug: silent,
    info: silent,
    warn: toStandardError,
    error: toStandardError,
    getChild: () => sdkLogger,
};
