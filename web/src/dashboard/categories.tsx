/** @jsxImportSource preact */
import { useRef } from "preact/hooks";

export interface CategoryRow {
  id: number;
  name: string;
  description: string;
}

let lastId = 0;

export const emptyRow = (name = ""): CategoryRow => ({ id: ++lastId, name, description: "" });

interface Props {
  rows: CategoryRow[];
  onChange: (rows: CategoryRow[]) => void;
}

/** Categories, a row each. Enter adds one, as in a list. */
export function Categories({ rows, onChange }: Props) {
  const list = useRef<HTMLDivElement>(null);

  const change = (id: number, part: Partial<CategoryRow>): void =>
    onChange(rows.map((row) => (row.id === id ? { ...row, ...part } : row)));

  function add(): void {
    onChange([...rows, emptyRow()]);
    requestAnimationFrame(() => {
      const names = list.current?.querySelectorAll<HTMLInputElement>(".name");
      names?.[names.length - 1]?.focus();
    });
  }

  function addOnEnter(event: KeyboardEvent): void {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    add();
  }

  return (
    <fieldset>
      <legend>Categories</legend>
      <div ref={list} className="categories">
        {rows.map((row, index) => (
          <div key={row.id} className="row tight">
            <input
              className="name"
              aria-label={`Name of category ${index + 1}`}
              placeholder="Name"
              maxLength={200}
              value={row.name}
              onInput={(event) => change(row.id, { name: event.currentTarget.value })}
              onKeyDown={addOnEnter}
            />
            <input
              aria-label={`Description of category ${index + 1}`}
              placeholder="What it means (optional)"
              value={row.description}
              onInput={(event) => change(row.id, { description: event.currentTarget.value })}
              onKeyDown={addOnEnter}
            />
            <button
              type="button"
              aria-label={`Remove category ${index + 1}`}
              onClick={() => onChange(rows.filter((each) => each.id !== row.id))}
            >
              ×
            </button>
          </div>
        ))}
      </div>
      <button type="button" onClick={add}>
        Add a category
      </button>
      {rows.length === 0 ? (
        <p className="hint">Without categories the model answers with generic labels.</p>
      ) : null}
    </fieldset>
  );
}
