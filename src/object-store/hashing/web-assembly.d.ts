/** As much of WebAssembly as the CRC needs; Node's own types leave it to those of browsers. */
declare namespace WebAssembly {
  const Module: new (bytes: Uint8Array) => object;

  class Instance {
    readonly exports: Readonly<Record<string, unknown>>;
    constructor(module: object);
  }

  class Memory {
    readonly buffer: ArrayBuffer;
  }
}
