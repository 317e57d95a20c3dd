/** The parts of WebAssembly that the CRC uses; Node's types do not have them. */
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
