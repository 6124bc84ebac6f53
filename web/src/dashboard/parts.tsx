/** @jsxImportSource preact */
/** Pieces that more than one view shows. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { percent } from "./format";

export function Problem({ text }: { text: string | null }) {
  return (
    <div role="alert">{text === null ? null : <p className="problem">{text}</p>}</div>
  );
}

/** A bar as long as the value is of the whole. */
export function Bar({ value, label }: { value: number; label: string }) {
  return (
    <svg className="meter" viewBox="0 0 100 8" preserveAspectRatio="none" role="img">
      <title>{`${label}: ${percent(value)}`}</title>
      <rect className="track" width="100" height="8" />
      <rect className="fill" width={Math.max(0, Math.min(1, value)) * 100} height="8" />
    </svg>
  );
}

/** A modal dialog, open as long as it is rendered. */
export function Dialog(props: { title: string; onClose: () => void; children: ComponentChildren }) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => element.current?.showModal(), []);
  return (
    <dialog ref={element} aria-labelledby="dialog-title" onClose={props.onClose}>
      <h2 id="dialog-title">{props.title}</h2>
      {props.children}
    </dialog>
  );
}

/** A value to take along, with a button that copies it. */
export function Copyable({ value, label }: { value: string; label: string }) {
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);

  async function copy(): Promise<void> {
    field.current?.select();
    // Browsers have the clipboard API on https and localhost only.
    if (navigator.clipboard) await navigator.clipboard.writeText(value);
    else document.execCommand("copy");
    setCopied(true);
  }

  return (
    <div className="copyable">
      <input ref={field} className="code" aria-label={label} readOnly value={value} />
      <button type="button" className="primary" onClick={() => void copy()}>
        {copied ? "Copied" : "Copy"}
      </button>
    </div>
  );
}
