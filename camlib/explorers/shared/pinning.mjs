// What is pointed at, and what the reader has chosen to stay: a mouse that merely passes shows a value
// of a trait and gives back the one that was pinned.

/**
 * - `get()` the trait's value, `set(value)` to change it
 * - `onPin(value)`: the reader has chosen a value to stay, by click, tap or key
 */
export function pinning({ get, set, onPin = () => {} }) {
  let pinned = get();
  let ours = false;
  const show = (value) => {
    if (String(value) === String(get())) return;
    ours = true;
    set(value);
    ours = false;
  };
  return {
    get pinned() { return pinned; },
    pin(value) {
      pinned = value;
      show(value);
      onPin(value);
    },
    /** Forget what was pinned; it is shown until the pointer leaves. */
    release: () => (pinned = null),
    /** The pointer is over a value; a finger chooses it. */
    over(value, { pointerType }) {
      if (pointerType === "touch") pinned = value;
      show(value);
    },
    /** The pointer has left. */
    left: ({ pointerType }) => pointerType !== "touch" && show(pinned),
    /** The trait has changed; what somebody else has set stays. */
    changed: () => ours || (pinned = get()),
  };
}
