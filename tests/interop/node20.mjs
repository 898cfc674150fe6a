// matrix-js-sdk 43 is written for Node 22; of what it uses, Node 20 lacks only this (ECMAScript 2024).
Promise.withResolvers ??= function withResolvers() {
    const made = {};
    made.promise = new this((resolve, reject) => Object.assign(made, { resolve, reject }));
    return made;
};
