// Arrays as camlib.explorers.dual_output packs them.

/** The typed array that a data address holds. */
export function decode(address) {
  const [head, body] = address.split(",", 2);
  const { buffer } = Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
  const dtype = head.match(/application\/x-(\w+)/)[1];
  return new { uint8: Uint8Array, int16: Int16Array, int32: Int32Array, float32: Float32Array }[dtype](buffer);
}
