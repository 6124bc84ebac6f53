/** @jsxImportSource preact */
import { useState } from "preact/hooks";
import type { ViewProps } from "./app";
import { Categories, type CategoryRow, emptyRow } from "./categories";
import { percent } from "./format";
import { messageOf } from "./load";
import { Outcome } from "./outcome";
import { Problem } from "./parts";
import type { Classified, ClassifyInput, Mode } from "./types";

const MODES: readonly { mode: Mode; text: string }[] = [
  { mode: "SINGLE", text: "The best one" },
  { mode: "MULTI", text: "All that fit" },
  { mode: "TOP_N", text: "The top" },
];

const FIRST_ROWS = ["billing", "technical", "account"].map((name) => emptyRow(name));

export function Classify({ api }: ViewProps) {
  const [text, setText] = useState("I was charged twice and want my money back.");
  const [rows, setRows] = useState<CategoryRow[]>(FIRST_ROWS);
  const [mode, setMode] = useState<Mode>("SINGLE");
  const [topN, setTopN] = useState(3);
  const [threshold, setThreshold] = useState(0);
  const [explain, setExplain] = useState(false);
  const [job, setJob] = useState<Classified | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function submit(): Promise<void> {
    setBusy(true);
    try {
      setJob(await api.classify(inputOf({ text, rows, mode, topN, threshold, explain })));
      setProblem(null);
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <>
      <h1>Classify</h1>
      <div className="columns">
        <form
          className="card"
          onSubmit={(event) => {
            event.preventDefault();
            void submit();
          }}
        >
          <label>
            Text
            <textarea
              rows={5}
              required
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </label>
          <Categories rows={rows} onChange={setRows} />
          <fieldset>
            <legend>Answer with</legend>
            <div className="row tight start">
              {MODES.map((each) => (
                <label key={each.mode} className="choice">
                  <input
                    type="radio"
                    name="mode"
                    checked={mode === each.mode}
                    onChange={() => setMode(each.mode)}
                  />
                  {each.text}
                </label>
              ))}
              <input
                type="number"
                aria-label="How many at most"
                min={1}
                max={10}
                disabled={mode !== "TOP_N"}
                value={topN}
                onInput={(event) => setTopN(event.currentTarget.valueAsNumber || 1)}
              />
            </div>
          </fieldset>
          <label>
            Confidence of at least {percent(threshold)}
            <input
              type="range"
              min={0}
              max={1}
              step={0.05}
              value={threshold}
              onInput={(event) => setThreshold(event.currentTarget.valueAsNumber)}
            />
          </label>
          <label className="choice">
            <input
              type="checkbox"
              checked={explain}
              onChange={(event) => setExplain(event.currentTarget.checked)}
            />
            Explain the answer
          </label>
          <Problem text={problem} />
          <button type="submit" className="primary" disabled={busy}>
            {busy ? "Classifying…" : "Classify"}
          </button>
        </form>
        <section className="card" aria-labelledby="result-title" aria-live="polite">
          <h2 id="result-title">Result</h2>
          {job === null ? (
            <p className="hint">It counts as one request, like any call of the API.</p>
          ) : (
            <Outcome job={job} />
          )}
        </section>
      </div>
    </>
  );
}

interface Form {
  text: string;
  rows: CategoryRow[];
  mode: Mode;
  topN: number;
  threshold: number;
  explain: boolean;
}

function inputOf({ text, rows, mode, topN, threshold, explain }: Form): ClassifyInput {
  const categories = rows
    .map(({ name, description }) => ({ name: name.trim(), description: description.trim() }))
    .filter(({ name }) => name !== "")
    .map(({ name, description }) => (description === "" ? { name } : { name, description }));
  return {
    input: text,
    mode,
    explain,
    ...(categories.length > 0 && { categories }),
    ...(mode === "TOP_N" && { topN }),
    ...(threshold > 0 && { threshold }),
  };
}
