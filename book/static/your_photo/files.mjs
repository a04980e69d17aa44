// What kind of file is this? Its first bytes tell; its name and its declared type may be wrong.

const text = (bytes, from, length) => String.fromCharCode(...bytes.subarray(from, from + length));

/** { kind, width, height } as far as the first bytes tell; `kind` is "" for what is no picture. */
export function recognise(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (text(bytes, 0, 3) === "\xff\xd8\xff") return { kind: "JPEG", ...sizeOfJpeg(view) };
    if (text(bytes, 0, 8) === "\x89PNG\r\n\x1a\n") {
      return { kind: "PNG", width: view.getUint32(16), height: view.getUint32(20) };
    }
    if (/^GIF8[79]a/.test(text(bytes, 0, 6))) {
      return { kind: "GIF", width: view.getUint16(6, true), height: view.getUint16(8, true) };
    }
    if (text(bytes, 0, 4) === "RIFF" && text(bytes, 8, 4) === "WEBP") {
      return { kind: "WebP", ...sizeOfWebp(view, text(bytes, 12, 4)) };
    }
    if (text(bytes, 0, 2) === "BM" && [12, 40, 52, 56, 108, 124].includes(view.getUint32(14, true))) {
      return { kind: "BMP" };
    }
  } catch (error) {
    // The file ends before its size is told: the decoder will say that it is damaged.
    if (!(error instanceof RangeError)) throw error;
    return { kind: "damaged" };
  }
  if (text(bytes, 4, 4) === "ftyp") {
    const brands = text(bytes, 8, Math.min(bytes.length - 8, 56));
    if (/avi[fs]/.test(brands)) return { kind: "AVIF" };
    if (/hei[cxms]|hev[cxms]|mif1|msf1/.test(brands)) return { kind: "HEIC" };
  }
  if (["II*\0", "MM\0*"].includes(text(bytes, 0, 4))) return { kind: "TIFF" };
  if (/^(\xef\xbb\xbf)?\s*(<\?xml[^]*?|<!--[^]*?|<!DOCTYPE svg[^]*?)*<svg[\s>]/i.test(text(bytes, 0, 2048))) {
    return { kind: "SVG" };
  }
  return { kind: "" };
}

/** JPEG is a row of segments; one of those called "start of frame" holds the size. */
function sizeOfJpeg(view) {
  let at = 2;
  while (at + 9 < view.byteLength) {
    const marker = view.getUint8(at + 1);
    if (view.getUint8(at) !== 0xff) return {};
    const frame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (frame) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return {};
}

function sizeOfWebp(view, chunk) {
  const three = (at) => view.getUint16(at, true) + 65536 * view.getUint8(at + 2);
  if (chunk === "VP8X") return { width: 1 + three(24), height: 1 + three(27) };
  if (chunk === "VP8 ") {
    return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  }
  const bits = view.getUint32(21, true);
  return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >> 14) & 0x3fff) };
}
