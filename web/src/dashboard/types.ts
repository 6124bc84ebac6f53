/** The shapes of the answers to `operations/dashboard`. */

export type InputType = "TEXT" | "IMAGE" | "AUDIO" | "VIDEO";
export type JobStatus = "PENDING" | "PROCESSING" | "COMPLETED" | "FAILED";
export type Mode = "SINGLE" | "MULTI" | "TOP_N";

export interface UserError {
  code: string;
  message: string;
  field: string[] | null;
}

export interface Account {
  id: string;
  name: string;
  plan: string;
  status: string;
}

/** A month's budget in US dollars; `used` counts what work that runs may cost at most. */
export interface Budget {
  limit: string;
  used: string;
}

export interface Usage {
  period: string;
  plan: string;
  limits: {
    requests: number | null;
    resetsAt: string;
    media: boolean;
    schemas: number | null;
    batchSize: number;
  };
  usage: {
    requests: number;
    remaining: number | null;
    tokens: number;
    /** US dollars, exactly. */
    cost: string;
    byType: { text: number; image: number; audio: number; video: number };
    byDay: Day[];
  };
  /** Of the current month; null is none. */
  budget: Budget | null;
}

export interface Day {
  date: string;
  requests: number;
}

export interface Label {
  label: string | null;
  confidence: number | null;
  explanation?: string | null;
}

export interface Result extends Label {
  labels: Label[];
}

export interface JobError {
  code: string;
  message: string;
}

export interface Classified {
  id: string;
  status: JobStatus;
  result: Result | null;
  meta: { model: string; latencyMs: number | null; tokens: number | null; mode: Mode } | null;
  error: JobError | null;
}

export interface Job {
  id: string;
  status: JobStatus;
  inputType: InputType;
  inputPreview: string | null;
  result: Result | null;
  error: JobError | null;
  latencyMs: number | null;
  createdAt: string;
}

export interface JobPage {
  totalCount: number;
  nodes: Job[];
  pageInfo: { endCursor: string | null; hasNextPage: boolean };
}

export interface ApiKey {
  id: string;
  name: string;
  hint: string;
  createdAt: string;
  revokedAt: string | null;
}

export interface ClassifyInput {
  input: string;
  categories?: { name: string; description?: string }[];
  mode: Mode;
  topN?: number;
  threshold?: number;
  explain: boolean;
}
